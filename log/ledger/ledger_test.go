package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/ledger"
)

// size of the universes in which a ledger is compared with the model.
const size = 24

// bases are the first positions of the universes: where a number gets wider, and at both ends.
var bases = []log.Position{
	1, 1<<31 - size/2, 1<<32 - size/2, 10_000_000_000 - size/2, 1<<63 - size/2, log.MaxPosition - size + 1,
}

// model is a ledger that keeps a word for each position, and an end of its own.
type model struct {
	base, begin, end log.Position
	is               map[log.Position]string // "learned" or "unlearned"
}

func (m *model) note(r log.Range, word string) {
	for p := m.base; p < m.base+size; p++ {
		if !r.Contains(p) || p < m.begin || m.is[p] == "learned" {
			continue
		}
		m.is[p] = word
		m.end = max(m.end, p)
	}
}

func (m *model) truncate(begin log.Position) {
	for ; m.begin < begin; m.begin++ {
		delete(m.is, m.begin)
	}
	if m.begin > m.end+1 {
		m.end = m.begin - 1
	}
}

func (m *model) where(holds func(p log.Position) bool) interval.Set {
	var s interval.Set
	for p := m.base; p < m.base+size; p++ {
		if holds(p) {
			s.Add(log.Span(p, 1))
		}
	}
	return s
}

func (m *model) watermark() log.Position {
	p := m.begin
	for m.is[p] == "learned" {
		p++
	}
	return p - 1
}

// describe writes what a ledger answers to every question, so that it can be compared with describe of its model.
func describe(l *ledger.Ledger, r log.Range, base log.Position) string {
	learned := ""
	for p := base; p < base+size; p++ {
		learned += fmt.Sprint(l.IsLearned(p), " ")
	}
	return fmt.Sprintf("begin %d end %d learned %d in %v: missing %v learned %v\nholes %v unlearned %v not learned %d\n%s",
		l.Begin(), l.End(), l.Learned(), r, l.Missing(r), l.LearnedIn(r), l.Holes(), l.Unlearned(), l.NotLearned(), learned)
}

func (m *model) describe(r log.Range) string {
	learned := ""
	for p := m.base; p < m.base+size; p++ {
		learned += fmt.Sprint(m.is[p] == "learned", " ")
	}
	inside := func(p log.Position) bool { return m.begin <= p && p <= m.end }
	notLearned := m.where(func(p log.Position) bool { return inside(p) && m.is[p] != "learned" })
	return fmt.Sprintf("begin %d end %d learned %d in %v: missing %v learned %v\nholes %v unlearned %v not learned %d\n%s",
		m.begin, m.end, m.watermark(), r,
		m.where(func(p log.Position) bool { return r.Contains(p) && p >= m.begin && m.is[p] != "learned" }),
		m.where(func(p log.Position) bool { return r.Contains(p) && m.is[p] == "learned" }),
		m.where(func(p log.Position) bool { return inside(p) && m.is[p] == "" }),
		m.where(func(p log.Position) bool { return m.is[p] == "unlearned" }),
		notLearned.Len(), learned)
}

// draw returns a range in the universe, now and then an empty one.
func draw(random *rand.Rand, base log.Position) log.Range {
	first := base + log.Position(random.IntN(size))
	return log.Range{First: first, Last: min(first+log.Position(random.IntN(8))-1, base+size-1)}
}

// grow makes the same random changes to a ledger and to its model.
func grow(random *rand.Rand, base log.Position, steps int) (*ledger.Ledger, *model) {
	l := ledger.New(base, interval.Set{}, interval.Set{})
	m := &model{base: base, begin: base, end: base - 1, is: map[log.Position]string{}}
	for range steps {
		switch r := draw(random, base); random.IntN(8) {
		case 0:
			begin := base + log.Position(random.IntN(size/2))
			l.Truncate(begin)
			m.truncate(begin)
		case 1, 2, 3:
			l.Learn(r)
			m.note(r, "learned")
		default:
			l.Record(r)
			m.note(r, "unlearned")
		}
	}
	return l, m
}

