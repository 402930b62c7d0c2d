package catchup

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// Refresh has the local replica learn everything that was acknowledged before it began: it asks a quorum of VOTING
// replicas for the ends of their logs, and catches up to the highest. Any acknowledged position was accepted by a quorum,
// so one of those asked holds it.
//
//	asking ── a quorum answered ──▶ catching up ──▶ Refreshed, stopped
//
// It never gives up; whoever no longer wants the result poisons it.

type (
	// Refreshed tells the parent up to where everything is learned. Its sender is the Refresh.
	Refreshed struct{ Learned log.Position }
	// askDue is the time to ask again.
	askDue struct{}
)

// NewRefresh returns the producer of a Refresh.
func NewRefresh(e *ensemble.Ensemble) actor.Producer {
	return func() actor.Actor { return &refresh{Ensemble: e, cancel: func() {}} }
}

type refresh struct {
	*ensemble.Ensemble
	self    identity.Identity
	request uint64
	voting  []log.ReplicaID
	end     log.Position
	decided bool
	cancel  func()
}

// Receive implements actor.Actor.
func (r *refresh) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, askDue:
		if !r.decided {
			ctx.Request(r.Replica, replica.Inspect{})
			r.cancel = r.Clock.After(r.Patience.Fetch, ctx.Self(), askDue{})
		}
	case *actor.Stopping:
		r.cancel()
	case replica.Inspected:
		r.ask(ctx, m)
	case *messages.RecoverResponse:
		r.hear(ctx, m)
	case Done:
		ctx.Request(ctx.Parent(), Refreshed{r.end})
		ctx.Stop(ctx.Self())
	case Progress:
		ctx.Send(ctx.Parent(), m)
	}
}

func (r *refresh) ask(ctx actor.Context, m replica.Inspected) {
	if r.decided {
		return
	}
	r.self, r.request, r.voting, r.end = m.Identity, r.Random.Uint64(), nil, 0
	r.Broadcast(ctx, &messages.RecoverRequest{Header: codec.EncodeHeader(r.self, r.request, nil)}, ctx.Self(), nil)
}

func (r *refresh) hear(ctx actor.Context, m *messages.RecoverResponse) {
	e, s, err := codec.DecodeRecoverResponse(m)
	if err != nil || r.decided || e.Request != r.request || !r.Counts(r.self, e.From) {
		return
	}
	if s.Status != status.Voting || slices.Contains(r.voting, e.From.Replica) {
		return
	}
	r.voting = append(r.voting, e.From.Replica)
	r.end = max(r.end, s.End)
	if len(r.voting) < paxos.Quorum(len(r.Members)) {
		return
	}
	r.decided = true
	r.cancel()
	ctx.Spawn(r.Props(New(r.Ensemble, Config{Range: log.Range{First: 1, Last: r.end}, Grace: r.Patience.Grace})))
}
