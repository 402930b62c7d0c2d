// Package gateway serves clients: it turns their messages into questions to the coordinator and the replica, and the
// answers into messages.
//
//	AppendRequest ─▶ coordinator ── Appended ─▶ AppendResponse
//	                     │ NotElected, and the client does not insist on a writer
//	                     ▼
//	                 who writes? ── another member ─▶ AppendResponse: ask that one
//	                     └───────── nobody ─▶ Seek ─▶ leader, and then the coordinator once more
//
// A client may talk to any member: it is told who writes, or has one elected. One that subscribes has an actor of its own below the
// gateway (package subscription), which it talks to from then on.
package gateway

import (
	"maps"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/leader"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/subscription"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

type (
	// Serve tells the gateway that the replica votes, who writes for it, and who sees to it that somebody does; nil where
	// nobody is elected unless a client asks.
	Serve struct{ Coordinator, Leader *actor.PID }
	// Advise sets the advice that the member's status shows; empty if all is well.
	Advise struct{ Text string }
	// catchupDue is the time to give a client up that waits for a catch-up.
	catchupDue struct{ tag uint64 }
	// waitOver is the time to answer a reader that waits, whatever there is.
	waitOver struct{ tag uint64 }
)

// New returns the producer of a gateway.
func New(e *ensemble.Ensemble) actor.Producer {
	return func() actor.Actor {
		return &gateway{Ensemble: e, writes: make(map[uint64]write), reads: make(map[uint64]read), waits: make(map[uint64]wait),
			subscriptions: make(map[string]*actor.PID)}
	}
}

type gateway struct {
	*ensemble.Ensemble
	coordinator   *actor.PID // nil until the replica votes
	leader        *actor.PID // nil until then, and where there is none
	tag           uint64     // of the last question
	writes        map[uint64]write
	reads         map[uint64]read
	waits         map[uint64]wait
	subscriptions map[string]*actor.PID // by who asked for which
	awaited       log.Position          // what the replica is to tell of; 0 for nothing
	refresh       refresh
	search        search
	statuses      []caller
	peers         []network.Peer
	progress      catchup.Progress
	advice        string
}

// caller is a client that waits for an answer.
type caller struct {
	pid     *actor.PID
	request uint64
}

// Receive implements actor.Actor.
func (g *gateway) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Stopping:
		g.stop(ctx)
	case Serve:
		g.leader = m.Leader
		g.serve(ctx, m.Coordinator)
	case Advise:
		g.advice = m.Text
	case catchup.Progress:
		g.progress = m
	case *messages.AppendRequest:
		g.append(ctx, m)
	case *messages.TruncateRequest:
		g.truncate(ctx, m)
	case *messages.ElectRequest:
		g.elect(ctx, m)
	case *messages.ReadRequest:
		g.read(ctx, m)
	case *messages.SubscribeRequest:
		g.subscribe(ctx, m)
	case *messages.DigestRequest:
		g.digest(ctx, m)
	case *messages.StatusRequest:
		g.statuses = append(g.statuses, caller{ctx.Sender(), m.GetRequest()})
		ctx.Request(g.Network, network.Survey{})
	case *messages.EventsRequest:
		g.events(ctx, m)
	case *messages.CatchupRequest:
		g.catchUp(ctx, m)
	case *messages.MembersRequest:
		g.members(ctx, m)
	default:
		g.receiveLocal(ctx)
	}
	g.Measures.Searching.Bytes.Set(g.search.cost)
}

// receiveLocal handles the answers of this member's own actors.
func (g *gateway) receiveLocal(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case coordinator.Appended:
		g.appended(ctx, m)
	case coordinator.Elected:
		g.elected(ctx, m)
	case coordinator.Changed:
		g.changed(ctx, m)
	case coordinator.Failed:
		g.failed(ctx, m)
	case ensemble.Moved:
		g.move(ctx, m)
	case leader.Found:
		g.found(ctx, m)
	case leader.Elsewhere:
		g.elsewhere(ctx, m)
	case replica.Page:
		g.page(ctx, m)
	case network.Surveyed:
		g.surveyed(ctx, m)
	case replica.Inspected:
		g.inspected(ctx, m)
	case catchup.Refreshed:
		g.refreshed(ctx, m)
	case replica.Reached:
		g.reached(ctx, m.Learned)
	case subscription.Renewed:
		g.renewed(ctx)
	case *actor.Terminated:
		g.unsubscribed(m)
	case waitOver:
		g.waitedInVain(ctx, m.tag)
	case catchupDue:
		g.catchupOver(ctx, m.tag)
	}
}

// serve has clients served by a coordinator, or turned away where there is none: the replica does not vote.
func (g *gateway) serve(ctx actor.Context, coordinator *actor.PID) {
	if g.coordinator = coordinator; coordinator == nil {
		g.endWaits(ctx, g.notVoting())
		g.endSubscriptions(ctx, g.notVoting())
	}
}

func (g *gateway) next() uint64 {
	g.tag++
	return g.tag
}

func (g *gateway) caller(ctx actor.Context, request uint64) caller {
	return caller{ctx.Sender(), request}
}

// notVoting is what a member says while its replica does not vote.
func (g *gateway) notVoting() *messages.Failure {
	detail := "this member's replica does not vote yet: wait until it has recovered, or ask another member"
	if g.advice != "" {
		detail += " (" + g.advice + ")"
	}
	return &messages.Failure{Code: messages.Code_CODE_NOT_VOTING, Detail: detail}
}

// stop answers everybody who waits: what the coordinator has may or may not come to be in the log, the rest is undone.
func (g *gateway) stop(ctx actor.Context) {
	closed := codec.EncodeFailure(messages.Code_CODE_CLOSED, "this member is going down: ask another one")
	g.refresh.stop(ctx, closed)
	for _, tag := range slices.Sorted(maps.Keys(g.writes)) {
		g.writes[tag].fail(ctx, g.failure(coordinator.Indeterminate))
	}
	for _, tag := range slices.Sorted(maps.Keys(g.reads)) {
		g.reads[tag].fail(ctx, closed)
	}
	g.endWaits(ctx, closed)
	g.endSearch(func(w write) { w.fail(ctx, closed) })
}

// reply sends an answer to whoever asked; a client without an address asked for none.
func reply(ctx actor.Context, to caller, answer any) {
	if to.pid != nil {
		ctx.Send(to.pid, answer)
	}
}

// writer returns the member whose coordinator is elected under the highest proposal, as far as is known; 0 if none.
func (g *gateway) writer() log.ReplicaID {
	var id log.ReplicaID
	var by log.Proposal
	for _, p := range g.peers {
		if p.Present && p.Presence.Writer > by {
			id, by = p.ID, p.Presence.Writer
		}
	}
	return id
}
