package disk

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/invariant"
	"github.com/quorumlog/quorumlog/log/storage"
)

var errReadOnly = errors.New("the disk was opened to read only")

// SetMetadata replaces what the replica keeps about itself.
func (s *Store) SetMetadata(m storage.Metadata) error {
	invariant.Hold(m.Begin == s.metadata.Begin, "metadata begin at %d, but the log at %d", m.Begin, s.metadata.Begin)
	m = own(m)
	err := s.change(func(b *pebble.Batch) error { return s.setMetadata(b, m) })
	if err != nil {
		return fmt.Errorf("store metadata: %w", err)
	}
	s.metadata = m
	return nil
}

func (s *Store) setMetadata(b *pebble.Batch, m storage.Metadata) error {
	value, err := s.coder.encodeMetadata(m)
	if err != nil {
		return err
	}
	return b.Set(s.keys.key(metadataSpace), value, nil)
}

// Put writes records, all or none of them, each in place of what was there.
func (s *Store) Put(actions ...log.Action) error {
	s.check(actions)
	if len(actions) == 0 {
		return s.enter()
	}
	err := s.change(func(b *pebble.Batch) error { return s.put(b, actions) })
	if err != nil {
		return fmt.Errorf("store %d records at %d: %w", len(actions), actions[0].Position, err)
	}
	return nil
}

func (s *Store) put(b *pebble.Batch, actions []log.Action) error {
	for _, a := range actions {
		key, head := s.coder.recordHead(a)
		d := b.SetDeferred(len(key), recordSize(head, a.Value.Data)) // which saves to copy the bytes once more
		copy(d.Key, key)
		fillRecord(d.Value, key, head, a.Value.Data)
		if err := d.Finish(); err != nil {
			return err
		}
	}
	return nil
}

// check stops the program where a caller writes a position that was truncated: it would rise from the dead.
func (s *Store) check(actions []log.Action) {
	for _, a := range actions {
		invariant.Hold(s.metadata.Begin <= a.Position && a.Position <= log.MaxPosition,
			"record at %d, but the log begins at %d", a.Position, s.metadata.Begin)
	}
}

// Learn marks every position of the range as learned, but for those that are truncated.
func (s *Store) Learn(r log.Range) error {
	r = r.Intersect(log.Range{First: s.metadata.Begin, Last: log.MaxPosition})
	if s.learned.Covers(r) {
		return s.enter()
	}
	run := s.grown(r)
	err := s.change(func(b *pebble.Batch) error {
		for absorbed := range s.learned.Intersect(run).All() {
			if absorbed.First != run.First {
				if err := b.Delete(s.keys.at(learnedSpace, absorbed.First), nil); err != nil {
					return err
				}
			}
		}
		return s.setRun(b, run)
	})
	if err != nil {
		return fmt.Errorf("learn %v: %w", r, err)
	}
	s.learned.Add(r)
	return nil
}

// grown returns the run that r is part of once it is learned: with the runs that it overlaps at its ends, or touches.
func (s *Store) grown(r log.Range) log.Range {
	run := r
	for _, p := range []log.Position{r.First, r.First - 1} {
		if below, found := s.learned.Run(p); found {
			run.First = min(run.First, below.First)
		}
	}
	for _, p := range []log.Position{r.Last, r.Last + 1} {
		if above, found := s.learned.Run(p); found {
			run.Last = max(run.Last, above.Last)
		}
	}
	return run
}

func (s *Store) setRun(b *pebble.Batch, run log.Range) error {
	key := s.keys.at(learnedSpace, run.First)
	return b.Set(key, s.coder.encodeRun(key, run.Last), nil)
}

// Truncate moves Begin to a higher position and drops everything below it. A position that is not higher changes nothing.
func (s *Store) Truncate(begin log.Position) error {
	invariant.Hold(begin <= log.MaxPosition, "truncate to %d, above every position", begin)
	if begin <= s.metadata.Begin {
		return s.enter()
	}
	m := s.metadata
	m.Begin = begin
	err := s.change(func(b *pebble.Batch) error {
		if run, found := s.learned.Run(begin); found { // it may have begun lower
			if err := s.setRun(b, log.Range{First: begin, Last: run.Last}); err != nil {
				return err
			}
		}
		return errors.Join(s.setMetadata(b, m), s.forgetDamaged(b, log.Range{First: 1, Last: begin - 1}),
			b.DeleteRange(s.keys.record(0), s.keys.record(begin), nil),
			b.DeleteRange(s.keys.at(learnedSpace, 0), s.keys.at(learnedSpace, begin), nil))
	})
	if err != nil {
		return fmt.Errorf("truncate to %d: %w", begin, err)
	}
	s.metadata = m
	s.kept.Store(uint64(m.Begin))
	s.damage.remove(log.Range{First: 1, Last: begin - 1})
	s.learned.Remove(log.Range{First: 1, Last: begin - 1})
	s.reclaim.below(begin)
	return nil
}

// change applies one batch, which is visible at once and durable after the next sync.
func (s *Store) change(fill func(*pebble.Batch) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.options.ReadOnly {
		return errReadOnly
	}
	b, err := s.batch(fill)
	if err != nil {
		return err
	}
	s.unsynced = true
	if err := s.worker.do(func() error { return s.db.Apply(b, pebble.NoSync) }); err != nil {
		return s.fault.fail(err)
	}
	return b.Close()
}

// mostRetained is up to how many bytes the memory of a batch is used again by the next one: somewhat more than the largest
// run of values needs. A batch that has to grow copies all that it has.
const mostRetained = 4 << 20

// batch returns a batch with changes in it. It is to be closed by whoever has applied it; after a failure Pebble may keep it.
func (s *Store) batch(fill func(*pebble.Batch) error) (*pebble.Batch, error) {
	b := s.db.NewBatch(pebble.WithMaxRetainedSizeBytes(mostRetained))
	if err := fill(b); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Condemn fails the store for what its owner knows of it. The note of that keeps the next process from using the directory,
// whose files stay as they are, and where it may, has it replaced.
func (s *Store) Condemn(why string) error {
	return s.fault.fail(fmt.Errorf("%w: %s", storage.ErrCorrupt, why))
}
