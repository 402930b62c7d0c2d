package disk

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/storage"
)

// damages is what is known of records that are not what was written.
//
//	a read fails ─▶ suspected ─▶ examined: from where to where? ── all of it is learned ──▶ damaged, which is durable
//	                                                            └─ a vote is among it ────▶ the store fails
//	damaged ─▶ Mend: its keys are excised ─▶ written anew, some at a time, until nothing of it is damaged
//
// Pebble's checksum is over a block, so one bit makes all records of a block unreadable, and newer records above it do not help:
// an iterator still reads the block. An excision does: it cuts the keys out of the table without reading what is between them.
type damages struct {
	damaged  atomic.Pointer[interval.Set] // is replaced, never changed; nil for nothing
	excised  interval.Set                 // of these, what this process has excised; the owner's
	cuts     atomic.Uint64                // excisions that have begun
	lock     sync.Mutex
	suspects []suspect // what readers found
}

// suspect is a read that failed.
type suspect struct {
	at  log.Position // all was read below it where it began
	err error
}

const (
	// maxSuspects is how many of them wait; what comes beyond that is found again.
	maxSuspects = 64
	// examined is how many records are read to find the damage that a read has met: it was the next one. It is also how many
	// positions at most are damaged at once, in each direction: what is of more is no block, but what leads to the blocks.
	examined = 4096
)

func (d *damages) set() interval.Set {
	if set := d.damaged.Load(); set != nil {
		return *set
	}
	return interval.Set{}
}

func (d *damages) replace(set interval.Set) { d.damaged.Store(&set) }

func (d *damages) remove(r log.Range) {
	set := d.set().Clone()
	set.Remove(r)
	d.replace(set)
}

// sound is the part of a range before the first damaged position of a set.
func sound(damaged interval.Set, r log.Range) log.Range {
	if first, found := damaged.Intersect(r).First(); found {
		r.Last = first - 1
	}
	return r
}

// known returns the damage that is known in a range; nil for none.
func (d *damages) known(r log.Range) error { return damageIn(d.set(), r) }

// damageIn returns the first damage of a set in a range; nil for none.
func damageIn(set interval.Set, r log.Range) error {
	in := set.Intersect(r)
	if in.Empty() {
		return nil
	}
	return storage.Damage{Range: in.Runs()[0], Err: fmt.Errorf("%w: they are to be written anew", storage.ErrCorrupt)}
}

// suspect notes a read that failed. Any goroutine may.
func (d *damages) suspect(at log.Position, err error) {
	d.lock.Lock()
	defer d.lock.Unlock()
	if len(d.suspects) < maxSuspects {
		d.suspects = append(d.suspects, suspect{at, err})
	}
}

func (d *damages) takeSuspects() []suspect {
	d.lock.Lock()
	defer d.lock.Unlock()
	all := d.suspects
	d.suspects = nil
	return all
}

func isCorrupt(err error) bool {
	return errors.Is(err, storage.ErrCorrupt) || pebble.IsCorruptionError(err)
}

// suspected is what a read beside the owner returns that failed.
func (s *Store) suspected(at log.Position, err error) error {
	if !s.engine.mendable(err) {
		return s.fault.fail(err)
	}
	s.damage.suspect(at, err)
	return storage.Damage{Range: log.Range{First: at, Last: at}, Err: fmt.Errorf("%w: %w", storage.ErrCorrupt, err)}
}

// suffered is what a read of the owner returns that failed.
func (s *Store) suffered(at log.Position, err error) error {
	if !s.engine.mendable(err) {
		return s.fault.fail(err)
	}
	damaged, found, failed := s.examine(suspect{at, err})
	if failed != nil {
		return failed
	}
	if !found {
		return s.fault.fail(err)
	}
	return storage.Damage{Range: damaged, Err: fmt.Errorf("%w: %w", storage.ErrCorrupt, err)}
}

