package recovery

import (
	"cmp"
	"errors"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

type (
	// Decided tells the parent what the replica does next.
	Decided struct{ Decision status.Decision }
	// Advice tells the parent what an operator should know while nothing can be decided.
	Advice struct{ Text string }
	// Fenced tells the parent that the local disk is not the one that the cluster knows.
	Fenced struct{ Refusal identity.Refusal }
	// answersDue is the time to stop waiting for answers.
	answersDue struct{ attempt int }
	// retransmitDue is the time to ask again whoever has not answered: a request is lost where its receiver is not up yet.
	retransmitDue struct{ attempt int }
	// pauseOver is the time to ask again.
	pauseOver struct{ attempt int }
)

// NewProtocol returns the producer of a RecoverProtocol, which asks all replicas for their status, again and again, until
// status.Next can say what the local one does next.
//
//	waiting ── a quorum is present ──▶ asking ── decided ──▶ Decided, stopped   (the silent are asked again meanwhile)
//	 ▲  ▲                               │  │
//	 │  └──────── 10 s passed ──────────┘  │
//	 └── pausing ◀── all heard, undecided ─┘
//
// Every request registers the local incarnation with the receiver. One that knows a newer incarnation of this replica
// refuses: a replica that never voted under its own then takes a generation above it and asks again. One that is STARTING
// had registered with every member, so its disk is not the one that the cluster knows by now, and it is fenced.
func NewProtocol(e *ensemble.Ensemble, autoInitialize bool) actor.Producer {
	return func() actor.Actor {
		return &protocol{
			Ensemble: e, cancel: func() {}, quiet: func() {},
			config: status.Config{
				Members: len(e.Voters()), Quorum: paxos.Quorum(len(e.Voters())),
				// Where the members were changed, a log is there, and nobody begins another one.
				AutoInitialize: autoInitialize && e.Configuration.Epoch == 0,
			},
		}
	}
}

type protocol struct {
	*ensemble.Ensemble
	config  status.Config
	local   status.Local
	self    identity.Identity
	attempt int
	request uint64
	answers []status.Answer // at most one per replica
	advice  string
	over    bool
	pausing bool   // until pauseOver, or a replica has another status
	cancel  func() // ends the wait for answers, or the pause
	quiet   func() // ends the retransmissions
}

// Receive implements actor.Actor.
func (p *protocol) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.wait(ctx)
	case *actor.Stopping:
		p.cancel()
		p.quiet()
	case network.Watched:
		ctx.Request(p.Replica, replica.Inspect{})
	case replica.Inspected:
		p.ask(ctx, m)
	case replica.Reincarnated:
		ctx.Send(p.Network, m)
		p.wait(ctx)
	case *messages.RecoverResponse:
		p.hear(ctx, m)
	case answersDue:
		if m.attempt == p.attempt {
			p.Log.Info().Int("heard", len(p.answers)).Int("members", p.config.Members).Msg("the recover protocol asks again")
			p.wait(ctx)
		}
	case retransmitDue:
		if m.attempt == p.attempt && p.request != 0 {
			p.send(ctx)
		}
	case pauseOver:
		if m.attempt == p.attempt {
			p.wait(ctx)
		}
	case network.Changed:
		if p.pausing { // what a replica says now may decide
			p.wait(ctx)
		}
	}
}

// wait begins an attempt: it goes on once a quorum of the replicas is present.
func (p *protocol) wait(ctx actor.Context) {
	p.cancel()
	p.quiet()
	p.attempt++
	p.request, p.pausing = 0, false
	ctx.Request(p.Network, network.Watch{AtLeast: p.config.Quorum})
}

func (p *protocol) ask(ctx actor.Context, m replica.Inspected) {
	p.self, p.local = m.Identity, status.Local{Replica: p.Self, Status: m.Status}
	p.request, p.answers = p.Random.Uint64(), nil
	p.cancel()
	p.attempt++
	p.cancel = p.Clock.After(p.Patience.Protocol, ctx.Self(), answersDue{p.attempt})
	p.send(ctx)
}

// send asks whoever has not answered, and will do so again.
func (p *protocol) send(ctx actor.Context) {
	p.Broadcast(ctx, &messages.RecoverRequest{Header: codec.EncodeHeader(p.self, p.request, nil)}, ctx.Self(), p.silent())
	p.quiet = p.Clock.After(p.Twice(p.Patience.Retransmit), ctx.Self(), retransmitDue{p.attempt})
}

