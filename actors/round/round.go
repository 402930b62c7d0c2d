// Package round asks every replica one question of one proposal, reports one outcome, and stops.
//
//	asking ── enough answers ──▶ Done, stopped
//	 ▲  │
//	 └──┘ retransmit to whoever has not answered
//
// The PID of a round, and the random number of its request, tell its answers from those of any other: a late answer
// goes to a PID that is gone. A round always ends: at the latest when its patience is over.
package round

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
)

// Question is what a round asks.
type Question struct {
	kind   paxos.Question
	values int           // of a write
	linger time.Duration // of a canvass: how long those who are silent are waited for, once somebody minds
	build  func(*messages.Header) proto.Message
}

// Promise asks for a promise: for the positions of a range, or for all where the range is empty.
func Promise(by log.Proposal, r log.Range) Question {
	kind := paxos.AskRange
	if r.Empty() {
		kind = paxos.AskImplicit
	}
	return Question{kind: kind, build: func(h *messages.Header) proto.Message { return codec.EncodePromiseRequest(h, by, r) }}
}

// Candidacy asks for an implicit promise in an election that nobody asked for: whoever hears another writer rejects it. A
// quorum that does not is enough.
func Candidacy(by log.Proposal) Question {
	return Question{kind: paxos.AskRange, build: func(h *messages.Header) proto.Message { return codec.EncodeCandidacy(h, by) }}
}

// Reign asks to note the reign of a writer whose implicit promise was granted.
func Reign(r log.Reign) Question {
	return Question{kind: paxos.AskRange, build: func(h *messages.Header) proto.Message { return codec.EncodeReignRequest(h, r) }}
}

// Canvass asks whether anybody would mind an election. What is won is an opinion, and no promise. Once somebody minds, it is lost
// after a while unless a quorum would not: two members that canvass at the same moment, beside one that is down, mind each other.
func Canvass(by log.Proposal, linger time.Duration) Question {
	return Question{kind: paxos.AskOpinion, linger: linger, build: func(h *messages.Header) proto.Message {
		return codec.EncodeCanvassRequest(h, by)
	}}
}

// Write asks to accept a run of values. The envelope of w is not used.
func Write(w codec.Write) Question {
	return Question{kind: paxos.AskWrite, values: len(w.Values), build: func(h *messages.Header) proto.Message {
		return codec.EncodeWriteRequest(h, w)
	}}
}

type (
	// Done is what a round tells its parent, once. Its sender is the round: a parent that gave up on one may still hear
	// from it.
	Done struct {
		Outcome paxos.Outcome
		// Unclear says that something of a write may be in the log, or get there, although the round was not won.
		Unclear bool
		// Age is how many syncs the local replica's disk had seen when it answered; 0 if it did not.
		Age uint64
	}
	// retransmitDue is the time to ask again whoever has not answered.
	retransmitDue struct{}
	// answersDue is the time to give up.
	answersDue struct{}
	// lingerOver is the time to report a write or a canvass as lost although somebody has not answered it.
	lingerOver struct{}
)

// New returns the producer of a round, which tells its parent Done. Self is what the request says of its sender: the identity of the
// local replica as Reserved or Inspected had it (package replica), so that the disk on which the proposal is durable is known.
func New(e *ensemble.Ensemble, self identity.Identity, q Question) actor.Producer {
	return func() actor.Actor {
		return &round{Ensemble: e, self: self, Question: q, tally: paxos.NewTally(q.kind, len(e.Voters()))}
	}
}

type round struct {
	*ensemble.Ensemble
	Question
	self    identity.Identity
	request uint64
	message proto.Message
	tally   *paxos.Tally
	heard   []identity.Heard // who answered
	age     uint64           // of the local replica's disk, as it answered
	lost    paxos.Outcome    // the outcome of what lingers
	over    bool
	cancel  []func()
}

