package catchup

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
)

type (
	// Refreshed tells the parent up to where everything is learned. Its sender is the Refresh.
	Refreshed struct{ Learned log.Position }
	// askDue is the time to ask again whoever has not answered.
	askDue struct{}
	// awaitOver is the time to wait for the writer no longer.
	awaitOver struct{}
)

// NewRefresh returns the producer of a Refresh, which has the local replica learn everything that was acknowledged before it
// began: it asks a quorum of VOTING replicas for the ends of their logs (paxos.Frontier), and ends once everything up to the highest
// is learned: by the notices of a live writer, which has it on its way, or else by a catch-up.
//
//	asking ── a quorum answered ──▶ awaiting ── it is learned, same members ─▶ Refreshed, stopped
//	                                   └── too late ──▶ catching up ── Done ───────▲
//
// It never gives up; whoever no longer wants the result poisons it.
func NewRefresh(e *ensemble.Ensemble) actor.Producer {
	return func() actor.Actor {
		return &refresh{Ensemble: e, frontier: paxos.NewFrontier(len(e.Voters())), cancel: func() {}}
	}
}

type refresh struct {
	*ensemble.Ensemble
	self     identity.Identity
	request  uint64
	frontier *paxos.Frontier
	end      log.Position
	decided  bool // a quorum answered
	caught   bool // everything up to there is learned
	cancel   func()
}

// Receive implements actor.Actor.
func (r *refresh) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		ctx.Request(r.Replica, replica.Inspect{})
	case *actor.Stopping:
		r.cancel()
		ctx.Send(r.Replica, replica.Await{By: ctx.Self()})
	case replica.Inspected:
		r.inspected(ctx, m)
	case askDue:
		r.ask(ctx, r.silent())
	case *messages.FrontierResponse:
		r.hear(ctx, m)
	case awaitOver:
		r.catchUp(ctx)
	case replica.Reached, Done:
		ctx.Request(r.Replica, replica.Inspect{}) // it may have learned that the members are others now
		r.cancel()
		r.caught = true
	case Progress:
		ctx.Send(ctx.Parent(), m)
	}
}

// inspected begins to ask, or ends. Where the members were changed meanwhile, the new ones may have acknowledged what none of
// those that were asked holds: the change was at or below the end, so it is learned by now. Whoever wants the result is told
// of it, and asks anew.
func (r *refresh) inspected(ctx actor.Context, m replica.Inspected) {
	switch {
	case !r.caught:
		r.self, r.request = m.Identity, r.Random.Uint64()
		r.ask(ctx, nil)
	case m.Identity.Epoch == r.self.Epoch:
		r.finish(ctx)
	}
}

// ask asks these replicas, or all where to is nil, and again whoever is silent then.
func (r *refresh) ask(ctx actor.Context, to []log.ReplicaID) {
	if r.decided {
		return
	}
	r.Broadcast(ctx, &messages.FrontierRequest{Header: codec.EncodeHeader(r.self, r.request, nil)}, ctx.Self(), to)
	r.cancel = r.Clock.After(r.Twice(r.Patience.Retransmit), ctx.Self(), askDue{})
}

// silent are the replicas whose answer does not count.
func (r *refresh) silent() []log.ReplicaID {
	silent := []log.ReplicaID{}
	for _, id := range r.Voters() {
		if !r.frontier.Answered(id) {
			silent = append(silent, id)
		}
	}
	return silent
}

func (r *refresh) hear(ctx actor.Context, m *messages.FrontierResponse) {
	e, end, votes, err := codec.DecodeFrontierResponse(m)
	if err != nil || !votes || r.decided || e.Request != r.request || !r.Counts(r.self, e.From) {
		return
	}
	s := paxos.Standpoint{From: e.From.Replica, Incarnation: e.From.Incarnation, Known: e.Known, End: end}
	if r.end, r.decided = r.frontier.Add(s); !r.decided {
		return
	}
	r.cancel()
	if r.end == 0 {
		r.finish(ctx)
		return
	}
	ctx.Send(r.Replica, replica.Await{At: r.end, By: ctx.Self()})
	r.cancel = r.Clock.After(r.Patience.Grace/landing, ctx.Self(), awaitOver{})
}

// landing is which part of the grace a live writer gets until a catch-up looks for what it has not finished. The catch-up gives
// it all of the grace before it forces anything.
const landing = 4

func (r *refresh) catchUp(ctx actor.Context) {
	ctx.Send(r.Replica, replica.Await{By: ctx.Self()})
	ctx.Spawn(r.Props(New(r.Ensemble, Config{Range: log.Range{First: 1, Last: r.end}, Grace: r.Patience.Grace})))
}

func (r *refresh) finish(ctx actor.Context) {
	ctx.Request(ctx.Parent(), Refreshed{r.end})
	ctx.Stop(ctx.Self())
}
