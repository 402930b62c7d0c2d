package measure

import (
	"iter"
	"sync/atomic"
)

// Counter counts up from 0. The zero Counter is ready.
type Counter struct{ n atomic.Uint64 }

// Add counts n more.
func (c *Counter) Add(n uint64) { c.n.Add(n) }

// Value is the count.
func (c *Counter) Value() uint64 { return c.n.Load() }

// Gauge is a number that goes up and down. The zero Gauge is 0.
type Gauge struct{ n atomic.Int64 }

// Set sets it. Setting what it is already costs no more than a look.
func (g *Gauge) Set(n int) {
	if g.n.Load() != int64(n) {
		g.n.Store(int64(n))
	}
}

// Value is the number.
func (g *Gauge) Value() int64 { return g.n.Load() }

// maxTally is how many kinds of one thing a Tally tells apart, from 0 on.
const maxTally = 32

// Tally is one counter for each of up to 32 kinds of a thing. The zero Tally is ready.
type Tally struct{ counts [maxTally]Counter }

// Add counts n more of a kind. What is beyond the kinds counts as the last.
func (t *Tally) Add(kind int, n uint64) {
	if kind < 0 || kind >= maxTally {
		kind = maxTally - 1
	}
	t.counts[kind].Add(n)
}

// Of is the count of a kind; 0 where there is no such kind.
func (t *Tally) Of(kind int) uint64 {
	if kind < 0 || kind >= maxTally {
		return 0
	}
	return t.counts[kind].Value()
}

// All returns the count of every kind.
func (t *Tally) All() iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		for i := range t.counts {
			if !yield(i, t.counts[i].Value()) {
				return
			}
		}
	}
}

// Histogram counts values by how large they are.
type Histogram struct {
	bounds []uint64 // in order
	counts []atomic.Uint64
	sum    atomic.Uint64
}

// NewHistogram returns one that tells apart values up to each of the bounds, which are in order, and above the last.
func NewHistogram(bounds []uint64) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// Observe counts a value. A negative one counts as 0.
func (h *Histogram) Observe(value int64) {
	v, i := uint64(max(value, 0)), 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(v)
}

// Bounds are the bounds; they are not to be changed.
func (h *Histogram) Bounds() []uint64 { return h.bounds }

// Counts is how many values were up to each bound and above the one before; the last is those above all.
func (h *Histogram) Counts() []uint64 {
	counts := make([]uint64, len(h.counts))
	for i := range h.counts {
		counts[i] = h.counts[i].Load()
	}
	return counts
}

// Sum is the sum of all values.
func (h *Histogram) Sum() uint64 { return h.sum.Load() }

// Quantile returns the value below which a part q of the counted values lies, between the bounds of its bucket in proportion;
// the last bound, where it lies above; false where none was counted.
func Quantile(q float64, bounds, counts []uint64) (value float64, known bool) {
	if len(counts) != len(bounds)+1 {
		return 0, false
	}
	total := uint64(0)
	for _, n := range counts {
		total += n
	}
	if total == 0 {
		return 0, false
	}
	rank, low := q*float64(total), uint64(0)
	for i, high := range bounds {
		n := float64(counts[i])
		if n > 0 && rank <= n {
			return float64(low) + float64(high-low)*rank/n, true
		}
		rank, low = rank-n, high
	}
	return float64(low), true
}
