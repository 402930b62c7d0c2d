package memory

import (
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/invariant"
	"github.com/quorumlog/quorumlog/log/storage"
)

var errRotten = errors.New("the record is not what was written")

// Rot damages the record of a position, also as it is after a crash. Who reads it finds that: where the position is learned it can
// be mended, and else the store fails. Where there is no record, nothing happens.
func (s *Store) Rot(p log.Position) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, is := range []*state{&s.live, &s.durable} {
		if _, found := is.find(p); found {
			is.rotten.Add(log.Range{First: p, Last: p})
		}
	}
}

// Rotten returns the positions whose record is damaged, found or not.
func (s *Store) Rotten() interval.Set { return s.live.rotten.Clone() }

// Settled returns the positions that are learned, also after a crash.
func (s *Store) Settled() interval.Set {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.live.learned.Minus(s.live.learned.Minus(s.durable.learned))
}

func damageOf(r log.Range) error {
	return storage.Damage{Range: r, Err: fmt.Errorf("%w: %w", storage.ErrCorrupt, errRotten)}
}

// Damaged returns the learned positions that were found to be damaged.
func (s *Store) Damaged() (interval.Set, error) {
	if err := s.enter(Change); err != nil {
		return interval.Set{}, fmt.Errorf("look at what is damaged: %w", err)
	}
	s.lock.Lock()
	suspects := s.suspects
	s.suspects = interval.Set{}
	s.lock.Unlock()
	for r := range suspects.All() {
		for p := r.First; p <= r.Last; p++ {
			if err := s.sound(log.Range{First: p, Last: p}); err != nil && !errors.As(err, new(storage.Damage)) {
				return interval.Set{}, err
			}
		}
	}
	for r := range s.damaged.Minus(s.live.learned).All() { // truncated
		s.damaged.Remove(r)
	}
	return s.damaged.Clone(), nil
}

// sound says that no record in a range has rotted, or returns what the first one that has is for its owner.
func (s *Store) sound(r log.Range) error {
	first, found := s.live.rotten.Intersect(r).First()
	if !found {
		return nil
	}
	bad := log.Range{First: first, Last: first}
	if s.live.learned.Contains(first) {
		s.damaged.Add(bad)
		return damageOf(bad)
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.failure == nil {
		s.failure = fmt.Errorf("%w: %w: position %d is not learned", storage.ErrCorrupt, errRotten, first)
	}
	return s.failure
}

// Mend writes the records of damaged positions anew.
func (s *Store) Mend(actions ...log.Action) error {
	for _, a := range actions {
		invariant.Hold(s.damaged.Contains(a.Position), "the record at %d is not damaged, and is to be mended", a.Position)
	}
	err := s.Put(actions...)
	for i := 0; i < len(actions) && err == nil; i++ {
		s.damaged.Remove(log.Range{First: actions[i].Position, Last: actions[i].Position})
	}
	return err
}
