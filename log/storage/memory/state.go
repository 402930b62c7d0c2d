package memory

import (
	"cmp"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/storage"
)

// state is what a disk holds. It knows nothing of syncs and crashes.
type state struct {
	metadata storage.Metadata
	records  []log.Action // in the order of positions, none below metadata.Begin; Learned is always false
	learned  interval.Set // nothing below metadata.Begin
	rotten   interval.Set // positions whose record is damaged
	age      uint64       // how often something was synced

	checkpoint storage.Checkpoint
}

// change is one call that changes a state, so that it can be done again on another one.
type change func(*state)

func (s *state) clone() state {
	return state{s.metadata, slices.Clone(s.records), s.learned.Clone(), s.rotten.Clone(), s.age, s.checkpoint}
}

func (s *state) put(actions []log.Action) {
	for _, a := range actions {
		a.Learned = false
		s.rotten.Remove(log.Range{First: a.Position, Last: a.Position})
		switch at, found := s.find(a.Position); {
		case found:
			s.records[at] = a
		case at == len(s.records):
			s.records = append(s.records, a)
		default:
			s.records = slices.Insert(s.records, at, a)
		}
	}
}

func (s *state) learn(r log.Range) {
	s.learned.Add(r.Intersect(log.Range{First: s.metadata.Begin, Last: log.MaxPosition}))
}

func (s *state) truncate(begin log.Position) {
	s.metadata.Begin = begin
	at, _ := s.find(begin)
	s.records = slices.Clone(s.records[at:]) // a clone, or the dropped records would stay in memory
	s.learned.Remove(log.Range{First: 1, Last: begin - 1})
	s.rotten.Remove(log.Range{First: 1, Last: begin - 1})
}

func (s *state) get(p log.Position) (log.Action, bool) {
	at, found := s.find(p)
	if !found {
		return log.Action{}, false
	}
	return s.record(at), true
}

// record returns the record at an index as a reader sees it.
func (s *state) record(at int) log.Action {
	a := s.records[at]
	a.Learned = s.learned.Contains(a.Position)
	return a
}

func (s *state) summary() storage.Summary {
	var unlearned interval.Set
	for _, a := range s.records {
		if !s.learned.Contains(a.Position) {
			unlearned.Add(log.Range{First: a.Position, Last: a.Position})
		}
	}
	return storage.Summary{Learned: s.learned.Clone(), Unlearned: unlearned}
}

// find returns the index of a position's record, or the one where it would be.
func (s *state) find(p log.Position) (int, bool) {
	if n := len(s.records); n > 0 && s.records[n-1].Position < p {
		return n, false // most writes are at the end
	}
	return slices.BinarySearchFunc(s.records, p, func(a log.Action, p log.Position) int { return cmp.Compare(a.Position, p) })
}
