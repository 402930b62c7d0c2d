package historytest

import (
	"math/rand/v2"
	"slices"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
)

// writerMutations spoil what elections and fences promise.
func writerMutations() []Mutation {
	return []Mutation{
		{"a writer that was fenced goes on", history.Fences, true, func(r *rand.Rand, s *Sample) bool {
			return s.claim(r, func(won []*history.Operation, o *history.Operation) *history.Operation {
				for i, e := range won[:max(0, len(won)-1)] {
					if won[i+1].Told.Last < o.Told.First && won[i+1].Return < o.Call {
						return e
					}
				}
				return nil
			})
		}},
		{"a writer writes before its election", history.Fences, true, func(r *rand.Rand, s *Sample) bool {
			return s.claim(r, func(won []*history.Operation, o *history.Operation) *history.Operation {
				for _, e := range won {
					if o.Told.First <= e.Told.Last && o.Return < e.Call {
						return e
					}
				}
				return nil
			})
		}},
		{"a fence is good again after it was refused", history.Fences, false, func(r *rand.Rand, s *Sample) bool {
			refused := s.of(history.Append, history.Rejected)
			a, b, found := pair(r, slices.Concat(refused, s.kept()), func(a, b *history.Operation) bool {
				return a.Fenced && b.Outcome == history.Succeeded && a.Return < b.Call
			})
			if found {
				b.Fence = a.Fence
			}
			return found
		}},
		{"an election misses what was acknowledged", history.Elections, true, func(r *rand.Rand, s *Sample) bool {
			return s.miss(r, s.won())
		}},
		{"two elections win one proposal", history.Elections, true, func(r *rand.Rand, s *Sample) bool {
			a, b, found := s.elections(r)
			if found {
				a.Fence = b.Fence
			}
			return found
		}},
		{"a later election wins a lower proposal", history.Elections, true, func(r *rand.Rand, s *Sample) bool {
			a, b, found := s.elections(r)
			if found {
				a.Fence, b.Fence = b.Fence, a.Fence
			}
			return found
		}},
		{"a later election sees a shorter log", history.Elections, true, func(r *rand.Rand, s *Sample) bool {
			a, b, found := s.elections(r)
			if found {
				a.Told.Last = b.Told.Last + 1
			}
			return found
		}},
	}
}

// won are the elections that were won, in the order of their proposals.
func (s *Sample) won() []*history.Operation {
	won := s.of(history.Elect, history.Succeeded)
	slices.SortFunc(won, func(a, b *history.Operation) int { return int(a.Fence) - int(b.Fence) })
	return won
}

// elections are two that were won, the second one called after the first one was over.
func (s *Sample) elections(r *rand.Rand) (a, b *history.Operation, found bool) {
	return pair(r, s.won(), func(a, b *history.Operation) bool { return a.Return < b.Call })
}

// claim puts some acknowledged append under the fence of an election, if there is an append for which one is found.
func (s *Sample) claim(r *rand.Rand, election func([]*history.Operation, *history.Operation) *history.Operation) bool {
	some, won := s.kept(), s.won()
	for _, i := range r.Perm(len(some)) {
		if e := election(won, some[i]); e != nil {
			some[i].Fence = e.Fence
			return true
		}
	}
	return false
}
