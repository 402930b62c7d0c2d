// Package disk keeps a replica in a directory, on Pebble: of one log, or of several, which share the database and its syncs (see Engine).
//
//	QUORUMLOG   says that the directory is complete, and whose it is; one still being made has CREATING instead, and one
//	            that is being replaced, because it is damaged, DAMAGED
//	LOCK        held by the process that has the directory open
//	SYNCED      how much of each of Pebble's files was synced, with a CRC-32C; see marks
//	FAULT       what the store failed of that was open last; see note
//	LOGS        which logs are in the directory beside the one without a name; see roster
//	ORIGIN      where a log came from that did not start as an empty one; see Build. One with a name has ORIGIN.name
//	damaged-1   a directory that was damaged, and that this one has replaced; the number is the highest of those there
//	the rest    Pebble's
//
// The keys are one byte for the space and, but for the metadata, a position as 8 bytes, the highest first:
//
//	a           ->  how many syncs the disk has seen, 8 bytes                      | CRC-32C
//	c           ->  the position of the checkpoint, 8 bytes, and its table         | CRC-32C
//	d position  ->  the last position of the damaged run that starts here, 8 bytes | CRC-32C
//	k position  ->  the record next to damaged ones, as it is written at p         | CRC-32C
//	l position  ->  the last position of the learned run that starts here, 8 bytes | CRC-32C
//	m           ->  messages.Metadata                                              | CRC-32C
//	p position  ->  record                                                         | CRC-32C
//
// Those of a log with a name have its number, one byte, in front, and before that an n; its records have a q there instead of n and p:
//
//	n number m  ->  messages.Metadata                                              | CRC-32C
//	q number position  ->  record                                                  | CRC-32C
//
// So what all logs write again and again lies together, and the records of each log lie together; see apart.
//
// A record is one byte for the kind of its value (0 where nothing was accepted), three numbers as encoding/binary writes a
// Uvarint (the promised proposal, the performed one, and what a TRUNCATE keeps, 0 else), and to its end the bytes of the value.
// Where the entry is of a session, 128 is added to the kind, and the session, 16 bytes, and the entry's number in it, another
// Uvarint, are before the bytes.
//
// The checksum covers key and value, so that a value under the wrong key is found too. Pebble has checksums of its own,
// on blocks; ours also covers what happens to the bytes between here and there. A checksum does not tell that a value is
// gone. Pebble drops the end of a log, or of its list of tables, that it cannot read; the marks tell what must be there.
//
// Damage does not stop at being found: Open puts a new directory in the place of a damaged one where it may; see condemn.
// Where only records are damaged whose positions are learned, they are written anew while the store goes on; see damages.
// Pebble expects its process to end at the first write that fails. Here that ends the store instead: see fault and fence.
package disk

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/storage"
)

// Options say where the disk is and whose it must be.
type Options struct {
	Dir string // the data directory
	FS  vfs.FS // nil: the operating system's

	// Who opens it. An existing directory of anybody else is refused (storage.ErrForeign). With ReadOnly, what is left
	// out is not compared.
	Cluster string
	Replica log.ReplicaID
	Members []log.ReplicaID // in order

	Log string // the log that Open, Initialize and Build mean; empty: the one without a name. OpenEngine opens none

	Create   bool          // make the directory, and the log, where there is none; else storage.ErrNotFound
	ReadOnly bool          // change nothing, not even the count of boots; every change is an error
	Repair   bool          // replace a directory that is damaged and known to be this replica's; with Create only
	Scrub    bool          // read everything once in the background, and fail where something is damaged
	Mend     bool          // have damaged records of learned positions mended by the owner, see Damaged, instead of failing
	Random   func() uint64 // draws the id of a new disk; nil: the system's randomness

	Logger zerolog.Logger
	// OnFatal is called at most once, on a goroutine of its own, when an open store fails: it then returns an error
	// that wraps storage.ErrFailed or storage.ErrCorrupt from every call. nil: nobody is told but the next caller.
	OnFatal func(error)
}

