package sessions

import "github.com/quorumlog/quorumlog/log"

// Standing is what a table says of numbers of a session that somebody asks to append.
type Standing uint8

// The standings.
const (
	// Next: those that are not in the log are the ones that come next, and may be appended.
	Next Standing = iota + 1
	// Known: all of them are in the log.
	Known
	// Gap: numbers before them are missing.
	Gap
	// Evicted: the session is forgotten, or may be, or the numbers lie too far back: nobody can tell.
	Evicted
)

// Verdict is a standing and where the first entries are: all of them where they are Known, and with Next those that need not be
// appended. Expected is the number that comes next in the session.
type Verdict struct {
	Standing Standing
	Places   []log.Range // in order, without empty ones
	Expected uint64
}

// Count is how many entries have a place.
func (v Verdict) Count() int {
	n := uint64(0)
	for _, r := range v.Places {
		n += r.Len()
	}
	return int(n)
}

// Find says how n numbers of a session stand, from first on. Since is a position up to which nothing of the session is in the
// log, as its client knows.
//
// A session that is not remembered was either never in the log, or it was forgotten, and then its latest entry is at the
// horizon, or below. One of which nothing is in the log up to the horizon was never forgotten.
func (t *Table) Find(id log.Session, first uint64, n int, since log.Position) Verdict {
	s := t.sessions[id]
	switch {
	case s == nil && since < t.horizon:
		return Verdict{Standing: Evicted, Expected: 1}
	case s == nil && first > 1:
		return Verdict{Standing: Gap, Expected: 1}
	case s == nil:
		return Verdict{Standing: Next, Expected: 1}
	case first > s.next:
		return Verdict{Standing: Gap, Expected: s.next}
	case first < s.first:
		return Verdict{Standing: Evicted, Expected: s.next}
	}
	v := Verdict{Standing: Next, Expected: s.next, Places: s.places(first, uint64(n))}
	if uint64(v.Count()) == uint64(n) {
		v.Standing = Known
	}
	return v
}

// places is where n entries are, from a number on that is remembered, as far as they are there.
func (s *session) places(first, n uint64) []log.Range {
	var places []log.Range
	skip := first - s.first
	for _, r := range s.runs {
		if skip >= r.Len() {
			skip -= r.Len()
			continue
		}
		r.First += log.Position(skip)
		skip = 0
		if take := min(n, r.Len()); take > 0 {
			places = append(places, log.Span(r.First, int(take)))
			n -= take
		}
	}
	return places
}
