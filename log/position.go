package log

import "fmt"

// Position is the place of a value in the log. The first is 1; 0 means "no position".
type Position uint64

// MaxPosition is the highest position that can be written; the one above it is kept free, so that "the position after"
// never overflows.
const MaxPosition Position = 1<<64 - 2

// Range is a run of positions, both ends inclusive. The zero Range is empty.
type Range struct{ First, Last Position }

// Span returns the range of n positions that starts at first, and the empty one where n is not positive. The range must
// not go beyond MaxPosition.
func Span(first Position, n int) Range {
	if n <= 0 {
		return Range{}
	}
	return Range{first, first + Position(n) - 1}
}

// Empty says whether the range holds no position.
func (r Range) Empty() bool { return r.First == 0 || r.Last < r.First }

// Len is the number of positions.
func (r Range) Len() uint64 {
	if r.Empty() {
		return 0
	}
	return uint64(r.Last-r.First) + 1
}

// Contains says whether p is in the range.
func (r Range) Contains(p Position) bool { return !r.Empty() && r.First <= p && p <= r.Last }

// Intersect returns the positions in both ranges; the zero Range if there are none.
func (r Range) Intersect(o Range) Range {
	both := Range{max(r.First, o.First), min(r.Last, o.Last)}
	if r.Empty() || o.Empty() || both.Empty() {
		return Range{}
	}
	return both
}

// String writes the range as "[first, last]".
func (r Range) String() string {
	if r.Empty() {
		return "[]"
	}
	return fmt.Sprintf("[%d, %d]", r.First, r.Last)
}
