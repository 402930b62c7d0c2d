package replica

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
)

// settled is up to where everything is chosen, as the proposer of the newest writes and notices said.
type settled struct {
	by   log.Proposal
	upTo log.Position
}

func (s *settled) hear(by log.Proposal, upTo log.Position) {
	switch {
	case by > s.by:
		*s = settled{by, upTo}
	case by == s.by:
		s.upTo = max(s.upTo, upTo)
	}
}

// early is the writes of one proposal that came before the one below them. They wait for it, since a message that is lost
// on the way would otherwise cost the replica all that follows.
type early struct {
	by    log.Proposal
	waits []earlyWrite // in the order of their arrival
}

type earlyWrite struct {
	asked
	first log.Position
}

// maxEarly is how many writes wait, twice as many as a writer has on their way. Each is about a megabyte at most; what comes
// beyond that is dropped, and asked again by its round.
const maxEarly = 16

func (e *early) keep(by log.Proposal, w earlyWrite) {
	if by < e.by {
		return
	}
	if by > e.by {
		*e = early{by: by}
	}
	e.waits = slices.DeleteFunc(e.waits, func(o earlyWrite) bool { return o.first == w.first })
	if len(e.waits) < maxEarly {
		e.waits = append(e.waits, w)
	}
}

// take returns the writes that are due.
func (e *early) take(due func(first log.Position) bool) []earlyWrite {
	var taken []earlyWrite
	e.waits = slices.DeleteFunc(e.waits, func(w earlyWrite) bool {
		if due(w.first) {
			taken = append(taken, w)
			return true
		}
		return false
	})
	return taken
}

// linked says whether what lies below a write is there, so that it may be accepted. Only its own proposer's word counts: what
// this replica has learned there may be a NOP that was chosen instead (see paxos.Linked).
func (r *replica) linked(ctx actor.Context, w codec.Write) bool {
	upTo := w.Settled
	if r.settled.by == w.By {
		upTo = max(upTo, r.settled.upTo)
	}
	below := w.First - 1
	if w.First <= upTo+1 || r.written.by == w.By && r.written.positions.Contains(below) {
		return true
	}
	before, _, err := r.Store.Get(below)
	return r.stored(ctx, err) && paxos.Linked(w.By, w.First, upTo, before)
}

// postponed keeps a write that came before the one below it, and says whether it did.
func (r *replica) postponed(ctx actor.Context, m *messages.WriteRequest, w codec.Write, v paxos.Verdict) bool {
	if len(v.Store) == 0 || r.linked(ctx, w) || r.fault != nil {
		return false
	}
	r.early.keep(w.By, earlyWrite{asked{m, ctx.Sender()}, w.First})
	return true
}

// rejectEarly answers the writes that waited and are fenced now: they never would be accepted.
func (r *replica) rejectEarly(ctx actor.Context) {
	if r.early.by >= r.meta.Promised {
		return
	}
	fenced := r.early.waits
	r.early = early{}
	for _, w := range fenced {
		r.Receive(late{ctx, w.asked})
	}
}

// catchUp handles the writes that waited for what lies up to upTo, which is accepted now, or chosen. Each may bring what the next
// one waits for; one that waits for something else after all is kept again.
func (r *replica) catchUp(ctx actor.Context, by log.Proposal, upTo log.Position) {
	if r.early.by != by {
		return
	}
	for _, w := range r.early.take(func(first log.Position) bool {
		return first == upTo+1 || r.settled.by == by && first <= r.settled.upTo+1
	}) {
		r.Receive(late{ctx, w.asked})
	}
}
