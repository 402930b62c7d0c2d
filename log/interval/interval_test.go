package interval_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
)

// top is the highest number that a position can have; one more would be 0.
const top = 1<<64 - 1

// size of the universes in which sets are compared with the model.
const size = 40

// bases are the first positions of the universes: where a number gets wider, and at both ends.
var bases = map[string]log.Position{
	"one": 1, "2^31": 1<<31 - size/2, "2^32": 1<<32 - size/2, "10^10": 10_000_000_000 - size/2,
	"2^63": 1<<63 - size/2, "maximum": top - size + 1,
}

// model is a set of positions, one bool for each of a universe.
type model struct {
	base log.Position
	in   [size]bool
}

func (m *model) set(r log.Range, in bool) {
	for i := range m.in {
		if r.Contains(m.base + log.Position(i)) {
			m.in[i] = in
		}
	}
}

func (m *model) merge(o model, f func(a, b bool) bool) model {
	merged := model{base: m.base}
	for i := range m.in {
		merged.in[i] = f(m.in[i], o.in[i])
	}
	return merged
}

func (m *model) runs() []log.Range {
	var runs []log.Range
	for i, in := range m.in {
		switch p := m.base + log.Position(i); {
		case !in:
		case i > 0 && m.in[i-1]:
			runs[len(runs)-1].Last = p
		default:
			runs = append(runs, log.Range{First: p, Last: p})
		}
	}
	return runs
}

// draw returns a range in the universe; now and then an empty one or one that ends outside.
func (m *model) draw(random *rand.Rand) log.Range {
	first := m.base + log.Position(random.IntN(size))
	last := min(first+log.Position(random.IntN(10)), m.base+size-1)
	switch random.IntN(20) {
	case 0:
		return log.Range{}
	case 1:
		return log.Range{First: last, Last: first - 1}
	case 2:
		return log.Range{First: first, Last: top}
	case 3:
		return log.Range{First: 1, Last: last}
	}
	return log.Range{First: first, Last: max(first, last)}
}

// grow makes the same random changes to a set and to its model.
func grow(random *rand.Rand, base log.Position, steps int) (*interval.Set, model) {
	s, m := &interval.Set{}, model{base: base}
	for range steps {
		r, in := m.draw(random), random.IntN(2) == 0
		if in {
			r = r.Intersect(log.Range{First: base, Last: base + size - 1})
			s.Add(r)
		} else {
			s.Remove(r)
		}
		m.set(r, in)
	}
	return s, m
}