func (p *protocol) silent() []log.ReplicaID {
	silent := []log.ReplicaID{}
	for _, id := range p.Voters() {
		if !slices.ContainsFunc(p.answers, func(a status.Answer) bool { return a.From == id }) {
			silent = append(silent, id)
		}
	}
	return silent
}

func (p *protocol) hear(ctx actor.Context, m *messages.RecoverResponse) {
	e, s, err := codec.DecodeRecoverResponse(m)
	if p.over || p.request == 0 || e.Request != p.request {
		return
	}
	var refusal identity.Refusal
	switch {
	case errors.As(err, &refusal):
		p.refused(ctx, e.From.Replica, refusal)
	case err != nil:
		p.Log.Warn().Err(err).Msg("an answer was ignored")
	case !p.Counts(p.self, e.From):
	default:
		p.consider(ctx, answer(e, s))
	}
}

// refused handles a peer that knows this replica as somebody newer, or does not know it at all.
func (p *protocol) refused(ctx actor.Context, by log.ReplicaID, r identity.Refusal) {
	switch {
	case r.Reason == identity.DeadIncarnation && p.local.Status != status.Starting:
		p.Log.Info().Stringer("known", r.Known).Msg("this replica had another disk before")
		p.reincarnate(ctx, r.Known.Generation)
	case r.Reason == identity.DeadIncarnation || r.Reason == identity.DuplicateIdentity:
		p.over = true
		ctx.Send(ctx.Parent(), Fenced{r})
	default:
		p.Log.Warn().Uint16("by", uint16(by)).Stringer("reason", r.Reason).Str("detail", r.Detail).Msg("a member refuses to help")
	}
}

// reincarnate takes a generation above one that may have been this replica's before, and asks again.
//
// An EMPTY disk of the first generation among voting replicas is not this replica's first either, also where nobody knows
// the former one: replicas that an operator initialized register with nobody until they first speak, and a late message
// of the former disk could register it after this one.
func (p *protocol) reincarnate(ctx actor.Context, above uint64) {
	p.request = 0 // what the others answer to the old incarnation no longer matters
	ctx.Request(p.Replica, replica.Reincarnate{Above: above})
}

// consider asks the rule after every answer, and ignores the rest once it has decided.
func (p *protocol) consider(ctx actor.Context, a status.Answer) {
	p.answers = slices.DeleteFunc(p.answers, func(o status.Answer) bool { return o.From == a.From })
	p.answers = append(p.answers, a)
	slices.SortFunc(p.answers, func(a, b status.Answer) int { return cmp.Compare(a.From, b.From) })
	d := status.Next(p.config, p.local, p.answers)
	switch {
	case d.Next == status.Recovering && p.local.Status == status.Empty && p.self.Incarnation.Generation == 1:
		p.reincarnate(ctx, p.self.Incarnation.Generation)
	case !d.Undecided:
		p.over = true
		ctx.Send(ctx.Parent(), Decided{d})
		ctx.Stop(ctx.Self())
	case d.Complete:
		p.advise(ctx, d.Advice)
		p.pause(ctx)
	}
}

func (p *protocol) advise(ctx actor.Context, advice string) {
	if advice == p.advice {
		return
	}
	p.advice = advice
	if advice != "" {
		p.Log.Warn().Msg(advice)
	}
	ctx.Send(ctx.Parent(), Advice{advice})
}

func (p *protocol) pause(ctx actor.Context) {
	p.cancel()
	p.quiet()
	p.attempt++
	p.request, p.pausing = 0, true
	ctx.Request(p.Network, network.Wait{})
	p.cancel = p.Clock.After(p.Twice(p.Patience.Pause), ctx.Self(), pauseOver{p.attempt})
}

func answer(e codec.Envelope, s codec.Standing) status.Answer {
	return status.Answer{
		From: e.From.Replica, Incarnation: e.From.Incarnation, Known: e.Known, Status: s.Status,
		Begin: s.Begin, End: s.End, Learned: s.Learned, Promised: s.Promised, Highest: s.Highest, Reign: s.Reign,
		Founders: s.Founders,
	}
}
