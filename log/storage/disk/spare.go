package disk

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
)

// The record before damaged ones is cut out with them (see extent), though it can be read. It may be the last one that there is of
// its position, since no other member need have it: who has what was damaged has others. So it is kept apart, from before the cut
// until it is written anew with whatever of the run is mended first.

// spare keeps the record of a position apart, if it can be read.
func (s *Store) spare(b *pebble.Batch, p log.Position) error {
	a, found, err := s.get(p)
	if isCorrupt(err) || err == nil && (!found || !a.Learned) {
		return nil
	}
	if err != nil {
		return err
	}
	key := s.keys.at(sparedSpace, p)
	_, head := s.coder.recordHead(a)
	return b.Set(key, fillRecord(nil, key, head, a.Value.Data), nil)
}

// spared returns the records of some damaged runs that were kept apart.
func (s *Store) spared(runs interval.Set) (actions []log.Action, err error) {
	for run := range runs.All() {
		err := s.iterate(s.keys.at(sparedSpace, run.First), s.keys.at(sparedSpace, run.Last+1), func(i *pebble.Iterator) error {
			for ok := i.First(); ok; ok = i.Next() {
				a, err := s.record(i)
				if err != nil {
					return err
				}
				actions = append(actions, a)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return actions, nil
}

// drop removes what was kept apart of some runs.
func (s *Store) drop(b *pebble.Batch, runs interval.Set) error {
	for run := range runs.All() {
		if err := b.DeleteRange(s.keys.at(sparedSpace, run.First), s.keys.at(sparedSpace, run.Last+1), nil); err != nil {
			return err
		}
	}
	return nil
}
