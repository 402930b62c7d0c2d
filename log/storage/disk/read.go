package disk

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/storage"
)

// Get returns the record of one position.
func (s *Store) Get(p log.Position) (log.Action, bool, error) {
	if err := s.enter(); err != nil {
		return log.Action{}, false, err
	}
	if damaged := s.damage.known(log.Range{First: p, Last: p}); damaged != nil {
		return log.Action{}, false, fmt.Errorf("read position %d: %w", p, damaged)
	}
	a, found, err := s.get(p)
	if err != nil {
		return log.Action{}, false, fmt.Errorf("read position %d: %w", p, s.suffered(p, err))
	}
	return a, found, nil
}

func (s *Store) get(p log.Position) (log.Action, bool, error) {
	key := s.keys.record(p)
	var a log.Action
	found, err := s.look(key, func(value []byte) (err error) {
		a, err = s.decode(key, value)
		return err
	})
	if !found || err != nil {
		return log.Action{}, false, err
	}
	return a, true, nil
}

// view is look for what the store cannot do without.
func (s *Store) view(key []byte, use func(value []byte) error) (found bool, err error) {
	found, err = s.look(key, use)
	if pebble.IsCorruptionError(err) {
		err = s.fault.fail(err)
	}
	return found, err
}

// look has what is under a key used, if there is anything, and returns the error of that.
func (s *Store) look(key []byte, use func(value []byte) error) (found bool, err error) {
	err = s.aside(func() error {
		value, closer, err := s.db.Get(key)
		if errors.Is(err, pebble.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		return errors.Join(use(value), closer.Close())
	})
	if err != nil {
		return false, err
	}
	return found, nil
}

// decode returns a record that is the caller's to keep.
func (s *Store) decode(key, value []byte) (log.Action, error) {
	a, err := decodeRecord(key, value)
	a.Value.Data = bytes.Clone(a.Value.Data)
	a.Learned = err == nil && s.learned.Contains(a.Position)
	return a, err
}

// Scan calls visit for the records in the range, in the order of positions, until visit returns false.
func (s *Store) Scan(r log.Range, visit func(log.Action) bool) error {
	if err := s.enter(); err != nil {
		return err
	}
	if r.Empty() {
		return nil
	}
	t := tracker{next: r.First}
	err := s.walk(sound(s.damage.set(), r), func(i *pebble.Iterator) error {
		for ok := i.First(); ok && s.fault.failed() == nil; ok = i.Next() {
			a, err := s.record(i)
			if err != nil || !t.visited(visit(a), a.Position) {
				return err
			}
		}
		return s.fault.failed()
	})
	if err != nil {
		err = s.suffered(t.next, err)
	} else if !t.ended {
		err = s.damage.known(r)
	}
	if err != nil {
		return fmt.Errorf("read positions %v: %w", r, err)
	}
	return nil
}

// walk is iterate for the records of a range, which may be empty.
func (s *Store) walk(r log.Range, walk func(*pebble.Iterator) error) error {
	if r.Empty() {
		return nil
	}
	return s.iterate(s.keys.record(r.First), s.keys.above(r.Last), walk)
}

// tracker notes how far a read has come.
type tracker struct {
	next  log.Position // all below was read
	ended bool         // whoever reads has enough
}

func (t *tracker) visited(more bool, p log.Position) bool {
	t.next, t.ended = p+1, !more
	return more
}

// Summary returns the positions that are on disk. It leaves the learned runs out, so its time is that of the rest.
func (s *Store) Summary() (storage.Summary, error) {
	if err := s.enter(); err != nil {
		return storage.Summary{}, err
	}
	var unlearned interval.Set
	var err error
	for _, gap := range s.learned.Complement(log.Range{First: s.metadata.Begin, Last: log.MaxPosition}).Runs() {
		err = s.walk(gap, func(i *pebble.Iterator) error {
			for ok := i.First(); ok; ok = i.Next() {
				a, err := s.record(i)
				if err != nil {
					return err
				}
				unlearned.Add(log.Range{First: a.Position, Last: a.Position})
			}
			return nil
		})
		if err != nil {
			break
		}
	}
	if err != nil {
		return storage.Summary{}, fmt.Errorf("summarize the log: %w", s.fault.fail(err))
	}
	return storage.Summary{Learned: s.learned.Clone(), Unlearned: unlearned}, nil
}

// record returns the record that the iterator is at.
func (s *Store) record(i *pebble.Iterator) (log.Action, error) {
	value, err := i.ValueAndErr()
	if err != nil {
		return log.Action{}, err
	}
	return s.decode(i.Key(), value)
}

// iterate is the function of that name, on a goroutine that can be left behind.
func (s *Store) iterate(from, to []byte, walk func(*pebble.Iterator) error) error {
	return s.aside(func() error { return iterate(s.db, from, to, walk) })
}

// iterate walks over the keys from one up to, but not including, another.
func iterate(db *pebble.DB, from, to []byte, walk func(*pebble.Iterator) error) (err error) {
	i, err := db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }() // deferred: visit may panic, and an open iterator would hold the disk
	if err := walk(i); err != nil {
		return err
	}
	return i.Error()
}
