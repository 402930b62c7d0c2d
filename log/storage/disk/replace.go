package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/quorumlog/quorumlog/log/storage"
)

// A data directory that is damaged is replaced by a new one in the same place, whose replica recovers from its peers and
// never starts a new log. What is damaged stays beside it, in a directory in the directory: that needs no right to write
// anywhere else, no second file system and no room, and a data directory may be the root of a disk.
//
//	complete ── condemn ──▶ condemned ── move aside ──▶ nothing, beside damaged-1 ── create ──▶ complete
//	QUORUMLOG   rename      DAMAGED      rename all     damaged-1                              QUORUMLOG, damaged-1
//
// Each arrow can be cut by a crash anywhere: the next Open goes on from there.

const asidePrefix = "damaged-" // and a number, counted up from 1

// Replacement says that the directory replaces a damaged one.
type Replacement struct {
	Aside string // where the damaged files are
	Why   string // what was wrong with them
}

// Replaced says whether Open has just put this disk in place of a damaged one.
func (s *Store) Replaced() (Replacement, bool) { return s.engine.Replaced() }

// condemn gives up a complete directory, durably and in one step: from then on it is never opened again, but replaced.
func condemn(o Options, why error) error {
	d, err := resolve(o)
	if err != nil {
		return err
	}
	lock, err := d.lock()
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // an error of no use: the process that comes next finds out
	if found, err := d.contents(); err != nil || found != complete {
		return err // somebody else was faster
	}
	o.Logger.Warn().Str("data", d.path).Err(why).Msg("the data directory is damaged, and is replaced")
	if err := d.leaveNote(why); err != nil {
		return err
	}
	if err := d.remove(creatingFile); err != nil { // a crash may have left it
		return err
	}
	if err := d.sync(); err != nil {
		return err
	}
	if err := d.fs.Rename(d.fs.PathJoin(d.path, completeFile), d.fs.PathJoin(d.path, condemnedFile)); err != nil {
		return fmt.Errorf("condemn the data directory: %w", err)
	}
	return d.sync()
}

// notReplaced says what it means that a damaged directory could not be condemned: it is as it was, and the next Open tries
// again. A disk that is full has no room for the note, nor for a new directory.
func notReplaced(dir string, failed, damage error) error {
	if isFull(failed) {
		return fmt.Errorf("%w on %s, which is damaged, and is replaced as soon as there is room: free some and start again: %w (the damage: %w)",
			storage.ErrFull, dir, failed, damage)
	}
	return fmt.Errorf("replace the data directory: %w (it is damaged: %w)", failed, damage)
}

// moveAside moves all that a condemned directory holds into one beside the older ones. Its label comes last, so that a
// crash in between leaves a directory that still is condemned, and one that can be told to be unfinished.
func (d directory) moveAside() error {
	names, asides, err := d.list()
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == condemnedFile })
	to, err := d.aside(asides, len(names) > 0)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := d.fs.Rename(d.fs.PathJoin(d.path, name), d.fs.PathJoin(to.path, name)); err != nil {
			return fmt.Errorf("move the damaged %s aside: %w", name, err)
		}
	}
	if err := errors.Join(to.sync(), d.sync()); err != nil {
		return err
	}
	label, err := d.read(condemnedFile)
	if err != nil {
		return fmt.Errorf("read %s: %w", condemnedFile, err)
	}
	if err := to.write(completeFile, string(label)); err != nil {
		return err
	}
	if err := d.remove(condemnedFile); err != nil {
		return err
	}
	return d.sync()
}

// aside returns the directory to move to: the newest one where a crash has left it without its label, or where nothing is
// left to be moved, else a new one.
func (d directory) aside(asides []int, more bool) (directory, error) {
	next := 1
	if len(asides) > 0 {
		newest := asides[len(asides)-1]
		to := d.asideOf(newest)
		if finished, err := to.has(completeFile); err != nil || !finished || !more {
			return to, err
		}
		next = newest + 1
	}
	to := d.asideOf(next)
	if err := d.fs.MkdirAll(to.path, 0o755); err != nil {
		return to, fmt.Errorf("make the directory for the damaged files: %w", err)
	}
	return to, d.sync()
}

func (d directory) asideOf(n int) directory {
	return directory{d.fs, d.fs.PathJoin(d.path, asidePrefix+strconv.Itoa(n))}
}

// list returns the names in the directory without those that always stay, and the numbers of the damaged ones beside it.
func (d directory) list() (names []string, asides []int, err error) {
	all, err := d.fs.List(d.path)
	if err != nil {
		return nil, nil, fmt.Errorf("list the data directory: %w", err)
	}
	for _, name := range all {
		number, isAside := strings.CutPrefix(name, asidePrefix)
		n, err := strconv.Atoi(number)
		switch {
		case name == lockFile || name == lostAndFound:
		case isAside && err == nil && n > 0:
			asides = append(asides, n)
		default:
			names = append(names, name)
		}
	}
	slices.Sort(asides)
	return names, asides, nil
}

// replaces returns what the directory that is being made replaces, and which logs that had; nothing if it is the first one here.
func (d directory) replaces() (Replacement, roster, error) {
	_, asides, err := d.list()
	if err != nil || len(asides) == 0 {
		return Replacement{}, roster{}, err
	}
	newest := d.asideOf(asides[len(asides)-1])
	n, err := newest.readNote()
	if err != nil {
		n.text = "unknown" // of no use but to people
	}
	logs, err := newest.inherit()
	return Replacement{newest.path, n.text}, logs, err
}

// prune removes the damaged directories but the newest. It is called once the replica votes again: until then, an older
// one may be all that is left of the log.
func (d directory) prune() error {
	_, asides, err := d.list()
	if err != nil || len(asides) < 2 {
		return err
	}
	for _, n := range asides[:len(asides)-1] {
		if err := d.fs.RemoveAll(d.asideOf(n).path); err != nil {
			return fmt.Errorf("remove a damaged directory: %w", err)
		}
	}
	return nil
}

// remove removes a file, if there is one.
func (d directory) remove(name string) error {
	if err := d.fs.Remove(d.fs.PathJoin(d.path, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return nil
}

// errCondemned is what Open says of a directory that it may not go on to replace.
func (d directory) errCondemned() error {
	return fmt.Errorf("%w: %s is being replaced, since it was damaged: start the replica with repair on, and it goes on",
		storage.ErrCorrupt, d.path)
}
