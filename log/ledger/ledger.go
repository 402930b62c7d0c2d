// Package ledger is what one replica knows of its positions, without their values.
//
//	      begin              Learned()                  End()
//	        |                    |                        |
//	dropped | learned ... learned | hole, unlearned, learned, in any order | nothing yet
//
// Of every position from begin on, a replica has learned the value, or has a record that is not learned (it promised or
// accepted), or has nothing. A position without anything below the end is a hole.
package ledger

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/invariant"
)

// last is the highest position that a range can name.
const last log.Position = 1<<64 - 1

// Ledger keeps the positions of one replica by what is known of them. It is used by one goroutine at a time.
type Ledger struct {
	begin     log.Position // at least 1; nothing below it is in the sets
	learned   interval.Set
	unlearned interval.Set // shares no position with learned
}

// New returns the ledger of a log that keeps the positions from begin on, at least 1. It ignores what the sets hold
// below begin; a position in both sets is learned. The sets stay the caller's. A new log begins at 1, with empty sets.
func New(begin log.Position, learned, unlearned interval.Set) *Ledger {
	invariant.Hold(begin >= 1, "log begins at %d, want at least 1", begin)
	l := &Ledger{begin: begin}
	l.learned = learned.Intersect(l.kept())
	l.unlearned = unlearned.Intersect(l.kept()).Minus(l.learned)
	return l
}

// Begin is the first position that the replica keeps. An empty log has one, too: where it goes on.
func (l *Ledger) Begin() log.Position { return l.begin }

// End is the highest position for which the replica holds anything; Begin-1 if it holds nothing.
//
// It needs no field of its own: positions are only ever dropped from below, so the highest one outlives all others.
func (l *Ledger) End() log.Position {
	learned, _ := l.learned.Last()
	unlearned, _ := l.unlearned.Last()
	return max(l.begin-1, learned, unlearned)
}

// Learned is the highest position up to which everything from Begin on is learned; Begin-1 if Begin is not.
func (l *Ledger) Learned() log.Position {
	run, found := l.learned.Run(l.begin)
	if !found {
		return l.begin - 1
	}
	return run.Last
}

// Record says that the replica has a record for every position of r. Positions that are learned stay so, and positions
// below Begin are ignored.
func (l *Ledger) Record(r log.Range) {
	for unlearned := range l.Missing(r).All() {
		l.unlearned.Add(unlearned)
	}
}

// Learn says that every position of r is learned; that is final. Positions below Begin are ignored.
func (l *Ledger) Learn(r log.Range) {
	r = r.Intersect(l.kept())
	l.learned.Add(r)
	l.unlearned.Remove(r)
}

// Truncate drops everything below begin. Begin never moves back: a lower one changes nothing. A begin above End leaves
// an empty log, whose End is begin-1.
func (l *Ledger) Truncate(begin log.Position) {
	if begin <= l.begin {
		return
	}
	dropped := log.Range{First: l.begin, Last: begin - 1}
	l.learned.Remove(dropped)
	l.unlearned.Remove(dropped)
	l.begin = begin
}

// Missing returns the positions of r that are not learned, also those above End. What is below Begin is never missing.
func (l *Ledger) Missing(r log.Range) interval.Set {
	return l.learned.Complement(r.Intersect(l.kept()))
}

// Holes returns the positions from Begin to End for which the replica has no record.
func (l *Ledger) Holes() interval.Set { return l.learned.Union(l.unlearned).Complement(l.held()) }

// Unlearned returns the positions with a record that is not learned.
func (l *Ledger) Unlearned() interval.Set { return l.unlearned.Clone() }

// NotLearned is the number of positions from Begin to End that are not learned.
func (l *Ledger) NotLearned() uint64 { return l.held().Len() - l.learned.Len() }

// IsLearned says whether p is learned. Positions below Begin are not: nothing is known of them any more.
func (l *Ledger) IsLearned(p log.Position) bool { return l.learned.Contains(p) }

// LearnedIn returns the positions of r that are learned.
func (l *Ledger) LearnedIn(r log.Range) interval.Set { return l.learned.Intersect(r) }

// kept is every position that is not truncated.
func (l *Ledger) kept() log.Range { return log.Range{First: l.begin, Last: last} }

// held is every position from begin to end; empty if the log is.
func (l *Ledger) held() log.Range { return log.Range{First: l.begin, Last: l.End()} }
