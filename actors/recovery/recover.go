// Package recovery brings a replica that may not vote to one that may.
//
//	checking ── VOTING ──▶ done
//	    │
//	    └─ other ─▶ deciding ── STARTING ──▶ storing ─▶ deciding
//	                 │   └───── VOTING ────▶ storing ─▶ done
//	                 │ └─────── RECOVERING ▶ storing ─▶ catchingUp ─▶ storing (VOTING) ─▶ done
//	                 └────────── rebearing ◀─ Doubted ─────┘
//
// Recover is the shell around two others: RecoverProtocol (protocol.go) says which status comes next, and Catchup brings
// what was missed. Every status is durable before the next step. Whoever no longer wants the result poisons Recover: it
// ends with its children, wherever it is.
package recovery

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
)

type (
	// Recovered tells the parent that the replica votes.
	Recovered struct{}
	// Doubted says that a quorum votes, and knows this replica under another disk, which nobody hears: what is missing must be
	// learned as a life Above that one. Only a replica that catches up heeds it; while the protocol decides it finds out by itself.
	Doubted struct{ Above uint64 }
)

// New returns the producer of a Recover, which tells its parent Recovered, and before that Advice, Fenced and catchup.Progress. With
// autoInitialize the replica may take part in beginning a new log (rules B2 and B3 in package status).
func New(e *ensemble.Ensemble, autoInitialize bool) actor.Producer {
	return func() actor.Actor { return &recoverer{Ensemble: e, autoInitialize: autoInitialize} }
}

type recoverer struct {
	*ensemble.Ensemble
	autoInitialize bool
	state          state
}

// state is one state of the chart in the package comment. receive returns the next one.
type state interface{ receive(ctx actor.Context) state }

// Receive implements actor.Actor.
func (r *recoverer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		ctx.Request(r.Replica, replica.Inspect{})
		r.state = checking{r}
	case ensemble.Moved:
		r.move(ctx, m)
	case Advice, Fenced, catchup.Progress:
		ctx.Send(ctx.Parent(), m)
	case *actor.Stopping, *actor.Stopped:
	default:
		r.state = r.state.receive(ctx)
	}
}

// move begins anew with other members: what was asked of the former ones does not count any more.
func (r *recoverer) move(ctx actor.Context, m ensemble.Moved) {
	if _, over := r.state.(done); over {
		return
	}
	r.Ensemble = m.Ensemble
	for _, child := range ctx.Children() {
		ctx.Poison(child)
	}
	ctx.Request(r.Replica, replica.Inspect{})
	r.state = checking{r}
}

// checking: the local replica is asked for its status.
type checking struct{ *recoverer }

func (s checking) receive(ctx actor.Context) state {
	m, ok := ctx.Message().(replica.Inspected)
	switch {
	case !ok:
		return s
	case m.Status == status.Voting:
		return s.finish(ctx)
	}
	return s.decide(ctx)
}

func (r *recoverer) decide(ctx actor.Context) state {
	ctx.Spawn(r.Props(NewProtocol(r.Ensemble, r.autoInitialize)))
	return deciding{r}
}

func (r *recoverer) finish(ctx actor.Context) state {
	ctx.Send(ctx.Parent(), Recovered{})
	ctx.Stop(ctx.Self())
	return done{}
}

// deciding: the protocol finds out what comes next.
type deciding struct{ *recoverer }

func (s deciding) receive(ctx actor.Context) state {
	m, ok := ctx.Message().(Decided)
	if !ok {
		return s
	}
	d := m.Decision
	ctx.Request(s.Replica, replica.Advance{To: d.Next, Promised: d.Promised, Highest: d.Highest, Reign: d.Reign, Known: d.Known, Founders: d.Founders})
	return storing{s.recoverer, d.Next, log.Range{First: d.Begin, Last: d.End}}
}

// storing: the next status is on its way to the disk.
type storing struct {
	*recoverer
	to     status.Status
	missed log.Range // what to catch up on, once RECOVERING is stored
}

func (s storing) receive(ctx actor.Context) state {
	m, ok := ctx.Message().(replica.Advanced)
	if !ok || m.Status != s.to { // not one of before the members changed
		return s
	}
	switch m.Status {
	case status.Starting:
		return s.decide(ctx)
	case status.Recovering:
		return s.catchUp(ctx)
	case status.Voting:
		return s.finish(ctx)
	case status.Empty:
	}
	return s
}

// catchUp has the log begin where its peers' logs do, and copies the rest: below that everything is truncated.
func (s storing) catchUp(ctx actor.Context) state {
	ctx.Request(s.Replica, replica.Jump{Begin: s.missed.First})
	config := catchup.Config{Range: s.missed, Grace: s.Patience.Grace, Background: true}
	child := ctx.Spawn(s.Props(catchup.New(s.Ensemble, config)))
	return catchingUp{s.recoverer, child}
}

// catchingUp: what was missed is copied and settled.
type catchingUp struct {
	*recoverer
	catchup *actor.PID
}

func (s catchingUp) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case catchup.Done:
		if s.catchup.Equal(ctx.Sender()) { // not one of a former life
			ctx.Request(s.Replica, replica.Advance{To: status.Voting})
			return storing{recoverer: s.recoverer, to: status.Voting}
		}
	case Doubted:
		ctx.Poison(s.catchup)
		ctx.Request(s.Replica, replica.Reincarnate{Above: m.Above})
		return rebearing{s.recoverer}
	}
	return s
}

// rebearing: the replica becomes a new life, which those who vote will talk to. What it has learned stays.
type rebearing struct{ *recoverer }

func (s rebearing) receive(ctx actor.Context) state {
	m, ok := ctx.Message().(replica.Reincarnated)
	if !ok {
		return s
	}
	ctx.Send(s.Network, m)
	return s.decide(ctx)
}

// done: the replica votes.
type done struct{}

func (s done) receive(actor.Context) state { return s }
