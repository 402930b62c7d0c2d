package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strconv"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"

	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/status"
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

// Open opens the data directory, and holds its lock until Close. A directory that is new gets an EMPTY replica, on a disk
// that was never seen before; one that exists gets its count of boots raised. Both are durable when Open returns. With
// Options.Repair, one that is damaged is moved aside, and a new one is made in its place: see Replaced.
//
// The error wraps one of storage.ErrNotFound, ErrInUse, ErrForeign, ErrNewerFormat, ErrCorrupt, ErrFailed, or comes from
// the operating system.
func Open(o Options) (*Store, error) {
	s, err := open(o)
	var d damagedError
	if errors.As(err, &d) && o.Repair && o.Create && !o.ReadOnly {
		if failed := condemn(o, err); failed != nil {
			err = notReplaced(o.Dir, failed, err)
		} else {
			s, err = open(o)
		}
	}
	if err != nil {
		return nil, full(err, o.Dir)
	}
	return s, nil
}

// open is Open without a repair. Damage may be met at any moment, as Pebble begins with its work in the background at once.
func open(o Options) (*Store, error) {
	s, fresh, err := attach(o)
	if err != nil {
		return nil, err
	}
	if !fresh && !o.ReadOnly {
		m := s.Metadata()
		m.Boot++
		if err := s.store(m); err != nil {
			return nil, fmt.Errorf("count the boot: %w", err)
		}
	}
	return s, s.start()
}

// Initialize makes the replica VOTING by hand, in a directory that is new or EMPTY. That is safe only for a log that
// never was: see the manual. Any other status is refused.
func Initialize(o Options) error {
	o.Create, o.ReadOnly = true, false
	s, _, err := attach(o)
	if err != nil {
		return err
	}
	m := s.Metadata()
	if m.Status != status.Empty {
		s.abandon()
		return fmt.Errorf("replica %d in %s is %v, and only an EMPTY one can be initialized: it needs no initialization, start it",
			m.Replica, o.Dir, m.Status)
	}
	m.Status = status.Voting
	m.Incarnation.Generation = 1
	if len(m.Members) == 1 { // more of them do not know each other's disks
		m.Founders = identity.FoundersOf(m.Incarnation)
	}
	if err := s.store(m); err != nil {
		return err
	}
	if err := s.start(); err != nil {
		return err
	}
	return s.Close()
}

// store makes metadata durable, in one write with the age. Where that fails, the store is gone.
//
// In two writes a crash could leave the first: a start that is counted, and no sync for it. The peers would take the disk for
// one that was rolled back (identity.Process), although nothing was.
func (s *Store) store(m storage.Metadata) error {
	b, err := s.batch(func(b *pebble.Batch) error {
		return errors.Join(s.setMetadata(b, m), b.Set(ageKey(), s.coder.encodeAge(s.syncs+1), nil))
	})
	if err == nil {
		err = s.worker.do(func() error { return s.db.Apply(b, pebble.Sync) })
	}
	if err != nil {
		return s.giveUp(fmt.Errorf("store metadata: %w", s.fault.fail(err)))
	}
	s.metadata = own(m)
	s.kept.Store(uint64(m.Begin))
	s.syncs++
	s.age.Store(s.syncs)
	return b.Close()
}

// start begins with the work in the background, and has failures told from now on. One that was there before is returned
// instead: it may be damage that Open repairs, and what is repaired must not end the process.
func (s *Store) start() error {
	s.reclaim = newReclaimer(s.db, s.fault, s.options.Logger)
	if s.metadata.Begin > 1 && !s.options.ReadOnly {
		s.reclaim.below(s.metadata.Begin) // the last process may not have come to it
	}
	s.scrub = s.newScrubber()
	if err := s.fault.arm(s.options.OnFatal, s.leaveNote); err != nil {
		return s.giveUp(fmt.Errorf("open %s: %w", s.options.Dir, err))
	}
	return nil
}