// each runs a claim on thousands of seeds in every universe.
func each(t *testing.T, claim func(t *testing.T, random *rand.Rand, base log.Position, seed uint64)) {
	for name, base := range bases {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2000) {
				claim(t, rand.New(rand.NewPCG(seed, uint64(base))), base, seed)
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

func same(t *testing.T, what string, got interval.Set, want model) {
	t.Helper()
	if !slices.Equal(got.Runs(), want.runs()) {
		t.Errorf("%s is %v, want %v", what, got, want.runs())
	}
}

func TestChangesEqualModel(t *testing.T) {
	each(t, func(t *testing.T, random *rand.Rand, base log.Position, _ uint64) {
		s, m := grow(random, base, 1+random.IntN(40))
		same(t, "set", *s, m)
	})
}

func TestCombinationsEqualModel(t *testing.T) {
	each(t, func(t *testing.T, random *rand.Rand, base log.Position, _ uint64) {
		a, m := grow(random, base, 15)
		b, n := grow(random, base, 15)
		r := log.Range{First: base, Last: m.draw(random).Last}.Intersect(log.Range{First: base, Last: base + size - 1})
		within := model{base: base}
		within.set(r, true)
		same(t, "union", a.Union(*b), m.merge(n, func(a, b bool) bool { return a || b }))
		same(t, "difference", a.Minus(*b), m.merge(n, func(a, b bool) bool { return a && !b }))
		same(t, "intersection", a.Intersect(r), m.merge(within, func(a, b bool) bool { return a && b }))
		same(t, "complement", a.Complement(r), m.merge(within, func(a, b bool) bool { return !a && b }))
		same(t, "left operand", *a, m)
		same(t, "right operand", *b, n)
	})
}

func TestQuestionsEqualModel(t *testing.T) {
	each(t, func(t *testing.T, random *rand.Rand, base log.Position, _ uint64) {
		s, m := grow(random, base, 12)
		var n uint64
		for i, in := range m.in {
			p := base + log.Position(i)
			if run, found := s.Run(p); s.Contains(p) != in || found != in || run.Contains(p) != in {
				t.Errorf("position %d of %v: run %v, want contained %v", p, s, run, in)
			}
			if in {
				n++
			}
		}
		r := m.draw(random)
		if got, want := s.Covers(r), s.Complement(r).Empty(); got != want {
			t.Errorf("%v covers %v: %v, want %v", s, r, got, want)
		}
		if s.Len() != n || s.Empty() != (n == 0) {
			t.Errorf("%v has %d positions, want %d", s, s.Len(), n)
		}
		if !interval.Of(m.runs()...).Equal(*s) {
			t.Errorf("%v does not equal %v", s, m.runs())
		}
	})
}

func TestEndsAreThoseOfTheRuns(t *testing.T) {
	each(t, func(t *testing.T, random *rand.Rand, base log.Position, _ uint64) {
		s, m := grow(random, base, 10)
		var want log.Range
		if runs := m.runs(); len(runs) > 0 {
			want = log.Range{First: runs[0].First, Last: runs[len(runs)-1].Last}
		}
		first, some := s.First()
		last, any := s.Last()
		if first != want.First || last != want.Last || some == want.Empty() || any == want.Empty() {
			t.Errorf("%v goes from %d to %d, want %v", s, first, last, want)
		}
	})
}

func TestResultsShareNoMemory(t *testing.T) {
	each(t, func(t *testing.T, random *rand.Rand, base log.Position, _ uint64) {
		s, m := grow(random, base, 12)
		o, _ := grow(random, base, 12)
		all := log.Range{First: 1, Last: top}
		for _, copied := range []interval.Set{
			s.Clone(), s.Intersect(all), s.Union(interval.Set{}), s.Minus(interval.Set{}), s.Minus(*o), interval.Of(s.Runs()...),
		} {
			copied.Remove(m.draw(random))
			copied.Add(m.draw(random))
		}
		runs := s.Runs()
		clear(runs)
		interval.Of(runs...)
		same(t, "set", *s, m)
	})
}

func TestOfTakesRangesInAnyOrder(t *testing.T) {
	given := []log.Range{log.Span(8, 2), {}, {First: 4, Last: 3}, log.Span(1, 2), log.Span(3, 3), log.Span(2, 1)}
	before := slices.Clone(given)
	if got := interval.Of(given...).String(); got != "[1, 5] [8, 9]" {
		t.Errorf("got %s", got)
	}
	if !slices.Equal(given, before) {
		t.Errorf("the argument changed to %v", given)
	}
}

func TestWholeLogFits(t *testing.T) {
	whole := log.Range{First: 1, Last: top}
	s := interval.Of(whole)
	s.Remove(log.Range{First: top, Last: top})
	s.Add(log.Range{First: top, Last: top})
	if s.Len() != top || s.String() != whole.String() || !s.Complement(whole).Empty() {
		t.Errorf("%v has %d positions", s, s.Len())
	}
}

func TestEmptySetWritesAsEmptyRange(t *testing.T) {
	if got := (interval.Set{}).String(); got != "[]" {
		t.Errorf("got %q", got)
	}
}

func TestAllWalksOverTheRuns(t *testing.T) {
	s := interval.Of(log.Span(1, 2), log.Span(5, 1))
	if got := slices.Collect(s.All()); !slices.Equal(got, s.Runs()) {
		t.Errorf("got %v, want %v", got, s.Runs())
	}
}
