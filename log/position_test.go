package log_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

const top log.Position = 1<<64 - 1 // above every position

func TestRangeHoldsBothItsEnds(t *testing.T) {
	for _, c := range []struct {
		r     log.Range
		len   uint64
		text  string
		empty bool
	}{
		{log.Range{}, 0, "[]", true},
		{log.Range{First: 0, Last: 5}, 0, "[]", true},
		{log.Range{First: 0, Last: top}, 0, "[]", true},
		{log.Range{First: 5, Last: 4}, 0, "[]", true},
		{log.Range{First: top, Last: 1}, 0, "[]", true},
		{log.Range{First: 1, Last: 1}, 1, "[1, 1]", false},
		{log.Range{First: 3, Last: 7}, 5, "[3, 7]", false},
		{log.Range{First: log.MaxPosition, Last: log.MaxPosition}, 1, "[18446744073709551614, 18446744073709551614]", false},
		{log.Range{First: 1, Last: log.MaxPosition}, 1<<64 - 2, "[1, 18446744073709551614]", false},
		{log.Range{First: 1, Last: top}, 1<<64 - 1, "[1, 18446744073709551615]", false},
	} {
		if c.r.Len() != c.len || c.r.String() != c.text || c.r.Empty() != c.empty {
			t.Errorf("%#v: %d positions, %s, empty %t", c.r, c.r.Len(), c.r, c.r.Empty())
		}
	}
}

func TestRangeContainsWhatIsBetweenItsEnds(t *testing.T) {
	for _, c := range []struct {
		r    log.Range
		p    log.Position
		want bool
	}{
		{log.Range{First: 3, Last: 7}, 2, false},
		{log.Range{First: 3, Last: 7}, 3, true},
		{log.Range{First: 3, Last: 7}, 7, true},
		{log.Range{First: 3, Last: 7}, 8, false},
		{log.Range{}, 0, false},
		{log.Range{First: 0, Last: 7}, 3, false},
		{log.Range{First: 7, Last: 3}, 5, false},
		{log.Range{First: 1, Last: top}, top, true},
		{log.Range{First: 1, Last: log.MaxPosition}, top, false},
		{log.Range{First: 1, Last: log.MaxPosition}, 0, false},
	} {
		if got := c.r.Contains(c.p); got != c.want {
			t.Errorf("%s contains %d: %t", c.r, c.p, got)
		}
	}
}

func TestSpanHasAsManyPositions(t *testing.T) {
	for _, c := range []struct {
		first log.Position
		n     int
		want  log.Range
	}{
		{1, 1, log.Range{First: 1, Last: 1}},
		{5, 3, log.Range{First: 5, Last: 7}},
		{5, 0, log.Range{}},
		{5, -1, log.Range{}},
		{log.MaxPosition, 1, log.Range{First: log.MaxPosition, Last: log.MaxPosition}},
		{log.MaxPosition - 2, 3, log.Range{First: log.MaxPosition - 2, Last: log.MaxPosition}},
	} {
		if got := log.Span(c.first, c.n); got != c.want {
			t.Errorf("%d from %d: got %s, want %s", c.n, c.first, got, c.want)
		}
	}
}

// TestIntersectionIsWhatBothContain counts on fingers, in a small universe and at its upper end.
func TestIntersectionIsWhatBothContain(t *testing.T) {
	const size = 6
	for _, base := range []log.Position{0, top - size + 1} {
		for i := range log.Position(size * size * size * size) {
			a := log.Range{First: base + i%size, Last: base + i/size%size}
			b := log.Range{First: base + i/size/size%size, Last: base + i/size/size/size}
			got := a.Intersect(b)
			if got.Empty() && got != (log.Range{}) {
				t.Errorf("%#v and %#v: empty, but %#v", a, b, got)
			}
			for p := range log.Position(size) {
				if p += base; got.Contains(p) != (a.Contains(p) && b.Contains(p)) {
					t.Errorf("%#v and %#v: %s, and %d", a, b, got, p)
				}
			}
		}
	}
}

func TestPositionAfterLastOneDoesNotOverflow(t *testing.T) {
	if last := log.MaxPosition; last+1 == 0 || last+2 != 0 {
		t.Errorf("one position, and no more, is kept free above %d", last)
	}
}
