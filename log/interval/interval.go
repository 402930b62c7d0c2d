// Package interval holds sets of positions as runs: a set costs what its gaps cost and not what its positions do.
//
// Every bound is computed next to a position that is known to exist (First is at least 1, a Last with something above
// it is below the maximum), so nothing here overflows, not even at 1<<64-1.
package interval

import (
	"cmp"
	"iter"
	"slices"
	"sort"
	"strings"

	"github.com/quorumlog/quorumlog/log"
)

// Set is a set of positions. The zero Set is empty and ready for use.
//
// A copy of a Set shares memory with it: where either is going to change, copy with Clone. Every other method returns
// sets and slices of their own. A Set is not safe for concurrent use while it changes.
type Set struct {
	runs []log.Range // not empty, in ascending order, and at least one position lies between two of them
}

// Of returns the set of all positions of the ranges, which may be empty, overlap, and come in any order. It takes
// O(n log n) time for n ranges.
func Of(ranges ...log.Range) Set {
	sorted := slices.DeleteFunc(slices.Clone(ranges), log.Range.Empty)
	slices.SortFunc(sorted, func(a, b log.Range) int { return cmp.Compare(a.First, b.First) })
	runs := sorted[:0]
	for _, r := range sorted {
		if top := len(runs) - 1; top >= 0 && r.First-1 <= runs[top].Last {
			runs[top].Last = max(runs[top].Last, r.Last)
			continue
		}
		runs = append(runs, r)
	}
	return Set{runs}
}

// Add puts the positions of r into the set. It takes O(log n) time, and time for the runs that it merges or moves.
func (s *Set) Add(r log.Range) {
	if r.Empty() {
		return
	}
	from, to := s.endingAt(r.First-1), s.startingAfter(r.Last)
	if to < len(s.runs) && s.runs[to].First-1 == r.Last {
		to++ // it starts right above r
	}
	if from < to {
		r = log.Range{First: min(r.First, s.runs[from].First), Last: max(r.Last, s.runs[to-1].Last)}
	}
	s.runs = slices.Replace(s.runs, from, to, r)
}

// Remove takes the positions of r out of the set. It takes O(log n) time, and time for the runs that it cuts or moves.
func (s *Set) Remove(r log.Range) {
	from, to := s.touched(r)
	if from == to {
		return
	}
	var keep [2]log.Range
	kept := keep[:0]
	if low := s.runs[from].First; low < r.First {
		kept = append(kept, log.Range{First: low, Last: r.First - 1})
	}
	if high := s.runs[to-1].Last; high > r.Last {
		kept = append(kept, log.Range{First: r.Last + 1, Last: high})
	}
	s.runs = slices.Replace(s.runs, from, to, kept...)
}

// Contains says whether p is in the set.
func (s Set) Contains(p log.Position) bool {
	_, found := s.Run(p)
	return found
}

// Covers says whether every position of r is in the set. An empty range is covered by every set.
func (s Set) Covers(r log.Range) bool {
	if r.Empty() {
		return true
	}
	run, found := s.Run(r.First)
	return found && r.Last <= run.Last
}

// Run returns the run that contains p: the longest range around p that is in the set.
func (s Set) Run(p log.Position) (log.Range, bool) {
	i := s.endingAt(p)
	if i == len(s.runs) || !s.runs[i].Contains(p) {
		return log.Range{}, false
	}
	return s.runs[i], true
}

// Runs returns the runs in ascending order; two of them never touch. The caller may change the slice.
func (s Set) Runs() []log.Range { return slices.Clone(s.runs) }

// All walks over the runs in ascending order. The set must not change meanwhile.
func (s Set) All() iter.Seq[log.Range] { return slices.Values(s.runs) }

// Len is the number of positions. It takes O(n) time for n runs.
func (s Set) Len() uint64 {
	var n uint64
	for _, r := range s.runs {
		n += r.Len()
	}
	return n
}

// Empty says whether the set holds no position.
func (s Set) Empty() bool { return len(s.runs) == 0 }

// First returns the lowest position; false if the set is empty.
func (s Set) First() (log.Position, bool) {
	if s.Empty() {
		return 0, false
	}
	return s.runs[0].First, true
}

// Last returns the highest position; false if the set is empty.
func (s Set) Last() (log.Position, bool) {
	if s.Empty() {
		return 0, false
	}
	return s.runs[len(s.runs)-1].Last, true
}

// Clone returns a copy that shares no memory with the set.
func (s Set) Clone() Set { return Set{slices.Clone(s.runs)} }

// Intersect returns the positions of the set that are in r.
func (s Set) Intersect(r log.Range) Set {
	from, to := s.touched(r)
	runs := slices.Clone(s.runs[from:to])
	for i := range runs {
		runs[i] = runs[i].Intersect(r) // cuts the first and the last one
	}
	return Set{runs}
}

// Complement returns the positions of within that are not in the set.
func (s Set) Complement(within log.Range) Set { return Set{s.gaps(nil, within)} }

// Minus returns the positions of the set that are not in o.
func (s Set) Minus(o Set) Set {
	var runs []log.Range
	for _, r := range s.runs {
		runs = o.gaps(runs, r)
	}
	return Set{runs}
}

// Union returns the positions that are in one of the sets.
func (s Set) Union(o Set) Set { return Of(slices.Concat(s.runs, o.runs)...) }

// Equal says whether both sets hold the same positions.
func (s Set) Equal(o Set) bool { return slices.Equal(s.runs, o.runs) }

// String writes the runs in ascending order, as "[1, 3] [5, 5]"; the empty set as "[]".
func (s Set) String() string {
	if s.Empty() {
		return log.Range{}.String()
	}
	words := make([]string, len(s.runs))
	for i, r := range s.runs {
		words[i] = r.String()
	}
	return strings.Join(words, " ")
}

// gaps appends to runs what the set leaves out of within.
func (s Set) gaps(runs []log.Range, within log.Range) []log.Range {
	if within.Empty() {
		return runs
	}
	from, to := s.touched(within)
	rest := within
	for _, r := range s.runs[from:to] {
		if rest.First < r.First {
			runs = append(runs, log.Range{First: rest.First, Last: r.First - 1})
		}
		if r.Last >= within.Last {
			return runs
		}
		rest.First = r.Last + 1
	}
	return append(runs, rest)
}

// touched returns the indexes [from, to) of the runs that share a position with r.
func (s Set) touched(r log.Range) (from, to int) {
	if r.Empty() {
		return 0, 0
	}
	return s.endingAt(r.First), s.startingAfter(r.Last)
}

// endingAt returns the index of the first run that ends at p or above.
func (s Set) endingAt(p log.Position) int {
	return sort.Search(len(s.runs), func(i int) bool { return s.runs[i].Last >= p })
}

// startingAfter returns the index of the first run that starts above p.
func (s Set) startingAfter(p log.Position) int {
	return sort.Search(len(s.runs), func(i int) bool { return s.runs[i].First > p })
}
