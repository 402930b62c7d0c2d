package replica

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
)

// heard is who writes, as far as this replica hears: whoever says so in a greeting, writes, gives notice, or was promised
// everything and is about to write. It is memory only. Nothing but opinions rests on it: an election that somebody asked for
// does not look here.
type heard struct {
	by        log.Proposal
	at        time.Time
	as        regard
	began     time.Time    // when it was heard as that for the first time
	favoured  log.Proposal // who was told last that an election would disturb nobody, ...
	since     time.Time    // ... and when
	attendant *actor.PID   // is told Deserted; nil for nobody
}

// lately says whether something was so recently. A clock that was put back makes nothing recent.
func lately(now, at time.Time, within time.Duration) bool {
	passed := now.Sub(at)
	return passed >= 0 && passed <= within
}

// lead notes that the local coordinator is elected, or not any more.
func (h *heard) lead(by log.Proposal, self log.ReplicaID) {
	if by == 0 && h.by.Replica() == self {
		h.by = 0
	}
}

// regard is as what somebody was heard.
type regard uint8

const (
	wasPromised regard = iota // it was promised everything, and has said nothing itself
	stands                    // it says that it is about to write
	writes
)

// hearGreeting notes what a greeting says of who writes. One of whom only its request for a promise was heard may have sent it
// before that was granted: it is not taken for gone, or the next one would stand, and fence it.
func (r *replica) hearGreeting(ctx actor.Context, h codec.Hello) {
	switch {
	case h.Writer > 0:
		r.hearLeader(h.Writer, writes)
	case h.Candidacy > 0:
		r.hearLeader(h.Candidacy, stands)
	case r.heard.as != wasPromised:
		r.deserted(ctx, h.From.Replica, h.Successor)
	}
}

// hearWrites notes that somebody writes, by what he writes. Only who was promised everything, or has a reign, is a writer: a fill
// writes too, and is over in a moment. Who missed both hears of the writer by its greetings.
func (r *replica) hearWrites(by log.Proposal) {
	if by == r.meta.Promised || by == r.meta.Reign.By || by == r.heard.by {
		r.hearLeader(by, writes)
	}
}

// hearLeader notes that a proposal's owner writes, or is about to. One that a higher promise has fenced does not any more, and one
// that is about to for longer than an election takes is not waited for: it hangs, and another one may not.
func (r *replica) hearLeader(by log.Proposal, as regard) {
	h, now := &r.heard, r.Clock.Now()
	if by == 0 || by < r.meta.Promised || by < r.writer() {
		return
	}
	if anew := by != h.by || as > h.as || as == stands && h.as == writes; anew {
		h.by, h.as, h.began = by, as, now
	}
	if h.as == writes || lately(now, h.began, r.Election) {
		h.at = now
	}
}

// candidacy is the proposal under which the local coordinator is about to be elected, unless a higher promise fences it; 0 for none.
func (r *replica) candidacy() log.Proposal {
	if r.lead.stands < r.meta.Promised {
		return 0
	}
	return r.lead.stands
}

// writer is the proposal of whoever writes, or is about to, as far as was heard lately; 0 for nobody.
func (r *replica) writer() log.Proposal {
	switch {
	case r.lead.by > 0:
		return r.lead.by
	case r.candidacy() > 0:
		return r.candidacy()
	case lately(r.Clock.Now(), r.heard.at, r.Silence):
		return r.heard.by
	}
	return 0
}

// deserted notes that a replica does not write any more, and tells who attends, if it was the one that did.
func (r *replica) deserted(ctx actor.Context, by, successor log.ReplicaID) {
	if r.heard.by == 0 || r.heard.by.Replica() != by || by == r.meta.Replica {
		return
	}
	r.heard.by, r.heard.favoured, r.heard.as = 0, 0, wasPromised
	if r.heard.attendant != nil {
		ctx.Send(r.heard.attendant, Deserted{successor})
	}
}

// canvass answers a CanvassRequest. It is an opinion, so nothing is stored for it, and it waits for no sync.
func (r *replica) canvass(ctx actor.Context, m *messages.CanvassRequest) {
	c, err := codec.DecodeCanvassRequest(m)
	header := codec.EncodeHeader(r.admission.Self, m.GetHeader().GetRequest(), nil)
	r.respond(ctx, ctx.Sender(), codec.EncodeCanvassResponse(header, r.opinion(c, err)))
}

func (r *replica) opinion(c codec.Canvass, err error) paxos.Answer {
	switch {
	case r.fault != nil:
		return paxos.Refused{Refusal: r.broken()}
	case err != nil:
		return paxos.Refused{Refusal: identity.Refusal{Reason: identity.Malformed, Detail: err.Error()}}
	}
	if refusal, ok := r.known(c.From); !ok {
		return paxos.Refused{Refusal: refusal}
	}
	if !r.voting() {
		return paxos.NotVoting{Status: r.meta.Status}
	}
	answer := paxos.Canvass(r.acceptor(), max(r.writer(), r.favourite()), c.By)
	if _, willing := answer.(paxos.Willing); willing {
		r.heard.favoured, r.heard.since = c.By, r.Clock.Now()
	}
	return answer
}

// favourite is who may have itself elected at this moment, since this replica would not mind: a second one would fence it
// before it has begun.
func (r *replica) favourite() log.Proposal {
	if lately(r.Clock.Now(), r.heard.since, r.Candidacy) {
		return r.heard.favoured
	}
	return 0
}