// each runs a claim on thousands of seeds in every universe.
func each(t *testing.T, claim func(t *testing.T, random *rand.Rand, base log.Position)) {
	for _, base := range bases {
		for seed := range uint64(1000) {
			claim(t, rand.New(rand.NewPCG(seed, uint64(base))), base)
			if t.Failed() {
				t.Fatalf("seed %d, first position %d", seed, base)
			}
		}
	}
}

func TestLedgerEqualsModel(t *testing.T) {
	each(t, func(t *testing.T, random *rand.Rand, base log.Position) {
		l, m := grow(random, base, random.IntN(25))
		r := draw(random, base)
		if got, want := describe(l, r, base), m.describe(r); got != want {
			t.Errorf("ledger: %s\nmodel:  %s", got, want)
		}
	})
}

func TestRestoredLedgerIsTheSame(t *testing.T) {
	each(t, func(t *testing.T, random *rand.Rand, base log.Position) {
		l, m := grow(random, base, 15)
		r := draw(random, base)
		all := log.Range{First: base, Last: base + size - 1}
		restored := ledger.New(l.Begin(), l.LearnedIn(all), l.Unlearned())
		if got, want := describe(restored, r, base), m.describe(r); got != want {
			t.Errorf("ledger: %s\nmodel:  %s", got, want)
		}
	})
}

func TestBeginIsAtMostOneAboveEnd(t *testing.T) {
	each(t, func(t *testing.T, random *rand.Rand, base log.Position) {
		if l, _ := grow(random, base, 15); l.Begin() > l.End()+1 || l.Learned() > l.End() || l.Learned()+1 < l.Begin() {
			t.Errorf("begin %d, learned %d, end %d", l.Begin(), l.Learned(), l.End())
		}
	})
}

func TestNewLogIsEmpty(t *testing.T) {
	l := ledger.New(1, interval.Set{}, interval.Set{})
	if l.Begin() != 1 || l.End() != 0 || l.Learned() != 0 || l.NotLearned() != 0 || !l.Holes().Empty() {
		t.Errorf("begin %d, end %d, learned %d", l.Begin(), l.End(), l.Learned())
	}
}

func TestNewIgnoresWhatIsTruncated(t *testing.T) {
	l := ledger.New(10, interval.Of(log.Span(1, 11)), interval.Of(log.Span(5, 8)))
	if got := l.Unlearned().String(); got != "[12, 12]" || l.Learned() != 11 || l.IsLearned(9) {
		t.Errorf("unlearned %s, learned up to %d", got, l.Learned())
	}
}

func TestNewLeavesTheSetsToTheCaller(t *testing.T) {
	learned, unlearned := interval.Of(log.Span(1, 4)), interval.Of(log.Span(8, 4))
	l := ledger.New(1, learned, unlearned)
	learned.Remove(log.Span(2, 1))
	unlearned.Remove(log.Span(9, 1))
	if l.Learned() != 4 || l.Unlearned().String() != "[8, 11]" {
		t.Errorf("learned up to %d, unlearned %v", l.Learned(), l.Unlearned())
	}
}

func TestTruncationAboveEndLeavesAnEmptyLog(t *testing.T) {
	l := ledger.New(1, interval.Of(log.Span(1, 5)), interval.Set{})
	l.Truncate(100)
	if l.Begin() != 100 || l.End() != 99 || l.Learned() != 99 {
		t.Errorf("begin %d, end %d, learned %d", l.Begin(), l.End(), l.Learned())
	}
}

func TestEverythingAboveEndIsMissing(t *testing.T) {
	l := ledger.New(1, interval.Of(log.Span(1, 5)), interval.Set{})
	if got := l.Missing(log.Range{First: 4, Last: log.MaxPosition}).String(); got != "[6, 18446744073709551614]" {
		t.Errorf("missing %s", got)
	}
}
