package historytest

import (
	"math/rand/v2"
	"slices"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

// readMutations spoil what was read.
func readMutations() []Mutation {
	return []Mutation{
		{"a read leaves an entry out", history.Reads, true, func(r *rand.Rand, s *Sample) bool {
			o, i, found := s.shown(r)
			if found {
				o.View.All, o.View.Records = false, slices.Delete(o.View.Records, i, i+1)
			}
			return found
		}},
		{"a read of a hole", history.Reads, true, func(r *rand.Rand, s *Sample) bool {
			o, i, found := s.shown(r)
			if found {
				o.View.Records[i].Value = log.Value{Kind: log.NOP}
			}
			return found
		}},
		{"a read shows another entry", history.Reads, true, func(r *rand.Rand, s *Sample) bool {
			o, i, found := s.shown(r)
			if found {
				o.View.Records[i].Value = one("another")
			}
			return found
		}},
		{"a read shows what is begun later", history.Order, true, func(r *rand.Rand, s *Sample) bool {
			o, i, found := s.shown(r)
			if found {
				by := s.writer(string(o.View.Records[i].Value.Data))
				o.Return = by.Call - 1
				o.Call = min(o.Call, o.Return)
			}
			return found
		}},
		{"a read shows what is truncated", history.Reads, false, func(r *rand.Rand, s *Sample) bool {
			o, _, found := s.shown(r)
			if found {
				o.View.Begin = o.View.First + 1
			}
			return found
		}},
	}
}

// readerMutations spoil what a reader was told of the log.
func readerMutations() []Mutation {
	return []Mutation{
		{"a read shows what its member does not have", history.Reads, false, func(r *rand.Rand, s *Sample) bool {
			o, _, found := s.shown(r)
			if found {
				o.View.Learned = o.View.Last - 1
			}
			return found && o.View.Learned > 0
		}},
		{"a read tells a begin that nobody had asked for", history.Truncations, false, func(r *rand.Rand, s *Sample) bool {
			o, found := anyOf(r, s.of(history.Read, history.Succeeded))
			if found {
				o.View.Begin = s.mostTo() + 2
			}
			return found
		}},
		{"a reader can read less than before", history.Monotone, false, func(r *rand.Rand, s *Sample) bool {
			a, b, found := s.successive(r)
			if found {
				a.View.Learned = b.View.Learned + 1
			}
			return found
		}},
		{"a catch-up misses what was acknowledged", history.Current, true, func(r *rand.Rand, s *Sample) bool {
			return s.miss(r, s.of(history.Catchup, history.Succeeded))
		}},
		{"a linearizable read misses what was acknowledged", history.Current, true, func(r *rand.Rand, s *Sample) bool {
			return s.miss(r, slices.DeleteFunc(s.of(history.Read, history.Succeeded), func(o *history.Operation) bool {
				return !o.Linearizable || o.View.Learned == 0
			}))
		}},
	}
}

// shown is a read that shows entries, and the index of one of them.
func (s *Sample) shown(r *rand.Rand) (*history.Operation, int, bool) {
	isEntry := func(r history.Record) bool { return r.Value.Kind == log.Append }
	o, found := anyOf(r, slices.DeleteFunc(s.of(history.Read, history.Succeeded), func(o *history.Operation) bool {
		return !slices.ContainsFunc(o.View.Records, isEntry)
	}))
	if !found {
		return nil, 0, false
	}
	for {
		if i := r.IntN(len(o.View.Records)); isEntry(o.View.Records[i]) {
			return o, i, true
		}
	}
}

// writer is who appended an entry.
func (s *Sample) writer(entry string) *history.Operation {
	i := slices.IndexFunc(s.History.Operations, func(o *history.Operation) bool { return slices.Contains(o.Entries, entry) })
	return s.History.Operations[i]
}

// successive are two reads of one reader of which the first was over before the second began, and which both were told how
// far it could read.
func (s *Sample) successive(r *rand.Rand) (a, b *history.Operation, found bool) {
	return pair(r, s.of(history.Read, history.Succeeded), func(a, b *history.Operation) bool {
		return a.Reader == b.Reader && a.Return < b.Call && a.View.Learned > 0 && b.View.Learned > 0
	})
}

// miss takes from what an operation was told what had been acknowledged before its call.
func (s *Sample) miss(r *rand.Rand, some []*history.Operation) bool {
	acknowledged := slices.Concat(s.of(history.Append, history.Succeeded), s.of(history.Truncate, history.Succeeded))
	a, b, found := pair(r, slices.Concat(some, acknowledged), func(a, b *history.Operation) bool {
		return slices.Contains(some, a) && b.Told.First > 1 && slices.Contains(acknowledged, b) && b.Return < a.Call
	})
	if !found {
		return false
	}
	if a.Kind != history.Read {
		a.Told.Last = b.Told.First - 1
		return true
	}
	a.View.Learned = b.Told.First - 1
	a.View.Last = min(a.View.Last, a.View.Learned)
	a.View.First = min(a.View.First, a.View.Last+1)
	a.View.Records = slices.DeleteFunc(a.View.Records, func(r history.Record) bool { return r.At > a.View.Last })
	return true
}
