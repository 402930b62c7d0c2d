package historytest

import (
	"math/rand/v2"
	"slices"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

// Mutation spoils one thing of a correct history.
type Mutation struct {
	Name   string       // in words, for people
	Rule   history.Rule // that finds it
	Linear bool         // no order of the operations explains it, so that whoever searches for one finds it, too
	// Apply spoils a history, and says whether the history has what it takes. It is definitely broken then.
	Apply func(*rand.Rand, *Sample) bool
}

// Mutations are all there are.
func Mutations() []Mutation {
	return slices.Concat(logMutations(), memberMutations(), writeMutations(), truncationMutations(),
		readMutations(), readerMutations(), writerMutations())
}

// logMutations spoil the log of all members, or one entry of it.
func logMutations() []Mutation {
	return []Mutation{
		{"two acknowledged entries change places", history.Acknowledged, true, func(r *rand.Rand, s *Sample) bool {
			a, b, found := pair(r, s.kept(), func(a, b *history.Operation) bool { return a != b })
			if found {
				s.swap(a.Told.First, b.Told.Last)
			}
			return found
		}},
		{"an acknowledged entry is lost", history.Acknowledged, true, func(r *rand.Rand, s *Sample) bool {
			o, found := anyOf(r, s.kept())
			if found {
				s.remove(o.Told.Last)
			}
			return found
		}},
		{"an acknowledged entry is lost on one member", history.Whole, true, func(r *rand.Rand, s *Sample) bool {
			o, found := anyOf(r, s.kept())
			if found {
				view := &s.Logs[r.IntN(len(s.Logs))].View
				view.All, view.Records = false, slices.DeleteFunc(view.Records, func(r history.Record) bool { return r.At == o.Told.First })
			}
			return found
		}},
		{"an entry is there twice", history.Once, true, func(r *rand.Rand, s *Sample) bool {
			o, found := anyOf(r, s.kept())
			if found {
				s.extend(one(o.Entries[0]))
			}
			return found
		}},
		{"a rejected entry is in the log", history.Denied, true, func(r *rand.Rand, s *Sample) bool {
			o, found := anyOf(r, s.of(history.Append, history.Rejected))
			if found {
				s.extend(one(o.Entries[len(o.Entries)-1]))
			}
			return found
		}},
		{"an entry comes from nowhere", history.Origin, true, func(_ *rand.Rand, s *Sample) bool {
			s.extend(one("from nowhere"))
			return true
		}},
	}
}

// memberMutations spoil what one member holds.
func memberMutations() []Mutation {
	return []Mutation{
		{"members hold different entries at a position", history.Agreement, true, func(r *rand.Rand, s *Sample) bool {
			o, found := anyOf(r, s.kept())
			if found {
				replace(s.Logs[r.IntN(len(s.Logs))].View.Records, o.Told.First, one("another"))
			}
			return found
		}},
		{"a member has a hole", history.Whole, false, func(r *rand.Rand, s *Sample) bool {
			s.Logs[r.IntN(len(s.Logs))].Holes = 1
			return true
		}},
		{"a member's log ends too early", history.Whole, false, func(r *rand.Rand, s *Sample) bool {
			view, highest := &s.Logs[r.IntN(len(s.Logs))].View, s.History.Highest()
			view.Last = highest - 1
			view.Records = slices.DeleteFunc(view.Records, func(r history.Record) bool { return r.At >= highest })
			return highest > 0 && view.Learned == 0
		}},
		{"a member's log goes back", history.Whole, false, func(r *rand.Rand, s *Sample) bool {
			records := s.Logs[r.IntN(len(s.Logs))].View.Records
			if len(records) > 1 {
				i := r.IntN(len(records) - 1)
				records[i], records[i+1] = records[i+1], records[i]
			}
			return len(records) > 1
		}},
		{"a member truncated what nobody had truncated", history.Truncations, false, func(r *rand.Rand, s *Sample) bool {
			view := &s.Logs[r.IntN(len(s.Logs))].View
			view.First, view.Begin, view.Records = view.Last+1, view.Last+1, nil
			return s.mostTo() <= view.Last
		}},
		{"a member did not truncate", history.Truncations, false, func(r *rand.Rand, s *Sample) bool {
			view := &s.Logs[r.IntN(len(s.Logs))].View
			truncated := view.Begin > 1 && slices.ContainsFunc(s.of(history.Truncate, history.Succeeded),
				func(o *history.Operation) bool { return o.To == view.Begin })
			view.Begin = 1
			return truncated
		}},
	}
}

// replace puts another value at a position.
func replace(records []history.Record, at log.Position, v log.Value) {
	for i, r := range records {
		if r.At == at {
			records[i].Value = v
		}
	}
}

// mostTo is the highest position to which anybody truncated.
func (s *Sample) mostTo() log.Position {
	var most log.Position
	for _, o := range s.History.Operations {
		most = max(most, o.To)
	}
	return most
}

// writeMutations spoil what the clients were told of their writes.
func writeMutations() []Mutation {
	return []Mutation{
		{"an append is over before one that is before it began", history.Order, true, func(r *rand.Rand, s *Sample) bool {
			a, b, found := pair(r, s.of(history.Append, history.Succeeded), func(a, b *history.Operation) bool {
				return a.Told.First < b.Told.First && a.Call > 2
			})
			if found {
				b.Call, b.Return = a.Call-2, a.Call-1
			}
			return found
		}},
		{"an append of unknown outcome is before what was acknowledged before its call", history.Order, true, lateCall},
		{"the entries of an append come apart", history.Together, true, func(r *rand.Rand, s *Sample) bool {
			some := slices.DeleteFunc(s.kept(), func(o *history.Operation) bool { return len(o.Entries) < 2 })
			o, found := anyOf(r, some)
			if found {
				s.swap(o.Told.First, o.Told.Last)
			}
			return found
		}},
		{"an append is told too many positions", history.Acknowledged, true, func(r *rand.Rand, s *Sample) bool {
			o, found := anyOf(r, s.kept())
			if found {
				o.Told.Last++
			}
			return found
		}},
		{"an entry is where its client was not told", history.Acknowledged, true, func(r *rand.Rand, s *Sample) bool {
			o, found := anyOf(r, s.kept())
			if found {
				o.Told.First++
				o.Told.Last++
			}
			return found
		}},
	}
}

// truncationMutations spoil truncations, and the order of a session.
func truncationMutations() []Mutation {
	return []Mutation{
		{"an acknowledged truncation is lost", history.Acknowledged, false, func(r *rand.Rand, s *Sample) bool {
			some := slices.DeleteFunc(s.of(history.Truncate, history.Succeeded), func(o *history.Operation) bool {
				return o.Told.First < s.Logs[0].View.First
			})
			o, found := anyOf(r, some)
			if found {
				s.remove(o.Told.First)
			}
			return found && s.Logs[0].View.All
		}},
		{"a rejected truncation is in the log", history.Origin, false, func(r *rand.Rand, s *Sample) bool {
			o, found := anyOf(r, s.of(history.Truncate, history.Rejected))
			if found {
				o.To = s.mostTo() + 1 // nobody else asked for that
				s.extend(log.Value{Kind: log.Truncate, To: o.To})
			}
			return found
		}},
		{"a truncation keeps only what is behind it", history.Truncations, true, func(r *rand.Rand, s *Sample) bool {
			o, found := anyOf(r, s.of(history.Truncate, history.Succeeded))
			if found {
				o.To = o.Told.First + 5
				s.everywhere(func(records []history.Record) []history.Record {
					replace(records, o.Told.First, log.Value{Kind: log.Truncate, To: o.To})
					return records
				})
			}
			return found
		}},
		{"appends of one session change places", history.Sessions, false, func(r *rand.Rand, s *Sample) bool {
			a, b, found := pair(r, s.kept(), func(a, b *history.Operation) bool {
				return a.Session > 0 && a.Session == b.Session && len(a.Entries) == len(b.Entries)
			})
			if found {
				a.Call, a.Return = min(a.Call, b.Call), max(a.Return, b.Return)
				b.Call, b.Return = a.Call, a.Return
				s.exchange(a, b)
			}
			return found
		}},
	}
}

// lateCall moves the call of an append that nobody acknowledged, and that is in the log, behind the answer to a later one.
func lateCall(r *rand.Rand, s *Sample) bool {
	at := map[string]log.Position{}
	for _, record := range s.Logs[0].View.Records {
		at[string(record.Value.Data)] = record.At
	}
	open := slices.Concat(s.of(history.Append, history.Unknown), s.of(history.Append, history.Pending))
	acknowledged := s.of(history.Append, history.Succeeded)
	a, b, found := pair(r, slices.Concat(open, acknowledged), func(a, b *history.Operation) bool {
		return a.Outcome != history.Succeeded && b.Outcome == history.Succeeded && at[a.Entries[0]] > 0 && at[a.Entries[0]] < b.Told.First
	})
	if found {
		a.Call, a.Return = b.Return+1, history.Never
	}
	return found
}