// Receive implements actor.Actor.
func (r *round) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		r.start(ctx)
	case *actor.Stopping:
		r.stopTimers()
	case *messages.PromiseResponse:
		e, answer, err := codec.DecodePromiseResponse(m)
		r.consider(ctx, e, answer, err)
	case *messages.WriteResponse:
		e, answer, err := codec.DecodeWriteResponse(m)
		r.consider(ctx, e, answer, err)
	case *messages.CanvassResponse:
		e, answer, err := codec.DecodeCanvassResponse(m)
		r.consider(ctx, e, answer, err)
	case retransmitDue:
		r.retransmit(ctx)
	case lingerOver:
		r.finish(ctx, r.lost)
	case answersDue:
		r.finish(ctx, paxos.Unheard{})
	}
}

func (r *round) start(ctx actor.Context) {
	r.request = r.Random.Uint64()
	r.message = r.build(codec.EncodeHeader(r.self, r.request, nil))
	r.Broadcast(ctx, r.message, ctx.Self(), nil)
	r.cancel = []func(){
		r.Clock.After(r.Patience.Round, ctx.Self(), answersDue{}),
		r.Clock.After(r.Twice(r.Patience.Retransmit), ctx.Self(), retransmitDue{}),
	}
}

func (r *round) consider(ctx actor.Context, e codec.Envelope, answer paxos.Answer, err error) {
	if err != nil {
		r.Log.Warn().Err(err).Msg("an answer was ignored")
		return
	}
	if r.over || e.Request != r.request || !r.Counts(r.self, e.From) {
		return
	}
	r.heard = append(r.heard, e.From.Sighting())
	if e.From.Replica == r.self.Replica {
		r.age = e.From.Age
	}
	outcome := r.tally.Add(paxos.Vote{From: e.From.Replica, Incarnation: e.From.Incarnation, Known: e.Known, Answer: answer})
	switch o := outcome.(type) {
	case paxos.Pending:
		if a, minds := answer.(paxos.Rejected); minds && r.kind == paxos.AskOpinion {
			r.lingerFor(ctx, r.linger, paxos.Lost{By: a.By})
		}
	case paxos.Lost:
		r.lose(ctx, o)
	case paxos.Won, paxos.Settled, paxos.Passed, paxos.Unheard:
		r.finish(ctx, o)
	}
}

// lose waits a moment for those who have not answered a write that is lost: if they hold nothing of it either, the client
// hears that it is not in the log, and need not wonder.
func (r *round) lose(ctx actor.Context, o paxos.Lost) {
	if r.kind != paxos.AskWrite || len(r.silent()) == 0 {
		r.finish(ctx, o)
		return
	}
	r.lingerFor(ctx, r.Patience.Retransmit, o)
}

// lingerFor waits for those who are silent, once, and reports the latest of what it was lost by.
func (r *round) lingerFor(ctx actor.Context, d time.Duration, lost paxos.Lost) {
	if r.lost == nil {
		r.cancel = append(r.cancel, r.Clock.After(d, ctx.Self(), lingerOver{}))
	}
	r.lost = lost
}

// retransmit asks again: messages are lost, and a replica that was asked twice answers twice.
func (r *round) retransmit(ctx actor.Context) {
	if r.over {
		return
	}
	r.Broadcast(ctx, r.message, ctx.Self(), r.silent())
	r.cancel[1] = r.Clock.After(r.Twice(r.Patience.Retransmit), ctx.Self(), retransmitDue{})
}

func (r *round) finish(ctx actor.Context, outcome paxos.Outcome) {
	if r.over {
		return
	}
	r.over = true
	ctx.Send(r.Replica, replica.Heard{Processes: r.heard}) // so that a disk that later forgets these answers is found
	ctx.Request(ctx.Parent(), Done{Outcome: outcome, Unclear: r.tally.Unclear(r.values), Age: r.age})
	ctx.Stop(ctx.Self())
}

// silent are the replicas whose answer is not counted.
func (r *round) silent() []log.ReplicaID {
	silent := []log.ReplicaID{}
	for _, id := range r.Voters() {
		if !r.tally.Answered(id) {
			silent = append(silent, id)
		}
	}
	return silent
}

func (r *round) stopTimers() {
	for _, cancel := range r.cancel {
		cancel()
	}
}
