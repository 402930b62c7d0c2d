package sessions

import (
	"slices"

	"github.com/quorumlog/quorumlog/log"
)

// MaxBytes is the size of the largest table, in bytes as Encode writes it: a TRUNCATE carries it as an entry. That is some
// 25,000 sessions that append one after the other, or 3,700 of which each has all its MaxRuns runs.
const MaxBytes = log.MaxEntry

// MaxRuns is how many runs a table remembers of one session: how far back it tells the positions of numbers. A client that has at
// most so many requests on their way, less a few that may have been cut in two, is never told that it is too late.
const MaxRuns = 16

// maxRunLength is how many numbers one run has at most.
const maxRunLength = 1<<32 - 1

// Run is entries of one session whose numbers follow each other, as their positions do.
type Run struct {
	Session log.Session
	First   uint64    // the number of the first one
	At      log.Range // the positions
}

// Extend appends an entry to the runs of a log: to the last one, where it follows it. An entry without a session is none.
func Extend(runs []Run, at log.Position, v *log.Value) []Run {
	if v.Sequence == 0 || v.Kind != log.Append {
		return runs
	}
	if n := len(runs); n > 0 {
		if r := &runs[n-1]; r.At.Last+1 == at && v.Sequence == r.First+r.At.Len() && v.Session == r.Session {
			r.At.Last = at
			return runs
		}
	}
	return append(runs, Run{v.Session, v.Sequence, log.Range{First: at, Last: at}})
}

// Table is which entries of which sessions are in the log up to some position. Two tables that were told the same runs in the
// order of their positions are equal, whatever was in between: it is a function of the log. It has no clock: where it is full,
// it forgets the session whose latest entry is the furthest down.
type Table struct {
	limit    int
	sessions map[log.Session]*session
	oldest   *session // a ring in the order of the latest entries: oldest.before is the newest
	bytes    int
	horizon  log.Position
}

// session is what is remembered of one.
type session struct {
	id            log.Session
	first         uint64      // the number of the first entry that is remembered
	next          uint64      // the one behind the last
	runs          []log.Range // of the entries from first on
	before, after *session
}

// What a table costs.
const (
	headBytes    = 8
	sessionBytes = 16 + 8 + 1
	runBytes     = 8 + 4
)

// New returns an empty table of at most so many bytes; every replica of a log must have the same limit. There is always room for
// one session.
func New(limit int) *Table {
	return &Table{limit: limit, sessions: make(map[log.Session]*session), bytes: headBytes}
}

// Len is the number of sessions that are remembered.
func (t *Table) Len() int { return len(t.sessions) }

// Horizon is the highest position of an entry whose session was forgotten; 0 where none was. Of a session that is not
// remembered, whatever is in the log is there, or below.
func (t *Table) Horizon() log.Position { return t.horizon }

// Note takes in a run that lies above everything that was taken in before. Numbers that were seen before are ignored: no
// coordinator writes them. Where numbers are missing, what lies before them is forgotten, for the same reason.
func (t *Table) Note(r Run) {
	s := t.sessions[r.Session]
	switch {
	case s == nil:
		s = &session{id: r.Session, first: r.First, next: r.First}
		t.sessions[r.Session] = s
		t.bytes += sessionBytes
	case r.First+(r.At.Len()-1) < s.next:
		return
	default:
		t.unlink(s)
	}
	t.link(s)
	if r.First > s.next {
		t.bytes -= runBytes * len(s.runs)
		s.first, s.next, s.runs = r.First, r.First, nil
	}
	r.At.First += log.Position(s.next - r.First)
	t.add(s, r.At)
	t.evict()
}

// add puts positions behind those of a session.
func (t *Table) add(s *session, at log.Range) {
	s.next += at.Len()
	if n := len(s.runs); n > 0 && s.runs[n-1].Last+1 == at.First && s.runs[n-1].Len()+at.Len() <= maxRunLength {
		s.runs[n-1].Last = at.Last
		return
	}
	s.runs = append(s.runs, at)
	t.bytes += runBytes
	if len(s.runs) > MaxRuns {
		s.first += s.runs[0].Len()
		s.runs = slices.Delete(s.runs, 0, 1)
		t.bytes -= runBytes
	}
}

// evict forgets the oldest sessions where there are too many.
func (t *Table) evict() {
	for t.bytes > t.limit && len(t.sessions) > 1 {
		s := t.oldest
		t.unlink(s)
		delete(t.sessions, s.id)
		t.bytes -= sessionBytes + runBytes*len(s.runs)
		t.horizon = max(t.horizon, s.last())
	}
}

// last is the position of the latest entry; 0 where there is none yet.
func (s *session) last() log.Position {
	if len(s.runs) == 0 {
		return 0
	}
	return s.runs[len(s.runs)-1].Last
}

// link makes a session the newest.
func (t *Table) link(s *session) {
	if t.oldest == nil {
		t.oldest, s.before, s.after = s, s, s
		return
	}
	newest := t.oldest.before
	s.before, s.after = newest, t.oldest
	newest.after, t.oldest.before = s, s
}

func (t *Table) unlink(s *session) {
	if s.after == s {
		t.oldest = nil
		return
	}
	s.before.after, s.after.before = s.after, s.before
	if t.oldest == s {
		t.oldest = s.after
	}
}

// Clone returns a table of its own.
func (t *Table) Clone() *Table {
	clone := New(t.limit)
	clone.bytes, clone.horizon = t.bytes, t.horizon
	t.each(func(s *session) {
		own := &session{id: s.id, first: s.first, next: s.next, runs: slices.Clone(s.runs)}
		clone.sessions[s.id] = own
		clone.link(own)
	})
	return clone
}

// each visits the sessions, the oldest one first.
func (t *Table) each(visit func(*session)) {
	s := t.oldest
	for range t.sessions {
		visit(s)
		s = s.after
	}
}