// leaveNote tells the next store on the directory what this one failed of. It is worth a try, no more.
func (s *Store) leaveNote(why error) {
	if s.options.ReadOnly {
		return
	}
	if err := s.directory.leaveNote(why); err != nil {
		s.options.Logger.Warn().Err(err).Msg("what the disk failed of could not be written down")
	}
}

// create makes the data directory. It is complete only at the very end, so that a crash before leaves one to be made.
func (s *Store) create(d directory) error {
	if err := d.start(); err != nil {
		return err
	}
	if err := d.createMarks(); err != nil {
		return err
	}
	if err := s.openPebble(d, making); err != nil {
		return err
	}
	replacement, err := d.replaces()
	if err != nil {
		return err
	}
	if err := s.begin(replacement); err != nil {
		return err
	}
	if err := d.finish(s.options.label()); err != nil {
		return err
	}
	s.replacement = replacement
	return nil
}

// begin makes the metadata of a new disk durable.
func (s *Store) begin(r Replacement) error {
	random, makeMetadata := s.options.Random, storage.Fresh
	if random == nil {
		random = rand.Uint64
	}
	if r.Aside != "" {
		makeMetadata = storage.Replacement
	}
	s.metadata = makeMetadata(storage.Metadata{
		Cluster: s.options.Cluster, Replica: s.options.Replica, Members: slices.Clone(s.options.Members),
	}, random())
	if err := s.SetMetadata(s.metadata); err != nil {
		return err
	}
	if err := s.Sync(); err != nil {
		return err
	}
	// Pebble makes the first log in its oldest format; a flush makes it start the next one, in ours.
	if err := s.worker.do(s.db.Flush); err != nil {
		return fmt.Errorf("flush the new disk: %w", s.fault.fail(err))
	}
	return nil
}

// load opens a data directory that exists, and reads what the store keeps in memory.
func (s *Store) load(d directory) error {
	damaged, err := s.identify(d)
	if err != nil {
		return err
	}
	if err := s.loadMetadata(d); err != nil {
		return err
	}
	s.ours = true
	if damaged != nil {
		return fmt.Errorf("%w: %s: %w", storage.ErrCorrupt, d.path, damaged)
	}
	if err := s.loadRuns(); err != nil {
		return err
	}
	if s.options.ReadOnly {
		return nil
	}
	return s.settle(d)
}

// identify reads, before Pebble is let in, whose directory it is, and what the process before says of it. A label that is
// damaged is returned apart: the metadata may still tell whose it is.
func (s *Store) identify(d directory) (damaged, err error) {
	l, err := d.readLabel(completeFile)
	if errors.Is(err, errDamaged) {
		damaged, err = err, nil
	} else if err == nil {
		s.ours, err = s.options.checkLabel(l, d.path)
	}
	if err != nil {
		return nil, err
	}
	if s.note, err = d.readNote(); err != nil {
		return nil, err
	}
	if s.note.kind == noteCorrupt && s.ours && !s.options.ReadOnly { // before Pebble changes what may be looked at later
		return nil, s.note.err(d.path)
	}
	return damaged, nil
}

// settle heeds what the last process says of the disk, and lets go of what is not needed any more.
func (s *Store) settle(d directory) error {
	if err := s.heed(d, s.note); err != nil {
		return err
	}
	if s.metadata.Status == status.Voting {
		if err := d.prune(); err != nil {
			s.options.Logger.Warn().Err(err).Msg("an older damaged directory stays")
		}
	}
	return nil
}

// loadMetadata opens the database, and reads whose it is.
func (s *Store) loadMetadata(d directory) error {
	if err := d.checkFormat(); err != nil {
		return err
	}
	how := changing
	if s.options.ReadOnly {
		how = reading
	}
	if err := s.openPebble(d, how); err != nil {
		return err
	}
	var m storage.Metadata
	found, err := s.view(metadataKey(), func(value []byte) (err error) {
		m, err = decodeMetadata(value)
		return err
	})
	if err != nil {
		return fmt.Errorf("read metadata in %s: %w", d.path, err)
	}
	if !found {
		return fmt.Errorf("%w: %s has no metadata", storage.ErrCorrupt, d.path)
	}
	s.metadata = m
	s.kept.Store(uint64(m.Begin))
	if err := s.loadAge(); err != nil {
		return fmt.Errorf("read the age of %s: %w", d.path, err)
	}
	return s.options.compare(s.metadata, d.path)
}

