package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log/storage"
)

// The files that are not Pebble's.
const (
	creatingFile  = "CREATING"   // the directory is being made; nothing in it was ever told to anybody
	completeFile  = "QUORUMLOG"  // the directory is complete; see label
	condemnedFile = "DAMAGED"    // what was QUORUMLOG, in a directory that is being replaced; see condemn
	faultFile     = "FAULT"      // what the last store failed of; see note
	marksFile     = "SYNCED"     // see marks
	lockFile      = "LOCK"       // Pebble's name for it
	lostAndFound  = "lost+found" // a file system's own, where the data directory is its root
)

// contents is what a directory is, by the names in it.
type contents uint8

const (
	nothing    contents = iota // it does not exist, or is empty
	unfinished                 // a crash came in the middle of making it
	complete                   // a data directory
	condemned                  // a data directory that was damaged and is being replaced
)

// directory is the place of a data directory.
type directory struct {
	fs   vfs.FS
	path string
}

// contents says what the directory is. One with files that are not ours is an error.
func (d directory) contents() (contents, error) {
	names, _, err := d.list()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nothing, nil
	case err != nil:
		return nothing, err
	case slices.Contains(names, condemnedFile):
		return condemned, nil
	case slices.Contains(names, completeFile):
		return complete, nil
	case slices.Contains(names, creatingFile):
		return unfinished, nil
	case len(names) == 0:
		return nothing, nil
	}
	slices.Sort(names)
	shown := strings.Join(names[:min(len(names), 3)], ", ")
	return nothing, fmt.Errorf("%w: %s has no file %s, but %d others (%s): give an empty directory, or the right one",
		storage.ErrForeign, d.path, completeFile, len(names), shown)
}

// make makes the directory and those above it, and makes that durable.
func (d directory) make() error {
	if _, err := d.fs.Stat(d.path); err == nil {
		return nil
	}
	parent := directory{d.fs, d.fs.PathDir(d.path)}
	if parent.path != d.path {
		if err := parent.make(); err != nil {
			return err
		}
	}
	if err := d.fs.MkdirAll(d.path, 0o755); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	return parent.sync()
}

// lock keeps everybody else out until it is closed.
func (d directory) lock() (io.Closer, error) {
	lock, err := d.fs.Lock(d.fs.PathJoin(d.path, lockFile))
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return nil, fmt.Errorf("lock the data directory: %w", err) // the lock file cannot even be opened
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s (%w): stop the process that uses it, or wait for it to end", storage.ErrInUse, d.path, err)
	}
	return lock, nil
}

// start marks a directory as one that is being made, and removes what an earlier attempt has left in it.
func (d directory) start() error {
	if err := d.write(creatingFile, "This data directory is being made.\n"); err != nil {
		return err
	}
	names, _, err := d.list()
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == creatingFile {
			continue
		}
		if err := d.fs.Remove(d.fs.PathJoin(d.path, name)); err != nil {
			return fmt.Errorf("remove what is left of an unfinished data directory: %w", err)
		}
	}
	return d.sync()
}

// finish marks a directory as complete.
func (d directory) finish(l label) error {
	if err := d.writeWhole(completeFile, l.text()); err != nil {
		return err
	}
	if err := d.fs.Remove(d.fs.PathJoin(d.path, creatingFile)); err != nil {
		return fmt.Errorf("finish the data directory: %w", err)
	}
	return d.sync()
}

// writeWhole makes a small file durable that is all there, or as it was before, whatever comes in between.
func (d directory) writeWhole(name, text string) error {
	const suffix = ".new"
	if err := d.write(name+suffix, text); err != nil {
		return err
	}
	if err := d.fs.Rename(d.fs.PathJoin(d.path, name+suffix), d.fs.PathJoin(d.path, name)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return d.sync()
}

// write makes a small file durable.
func (d directory) write(name, text string) error {
	f, err := d.fs.Create(d.fs.PathJoin(d.path, name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	_, err = f.Write([]byte(text))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return d.sync()
}

// sync makes the names in the directory durable.
func (d directory) sync() error {
	f, err := d.fs.OpenDir(d.path)
	if err != nil {
		return fmt.Errorf("sync the data directory: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync the data directory: %w", err)
	}
	return nil
}

// resolve returns the directory by its full name, because a process is let in twice under two names.
func resolve(o Options) (directory, error) {
	if o.FS != nil {
		return directory{o.FS, o.Dir}, nil
	}
	path, err := filepath.Abs(o.Dir)
	if err != nil {
		return directory{}, fmt.Errorf("resolve the data directory: %w", err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return directory{vfs.Default, path}, nil
}
