package historytest

import (
	"math/rand/v2"
	"slices"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

// Sample is a history and the logs of the members at its end.
type Sample struct {
	History *history.History
	Logs    []history.Log
}

// Check is the verdict of package history.
func (s *Sample) Check() []history.Violation { return s.History.Check(s.Logs...) }

// views are the logs and what was read.
func (s *Sample) views() []*history.View {
	var views []*history.View
	for i := range s.Logs {
		views = append(views, &s.Logs[i].View)
	}
	for _, o := range s.of(history.Read, history.Succeeded) {
		views = append(views, &o.View)
	}
	return views
}

// of are the operations of a kind that had an outcome.
func (s *Sample) of(kind history.Kind, outcome history.Outcome) []*history.Operation {
	var found []*history.Operation
	for _, o := range s.History.Operations {
		if o.Kind == kind && o.Outcome == outcome {
			found = append(found, o)
		}
	}
	return found
}

// kept are the acknowledged appends that are in the logs of all members.
func (s *Sample) kept() []*history.Operation {
	return slices.DeleteFunc(s.of(history.Append, history.Succeeded), func(o *history.Operation) bool {
		return o.Told.First < s.Logs[0].View.First
	})
}

// everywhere changes the records of everybody.
func (s *Sample) everywhere(change func([]history.Record) []history.Record) {
	s.History.Known = change(s.History.Known)
	for _, v := range s.views() {
		v.Records = change(v.Records)
	}
}

// swap has what is at two positions change places, for everybody.
func (s *Sample) swap(a, b log.Position) {
	s.everywhere(func(records []history.Record) []history.Record {
		for i, r := range records {
			switch r.At {
			case a:
				records[i].At = b
			case b:
				records[i].At = a
			default:
			}
		}
		slices.SortStableFunc(records, func(x, y history.Record) int { return int(x.At) - int(y.At) })
		return records
	})
}

// remove takes an entry out, for everybody.
func (s *Sample) remove(at log.Position) {
	s.everywhere(func(records []history.Record) []history.Record { return without(records, at) })
}

// without replaces an entry by a NOP.
func without(records []history.Record, at log.Position) []history.Record {
	for i, r := range records {
		if r.At == at {
			records[i].Value = log.Value{Kind: log.NOP}
		}
	}
	return records
}

// extend writes a value behind the logs of all members.
func (s *Sample) extend(v log.Value) {
	for i := range s.Logs {
		view := &s.Logs[i].View
		view.Last++
		view.Learned = max(view.Learned, view.Last)
		view.Records = append(view.Records, history.Record{At: view.Last, Value: v})
	}
}

// any is one of some, by chance; false where there is none.
func anyOf[T any](random *rand.Rand, some []T) (T, bool) {
	var none T
	if len(some) == 0 {
		return none, false
	}
	return some[random.IntN(len(some))], true
}

// pair is two of some for which a condition holds, by chance; false where there are no such two.
func pair[T any](random *rand.Rand, some []T, fit func(a, b T) bool) (a, b T, found bool) {
	first, second := random.Perm(len(some)), random.Perm(len(some))
	for _, i := range first {
		for _, j := range second {
			if i != j && fit(some[i], some[j]) {
				return some[i], some[j], true
			}
		}
	}
	return a, b, false
}

// one is an APPEND.
func one(entry string) log.Value { return log.Value{Kind: log.Append, Data: []byte(entry)} }