// loadRuns reads which positions are learned, and which of them are damaged.
func (s *Store) loadRuns() (err error) {
	if s.learned, err = s.runs(learnedSpace); err != nil {
		return fmt.Errorf("read learned runs: %w", s.fault.fail(err))
	}
	damaged, err := s.runs(damagedSpace)
	if err != nil {
		return fmt.Errorf("read damaged runs: %w", s.fault.fail(err))
	}
	if !damaged.Empty() && !s.options.Mend && !s.options.ReadOnly {
		return fmt.Errorf("%w: the records at %v were damaged, and nobody could give them again", storage.ErrCorrupt, damaged)
	}
	s.damage.replace(damaged)
	return nil
}

// runs reads the runs of positions in a space of keys.
func (s *Store) runs(space byte) (set interval.Set, err error) {
	err = s.iterate(positionKey(space, 0), []byte{space + 1}, func(i *pebble.Iterator) error {
		for ok := i.First(); ok; ok = i.Next() {
			value, err := i.ValueAndErr()
			if err != nil {
				return err
			}
			run, err := decodeRun(i.Key(), value)
			if err != nil {
				return err
			}
			set.Add(run)
		}
		return nil
	})
	return set, err
}

// opening says what is expected of the database, and what may be done to it.
type opening uint8

const (
	making   opening = iota // there is none
	changing                // there is one
	reading                 // there is one, and it stays as it is
)

// openPebble has the worker do it, because that may end in Fatalf. The marks come first: Pebble cuts off what it cannot
// read, and removes the files that it does not know.
func (s *Store) openPebble(d directory, how opening) (err error) {
	if s.marks, err = d.openMarks(how == reading); err != nil {
		return fmt.Errorf("open %s: %w", d.path, s.fault.fail(err))
	}
	err = s.worker.do(func() (err error) {
		s.db, err = pebble.Open(d.path, s.pebble(d, how))
		return unfit(err)
	})
	if err != nil {
		return fmt.Errorf("open %s: %w", d.path, s.fault.fail(err))
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

func (s *Store) pebble(d directory, how opening) *pebble.Options {
	o := &pebble.Options{
		FS: &fence{d.fs, s.fault, s.marks}, FormatMajorVersion: pebbleFormat,
		// A database that lost its marker would be taken for a new one, and its tables for rubbish.
		ReadOnly: how == reading, ErrorIfExists: how == making, ErrorIfNotExists: how != making,
		CacheSize: cacheSize, MemTableSize: memTableSize,
		L0CompactionThreshold: 2 * compactAt, L0StopWritesThreshold: 2 * compactAt, // Pebble begins at half of the first, and waits at all of the second
		Logger: logger{s.options.Logger, s.fault}, EventListener: s.listener(),
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

// compare says whether the disk is the one that the options mean.
func (o Options) compare(m storage.Metadata, path string) error {
	const next = "give the data directory of this replica, or an empty one"
	switch {
	case m.Cluster != o.Cluster && !(o.ReadOnly && o.Cluster == ""):
		return fmt.Errorf("%w: %s is of cluster %q, not %q: %s", storage.ErrForeign, path, m.Cluster, o.Cluster, next)
	case m.Replica != o.Replica && !(o.ReadOnly && o.Replica == 0):
		return fmt.Errorf("%w: %s is of replica %d, not %d: %s", storage.ErrForeign, path, m.Replica, o.Replica, next)
	case m.Configuration.Epoch == 0 && !slices.Equal(m.Members, o.Members) && !(o.ReadOnly && o.Members == nil):
		return fmt.Errorf("%w: %s was made for the members %v, not %v: start it with those, a log keeps the ids that it began with",
			storage.ErrForeign, path, m.Members, o.Members)
	}
	return nil
}