// Store is a storage.Store in a directory: one log of it.
type Store struct {
	engine    *Engine
	alone     bool // its engine has no other, and ends with it
	name      string
	keys      keys
	options   Options // those of the engine, with what is the log's own
	directory directory
	fault     *fault
	db        *pebble.DB
	worker    *worker // its own: what takes long for one log holds up no other
	reclaim   *reclaimer
	scrub     *scrubber
	readers   *readers
	metadata  storage.Metadata
	kept      atomic.Uint64 // metadata.Begin, for other goroutines
	learned   interval.Set  // what the learned runs on disk say; nothing below metadata.Begin
	damage    damages
	scrubbing atomic.Pointer[scrubber] // scrub, for Pebble's goroutines, if it runs
	coder     coder
	age       atomic.Uint64 // how many syncs made changes durable
	syncs     uint64        // how many have begun
	unsynced  bool          // there are changes after the last one's begin
	running   *running      // the last one; nil before the first
	fresh     bool          // the log was just made: its first start is counted
	closed    bool
}

var _ storage.Store = (*Store)(nil)

// Metadata returns what the replica keeps about itself.
func (s *Store) Metadata() storage.Metadata { return own(s.metadata) }

// Close makes every change of the log durable, and lets the directory go where the store has it for itself. After a failure it makes
// nothing durable; what Pebble was doing may be left behind, with its memory, but does not touch the directory any more. A second Close
// does nothing.
func (s *Store) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	ended, err := s.quiesce()
	s.engine.release(s, ended)
	if s.alone {
		err = errors.Join(err, s.engine.Close())
	}
	return err
}

// quiesce ends all that works on the log. It says whether that has ended; after a failure, what hangs is left behind.
func (s *Store) quiesce() (ended bool, err error) {
	s.reclaim.cancel()
	s.scrub.cancel()
	s.readers.close()
	if s.fault.failed() != nil || !s.fault.await(s.reclaim.done) || !s.fault.await(s.scrub.done) || !s.fault.await(s.readers.gone) {
		return false, nil // the failure was returned, or told to OnFatal, when it happened
	}
	if err := s.syncAll(); err != nil {
		return false, fmt.Errorf("close the disk: %w", classify(full(err, s.options.Dir)))
	}
	s.worker.stop()
	return true, nil
}

// letGo waits until nothing of the store runs any more. It may never return.
func (s *Store) letGo() {
	s.reclaim.end()
	s.scrub.end()
	s.readers.close()
	<-s.readers.gone
	s.worker.stop()
	<-s.worker.done
}

// Size returns how many bytes the directory takes, with all its logs, and how many of them hold the records that are kept of this one. Both
// are estimates, and what was written in the last seconds may be missing in the second. Any goroutine may ask.
func (s *Store) Size() (disk, live uint64, err error) {
	if err := s.fault.failed(); err != nil {
		return 0, 0, err
	}
	var total, kept uint64
	err = s.aside(func() (err error) {
		total = s.db.Metrics().DiskSpaceUsage()
		kept, err = s.db.EstimateDiskUsage(s.keys.record(log.Position(s.kept.Load())), s.keys.end(recordSpace))
		return err
	})
	if errors.Is(err, storage.ErrClosed) {
		return 0, 0, err
	}
	if err != nil { // the read may still be at it, so its results must not be touched
		return 0, 0, fmt.Errorf("measure the disk: %w", s.fault.fail(err))
	}
	return total, kept, nil
}

// enter returns why nothing can be done any more.
func (s *Store) enter() error {
	if s.closed {
		return storage.ErrClosed
	}
	return s.fault.failed()
}

// own copies what a caller might change later.
func own(m storage.Metadata) storage.Metadata {
	m.Members, m.Configuration.Members = slices.Clone(m.Members), slices.Clone(m.Configuration.Members)
	m.Known, m.Heard, m.Founders = slices.Clone(m.Known), slices.Clone(m.Heard), slices.Clone(m.Founders)
	return m
}
