package paxos

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
)

// MaxJump is how many rounds above everything it has seen an acceptor follows a proposal in one step, so that one message
// cannot use up all proposals that there are.
const MaxJump = 1 << 32

// Acceptor is what the disk of a VOTING replica says of all positions together.
type Acceptor struct {
	Promised log.Proposal // the implicit promise
	Highest  log.Proposal // the highest proposal ever granted or used
	Begin    log.Position // the first position that is kept
	End      log.Position // the highest position for which anything is held
	Reign    log.Reign    // the latest that it was told of
}

// Verdict is an answer, and what must be on disk before it leaves.
type Verdict struct {
	Answer   Answer
	Store    []log.Action // records to write
	Promised log.Proposal // the implicit promise to write; 0 leaves it
	Reign    log.Reign    // the reign to write; the zero one leaves it
}

// Promise decides on an implicit promise: to take part in no lower proposal at any position, present or future.
//
// The same proposal is granted again: proposals are never shared, so it is the same proposer, whose first answer was lost.
func Promise(a Acceptor, by log.Proposal) Verdict {
	if refusal, far := a.tooFar(by, 0); far {
		return Verdict{Answer: refusal}
	}
	switch {
	case by < a.Promised:
		return Verdict{Answer: Rejected{By: a.Promised}}
	case by == a.Promised:
		return Verdict{Answer: Promised{End: a.End, Reign: a.Reign}}
	}
	return Verdict{Answer: Promised{End: a.End, Reign: a.Reign}, Promised: by}
}

// BeginReign decides on the reign of a writer whose implicit promise a quorum has granted. Held are the records from its
// first position on.
//
// It is rejected where a position from there on was promised to a higher proposal, or learned: whoever that is may have
// been told of what is void by acceptors that did not know yet, and may have it chosen. The writer then is elected again
// under a higher proposal, and settles that position first.
func BeginReign(a Acceptor, held []log.Action, r log.Reign) Verdict {
	v := Promise(a, r.By)
	if _, granted := v.Answer.(Promised); !granted || a.Reign == r {
		return v
	}
	var highest log.Proposal
	for _, known := range held {
		if known.Position >= r.First && (known.Learned || known.Promised > r.By) {
			highest = max(highest, known.Promised, known.Performed)
		}
	}
	if highest > 0 {
		return Verdict{Answer: Rejected{By: max(highest, r.By)}}
	}
	v.Reign = r
	return v
}

// PromiseRange decides on an explicit promise for a range, all or nothing. Held are the records in the range, in order.
//
// The effective promise at a position is the higher of the implicit one and the record's own (hole S18: Mesos looks at
// the record alone). A learned position is final, so nothing need be promised for it: its record is the answer.
func PromiseRange(a Acceptor, held []log.Action, by log.Proposal, r log.Range) Verdict {
	if refusal, far := a.tooFar(by, r.Last); far {
		return Verdict{Answer: refusal}
	}
	if r.First < a.Begin {
		return Verdict{Answer: Truncated{a.Begin}}
	}
	answer := Promised{Range: r, End: max(a.End, r.Last), Reign: a.Reign}
	var highest log.Proposal
	var store []log.Action
	for known := range records(held, r) {
		if known.Value.Kind != log.None {
			answer.Actions = append(answer.Actions, known)
		}
		if known.Learned {
			continue
		}
		highest = max(highest, a.Promised, known.Promised)
		if known.Promised < by {
			known.Promised = by
			store = append(store, known)
		}
	}
	if by < highest {
		return Verdict{Answer: Rejected{By: highest}}
	}
	return Verdict{Answer: answer, Store: store}
}

// Write decides on a run of values, all or nothing. Held are the records in the run, in order.
//
// Accepting raises the promise of the position to the accepted proposal; otherwise a delayed promise of a lower one could
// be granted afterwards, and its write would lower what was accepted (hole S1). The same write again is acknowledged
// again, also where a higher proposal was promised since: that it was accepted stays true.
//
// A value that is chosen already is as good as accepted, but not where a higher proposal wrote it: two entries of two
// clients may have the same bytes, and the other writer's client was told that its entry is at this position.
func Write(a Acceptor, held []log.Action, by log.Proposal, first log.Position, values []log.Value) Verdict {
	r := log.Span(first, len(values))
	if refusal, far := a.tooFar(by, r.Last); far {
		return Verdict{Answer: refusal}
	}
	if first < a.Begin {
		return Verdict{Answer: Truncated{a.Begin}}
	}
	w := writing{implicit: a.Promised, by: by}
	for known := range records(held, r) {
		w.consider(known, values[known.Position-first])
	}
	return w.verdict(r)
}

// writing is what is known of a write after some of its positions.
type writing struct {
	implicit, by log.Proposal
	highest      log.Proposal // the highest promise that stands in the way
	chosen       []log.Action // other values that are chosen
	overwritten  bool         // the run may have been accepted before, see Rejected
	torn         log.Position // where this very proposal wrote something else
	store        []log.Action
}

func (w *writing) consider(known log.Action, v log.Value) {
	promised := max(w.implicit, known.Promised)
	switch {
	case known.Learned && known.Value.Equal(v):
		w.overwritten = true
		if known.Performed > w.by {
			w.highest = max(w.highest, known.Performed)
		}
	case known.Learned:
		w.chosen = append(w.chosen, known)
	case known.Performed == w.by && known.Value.Equal(v):
	case known.Performed == w.by:
		w.torn = known.Position
	case w.by < promised:
		w.highest = max(w.highest, promised)
		w.overwritten = w.overwritten || known.Performed > w.by
	default:
		w.store = append(w.store, log.Action{Position: known.Position, Promised: w.by, Performed: w.by, Value: v})
	}
}

func (w *writing) verdict(r log.Range) Verdict {
	switch {
	case len(w.chosen) > 0:
		return Verdict{Answer: Learned{w.chosen}}
	case w.highest > 0:
		return Verdict{Answer: Rejected{w.highest, w.overwritten}}
	case w.torn > 0:
		return Verdict{Answer: Refused{identity.Refusal{Reason: identity.Malformed, Detail: fmt.Sprintf(
			"proposal %s wrote another value at position %d before", w.by, w.torn)}}}
	}
	return Verdict{Answer: Accepted{r}, Store: w.store}
}

// records pairs every position of the range with its record, or with an empty one.
func records(held []log.Action, r log.Range) func(yield func(log.Action) bool) {
	return func(yield func(log.Action) bool) {
		for i := uint64(0); i < r.Len(); i++ {
			known := log.Action{Position: r.First + log.Position(i)}
			if len(held) > 0 && held[0].Position == known.Position {
				known, held = held[0], held[1:]
			}
			if !yield(known) {
				return
			}
		}
	}
}

// tooFar refuses a proposal or a position that is further away than an acceptor follows in one step.
func (a Acceptor) tooFar(by log.Proposal, last log.Position) (Refused, bool) {
	seen := max(a.Highest, a.Promised)
	if by.Round() > seen.Round() && by.Round()-seen.Round() > MaxJump {
		return Refused{identity.Refusal{Reason: identity.OutOfBounds, Detail: fmt.Sprintf(
			"proposal %s is more than %d rounds above %s", by, uint64(MaxJump), seen)}}, true
	}
	end := max(a.End, a.Begin-1)
	if last > end && last-end > log.Window {
		return Refused{identity.Refusal{Reason: identity.OutOfBounds, Detail: fmt.Sprintf(
			"position %d is more than %d above the end of the log, %d: catch up first", last, log.Window, end)}}, true
	}
	return Refused{}, false
}
