package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"

	"github.com/quorumlog/quorumlog/log/storage"
)

// pebbleFormat is the format of Pebble's files. It is above FormatWALSyncChunks, so that a log says how much of it was
// synced; but in Pebble 2.1 it says too little, and a log that lost what was synced can pass for one whose unsynced end
// was torn. The marks tell the two apart.
const pebbleFormat = pebble.FormatValueSeparation

const (
	cacheSize    = 32 << 20
	memTableSize = 16 << 20

	// compactAt is how many tables Pebble lets lie above each other, at a key, before it compacts. Those of records lie beside each
	// other, and only those of the small keys above (see apart). By the time that so many of the latter are there, the records
	// beside them are more than Pebble takes into the same compaction, so they are moved later, and not written again.
	compactAt = 16
)

// opening says what is expected of the database, and what may be done to it.
type opening uint8

const (
	making   opening = iota // there is none
	changing                // there is one
	reading                 // there is one, and it stays as it is
)

// openPebble has the worker do it, because that may end in Fatalf. The marks come first: Pebble cuts off what it cannot
// read, and removes the files that it does not know.
func (e *Engine) openPebble(d directory, how opening) (err error) {
	if e.marks, err = d.openMarks(how == reading); err != nil {
		return fmt.Errorf("open %s: %w", d.path, e.fault.fail(err))
	}
	err = e.worker.do(func() (err error) {
		e.db, err = pebble.Open(d.path, e.pebble(d, how))
		return unfit(err)
	})
	if err != nil {
		return fmt.Errorf("open %s: %w", d.path, e.fault.fail(err))
	}
	return nil
}

// unfit says what it means that Pebble does not open a directory that it made. Writes that fail end in the fence, so
// the directory is not as it was left, unless the operating system has just refused to read it.
func unfit(err error) error {
	var system syscall.Errno
	if err == nil || errors.As(err, &system) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
}

func (e *Engine) pebble(d directory, how opening) *pebble.Options {
	o := &pebble.Options{
		FS: &fence{d.fs, e.fault, e.marks}, FormatMajorVersion: pebbleFormat,
		// A database that lost its marker would be taken for a new one, and its tables for rubbish.
		ReadOnly: how == reading, ErrorIfExists: how == making, ErrorIfNotExists: how != making,
		CacheSize: cacheSize, MemTableSize: memTableSize,
		L0CompactionThreshold: 2 * compactAt, L0StopWritesThreshold: 2 * compactAt, // Pebble begins at half of the first, and waits at all of the second
		Logger: logger{e.options.Logger, e.fault}, EventListener: e.listener(),
	}
	o.Experimental.SpanPolicyFunc = apart
	// What is cut out is out when Excise returns, and what it cannot cut fails there, not in a flush that is tried for ever.
	o.Experimental.DisableIngestAsFlushable = func() bool { return true }
	return o
}

// checkFormat finds files that only a newer Pebble can read.
func (d directory) checkFormat() error {
	text, err := atomicfs.ReadMarker(d.fs, d.path, "format-version")
	if err = unfit(err); err != nil {
		return fmt.Errorf("read the database format of %s: %w", d.path, err)
	}
	format, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s has the database format %q", storage.ErrCorrupt, d.path, text)
	}
	if format > uint64(pebbleFormat) {
		return newer("database in "+d.path, format, uint64(pebbleFormat))
	}
	return nil
}
