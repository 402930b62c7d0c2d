package disk

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// Open opens the data directory, and in it one log (Options.Log), and holds the lock until Close. A directory that is new gets an EMPTY
// replica, on a disk that was never seen before; one that exists gets its count of boots raised. Both are durable when Open returns.
// With Options.Repair, one that is damaged is moved aside, and a new one is made in its place: see Replaced.
//
// The error wraps one of storage.ErrNotFound, ErrInUse, ErrForeign, ErrNewerFormat, ErrCorrupt, ErrFailed, or comes from
// the operating system.
func Open(o Options) (*Store, error) {
	return repaired(o, func() (*Store, error) { return open(o) })
}

// repaired opens a directory, and once more where it was damaged and has been replaced.
func repaired[T any](o Options, open func() (*T, error)) (*T, error) {
	opened, err := open()
	var d damagedError
	if errors.As(err, &d) && o.Repair && o.Create && !o.ReadOnly {
		if failed := condemn(o, err); failed != nil {
			err = notReplaced(o.Dir, failed, err)
		} else {
			opened, err = open()
		}
	}
	if err != nil {
		return nil, full(err, o.Dir)
	}
	return opened, nil
}

// open is Open without a repair. Damage may be met at any moment, as Pebble begins with its work in the background at once.
func open(o Options) (*Store, error) {
	s, err := attach(o)
	if err != nil {
		return nil, err
	}
	if err := s.boot(s.armAlone); err != nil {
		return nil, s.engine.giveUp(err)
	}
	return s, nil
}

// Initialize makes the replica VOTING by hand, in a directory that is new or EMPTY. That is safe only for a log that
// never was: see the manual. Any other status is refused.
func Initialize(o Options) error {
	o.Create, o.ReadOnly = true, false
	s, err := attach(o)
	if err != nil {
		return err
	}
	m := s.Metadata()
	if m.Status != status.Empty {
		s.engine.abandon()
		return fmt.Errorf("replica %d in %s is %v, and only an EMPTY one can be initialized: it needs no initialization, start it",
			m.Replica, o.Dir, m.Status)
	}
	m.Status = status.Voting
	m.Incarnation.Generation = 1
	if len(m.Members) == 1 { // more of them do not know each other's disks
		m.Founders = identity.FoundersOf(m.Incarnation)
	}
	if err := errors.Join(s.store(m), s.start(s.armAlone)); err != nil {
		return s.engine.giveUp(err)
	}
	return s.Close()
}

// store makes metadata durable, in one write with the age.
//
// In two writes a crash could leave the first: a start that is counted, and no sync for it. The peers would take the disk for
// one that was rolled back (identity.Process), although nothing was.
func (s *Store) store(m storage.Metadata) error {
	b, err := s.batch(func(b *pebble.Batch) error { return errors.Join(s.setMetadata(b, m), s.setAge(b, s.syncs+1)) })
	if err == nil {
		err = s.worker.do(func() error { return s.db.Apply(b, pebble.Sync) })
	}
	if err != nil {
		return fmt.Errorf("store metadata: %w", s.fault.fail(err))
	}
	s.metadata = own(m)
	s.kept.Store(uint64(m.Begin))
	s.syncs++
	s.age.Store(s.syncs)
	return b.Close()
}

// armAlone is for a store whose engine has no other.
func (s *Store) armAlone() error { return s.fault.arm(s, s.options.OnFatal, s.engine.leaveNote) }

// boot counts the start, unless the log was just made, and has the log's work begin.
func (s *Store) boot(arm func() error) error {
	m := s.Metadata()
	lost := len(m.Members) == 0 // with a directory that was replaced; whoever opens the log first says it again
	if lost {
		m.Members = s.options.Members
	}
	if !s.fresh {
		m.Boot++
	}
	if (lost || !s.fresh) && !s.options.ReadOnly {
		if err := s.store(m); err != nil {
			return fmt.Errorf("count the boot: %w", err)
		}
	}
	return s.start(arm)
}

// start begins with the work in the background, and has failures told from now on. One that was there before is returned
// instead: it may be damage that Open repairs, and what is repaired must not end the process.
func (s *Store) start(arm func() error) error {
	s.reclaim = newReclaimer(s.db, s.keys, s.fault, s.options.Logger)
	if s.metadata.Begin > 1 && !s.options.ReadOnly {
		s.reclaim.below(s.metadata.Begin) // the last process may not have come to it
	}
	s.scrub = s.newScrubber()
	if err := arm(); err != nil {
		return fmt.Errorf("open %s: %w", s.options.Dir, err)
	}
	return nil
}

// become makes a store that was loaded the one that is asked for.
func (s *Store) become(l Log) {
	s.options, s.options.Log = s.engine.options, l.Name
	s.options.OnFatal = l.OnFatal
	if l.Members != nil {
		s.options.Members = l.Members
	}
	if l.Name != "" {
		s.options.Logger = s.options.Logger.With().Str("log", l.Name).Logger()
	}
}

// compare says whether the disk is the one that the options mean.
func (o Options) compare(m storage.Metadata, path string) error {
	const next = "give the data directory of this replica, or an empty one"
	switch {
	case m.Cluster != o.Cluster && !(o.ReadOnly && o.Cluster == ""):
		return fmt.Errorf("%w: %s is of cluster %q, not %q: %s", storage.ErrForeign, path, m.Cluster, o.Cluster, next)
	case m.Replica != o.Replica && !(o.ReadOnly && o.Replica == 0):
		return fmt.Errorf("%w: %s is of replica %d, not %d: %s", storage.ErrForeign, path, m.Replica, o.Replica, next)
	}
	return nil
}

// compareMembers says whether a log is the one that the options mean, as far as its members tell. Those of one that was in a directory
// which was replaced are not known.
func (o Options) compareMembers(m storage.Metadata, path string) error {
	if m.Configuration.Epoch > 0 || len(m.Members) == 0 || slices.Equal(m.Members, o.Members) || o.ReadOnly && o.Members == nil {
		return nil
	}
	return fmt.Errorf("%w: %s was made for the members %v, not %v: start it with those, a log keeps the ids that it began with",
		storage.ErrForeign, path, m.Members, o.Members)
}