// Damaged returns the learned positions whose records cannot be read.
func (s *Store) Damaged() (interval.Set, error) {
	if err := s.enter(); err != nil {
		return interval.Set{}, err
	}
	for _, found := range s.damage.takeSuspects() {
		if found.at < s.metadata.Begin || s.damage.set().Contains(found.at) {
			continue // it was truncated since, or others have found it too
		}
		if _, _, err := s.examine(found); err != nil { // where nothing is found it was mended since, or is read right now
			return interval.Set{}, err
		}
	}
	return s.damage.set(), nil
}

// examine finds what is damaged where a read failed, and makes a note of it. Where a record is among it whose position is not
// learned, a vote is lost, and nobody else knows it: the store fails.
func (s *Store) examine(found suspect) (r log.Range, is bool, err error) {
	r, is, err = s.extent(found.at)
	switch {
	case err != nil:
	case !is:
		return log.Range{}, false, nil
	case !s.learned.Covers(r.Intersect(log.Range{First: s.metadata.Begin, Last: log.MaxPosition})):
		err = fmt.Errorf("of the positions %v not all are learned: %w", r, found.err)
	default:
		err = s.noteDamage(r)
	}
	if err != nil {
		return log.Range{}, false, s.fault.fail(fmt.Errorf("%w: records from %d on are damaged: %w", storage.ErrCorrupt, found.at, err))
	}
	return r, true, nil
}

// extent returns the positions around the first record from some position on that cannot be read, and false where all can that
// a read would have come to. Any goroutine may ask.
//
// The one before them is among them: to cut at the first key of a block, Pebble would read that block. See spare.
func (s *Store) extent(from log.Position) (r log.Range, found bool, err error) {
	from = max(from, log.Position(s.kept.Load()))
	next, err := s.firstUnreadable(from)
	if next == 0 || err != nil {
		return log.Range{}, false, err
	}
	r = log.Range{First: next, Last: next}
	if next == from {
		r.First, err = s.readableBound(next, false)
	} else {
		r.First--
	}
	if err != nil {
		return log.Range{}, false, err
	}
	upper, err := s.readableBound(next, true)
	r.Last = max(next, upper-1)
	return r, true, err
}

// firstUnreadable returns the position after the last one that can be read from one on; 0 where all can.
func (s *Store) firstUnreadable(from log.Position) (log.Position, error) {
	t := tracker{next: from}
	n := 0
	err := s.walk(log.Range{First: from, Last: log.MaxPosition}, func(i *pebble.Iterator) error {
		return s.visit(i, func(a log.Action) bool {
			n++
			return t.visited(n < examined, a.Position)
		})
	})
	if isCorrupt(err) && s.fault.failed() == nil {
		return t.next, nil
	}
	return 0, err
}

// readableBound returns the first position that can be read next to ones that cannot, above or below one of these, or where what is
// kept ends there. It goes one by one, so that no record that can be read is taken for a damaged one.
func (s *Store) readableBound(bad log.Position, upwards bool) (log.Position, error) {
	begin := log.Position(s.kept.Load())
	for at, n := bad, 0; n < examined; n++ {
		if upwards && at == log.MaxPosition || !upwards && at <= begin {
			return at, nil
		}
		if upwards {
			at++
		} else {
			at--
		}
		if ok, err := s.readable(at); ok || err != nil {
			return at, err
		}
	}
	return 0, fmt.Errorf("%w: %d positions around %d cannot be read", storage.ErrCorrupt, examined, bad)
}

// readable says whether a position can be read, also in tables where an older record of it is.
func (s *Store) readable(p log.Position) (bool, error) {
	err := s.walk(log.Range{First: p, Last: p}, func(i *pebble.Iterator) error {
		return s.visit(i, func(log.Action) bool { return true })
	})
	if isCorrupt(err) && s.fault.failed() == nil {
		return false, nil
	}
	return err == nil, err
}
