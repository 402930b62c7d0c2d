package disk

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/invariant"
	"github.com/quorumlog/quorumlog/log/storage"
)

// noteDamage makes durable which positions are damaged, and with it that they are learned, before anything is done about it:
// a process that ends meanwhile leaves the note, and the next one goes on.
func (s *Store) noteDamage(r log.Range) error {
	set := s.damage.set().Clone()
	set.Add(r.Intersect(log.Range{First: s.metadata.Begin, Last: log.MaxPosition}))
	b, err := s.batch(func(b *pebble.Batch) error { return errors.Join(s.setDamaged(b, set), s.spare(b, r.First)) })
	if err == nil {
		err = s.worker.do(func() error { return s.db.Apply(b, pebble.Sync) })
	}
	if err != nil {
		return fmt.Errorf("note the damage: %w", err)
	}
	s.damage.excised.Remove(r)
	s.damage.replace(set)
	return b.Close()
}

// setDamaged replaces the damaged runs on the disk.
func (s *Store) setDamaged(b *pebble.Batch, set interval.Set) error {
	if set.Empty() && s.damage.set().Empty() {
		return nil
	}
	if err := b.DeleteRange(s.keys.at(damagedSpace, 0), s.keys.end(damagedSpace), nil); err != nil {
		return err
	}
	for run := range set.All() {
		key := s.keys.at(damagedSpace, run.First)
		if err := b.Set(key, s.coder.encodeRun(key, run.Last), nil); err != nil {
			return err
		}
	}
	return nil
}

// forgetDamaged has nothing damaged in a range that is truncated.
func (s *Store) forgetDamaged(b *pebble.Batch, r log.Range) error {
	truncated := interval.Of(r)
	if s.damage.set().Empty() {
		return nil
	}
	return errors.Join(s.setDamaged(b, s.damage.set().Minus(truncated)), s.drop(b, truncated))
}

// Mend writes the records of damaged positions anew.
func (s *Store) Mend(actions ...log.Action) error {
	if err := s.enter(); err != nil {
		return err
	}
	s.check(actions)
	runs := interval.Set{}
	for _, a := range actions {
		run, found := s.damage.set().Run(a.Position)
		invariant.Hold(found, "the record at %d is not damaged, and is to be mended", a.Position)
		if err := s.excise(run); err != nil {
			return fmt.Errorf("mend %v: %w", run, err)
		}
		runs.Add(run)
	}
	spared, err := s.spared(runs)
	if err != nil {
		return fmt.Errorf("mend %v: %w", runs, s.fault.fail(err))
	}
	actions = append(spared, actions...) // where there are both they are the same
	set := s.damage.set().Clone()
	for _, a := range actions {
		set.Remove(log.Range{First: a.Position, Last: a.Position})
	}
	err = s.change(func(b *pebble.Batch) error {
		return errors.Join(s.put(b, actions), s.setDamaged(b, set), s.drop(b, runs))
	})
	if err != nil {
		return fmt.Errorf("mend %d records: %w", len(actions), err)
	}
	s.damage.replace(set)
	return nil
}

// excise cuts a damaged run out of the tables, once. Where Pebble cannot, since it has to read what is damaged to know where to
// cut, the store fails as it does where votes are lost.
func (s *Store) excise(run log.Range) error {
	if s.damage.excised.Covers(run) {
		return nil
	}
	span := pebble.KeyRange{Start: s.keys.record(run.First), End: s.keys.above(run.Last)}
	if run.First == s.metadata.Begin {
		span.Start = s.keys.record(0) // what was truncated is not needed either
	}
	err := s.worker.do(func() error { return s.cut(span) })
	if isCorrupt(err) {
		err = fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
	}
	if err != nil {
		return s.fault.fail(fmt.Errorf("cut the damaged records at %v out: %w", run, err))
	}
	s.damage.excised.Add(run)
	return nil
}

// cut removes keys from all tables, without a look at what is between them. Who reads beside meets what is damaged before it, and
// a gap after it: the count that goes first tells it.
func (s *Store) cut(span pebble.KeyRange) error {
	s.damage.cuts.Add(1)
	return s.db.Excise(context.Background(), span)
}
