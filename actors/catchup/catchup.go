// Package catchup brings a replica what it missed.
//
// Catchup copies what its peers know as learned, chunk by chunk, from any of them, and asks a quorum to settle (Fill) only
// positions that no peer knows as learned. A truncated range is jumped, not walked: a peer that no longer has it says
// where its log begins.
//
//	surveying ◀───────────────────────────────┐
//	 ▼                                        │
//	looking ── chunk ─▶ copying ─▶ storing    │
//	 ▲ │                              │       │
//	 └─┼──────────────────────────────┘       │
//	   │ nobody knows the rest, first time    │
//	   ├───────────────────────▶ waiting ─────┤
//	   │ ... and again                Filled  │
//	   ├───────────────────────▶ filling ─────┘
//	   └ nothing is missing ─▶ Done, stopped
//
// Only peers that are present are asked: an election that waits for the writer that died is time without a writer. The
// wait is for a live writer: what it is about to choose need not be forced, and forcing it would demote the writer.
package catchup

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/messages"
)

// Config says what to catch up on.
type Config struct {
	Range log.Range     // what is missing in it is learned
	Grace time.Duration // how long to wait before forcing what nobody has learned; 0 where there is no other writer
	By    log.Proposal  // under which to force it, if a quorum has promised it already; 0 to take a new one
}

type (
	// Done tells the parent that everything in the range is learned, or truncated. Its sender is the catch-up.
	Done struct{}
	// Progress tells the parent how far it is.
	Progress struct {
		Total, Done, Bytes uint64 // positions missing at the start, positions learned since, bytes copied since
		Elapsed            time.Duration
	}
	// chunkDue is the time to give up on a peer.
	chunkDue struct{ attempt int }
	// graceOver is the time to look again, and then to force.
	graceOver struct{ attempt int }
)

// New returns the producer of a catch-up.
func New(e *ensemble.Ensemble, c Config) actor.Producer {
	return func() actor.Actor {
		return &catchup{Ensemble: e, Config: c, sources: &sources{}, cancel: func() {}}
	}
}

type catchup struct {
	*ensemble.Ensemble
	Config
	state   state
	self    identity.Identity
	sources *sources
	attempt int // of whatever is waited for
	request uint64
	waited  bool // the grace was given
	cancel  func()

	started time.Time
	known   bool // total is set
	total   uint64
	missing uint64
	bytes   uint64
}

// state is one state of the chart in the package comment. receive returns the next one.
type state interface{ receive(ctx actor.Context) state }

// Receive implements actor.Actor.
func (c *catchup) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		c.started = c.Clock.Now()
		c.state = c.survey(ctx)
	case *actor.Stopping:
		c.cancel()
	case *actor.Stopped:
	default:
		c.state = c.state.receive(ctx)
	}
}

// survey asks which peers are there, and forgets what was heard of them.
func (c *catchup) survey(ctx actor.Context) state {
	ctx.Request(c.Network, network.Survey{})
	return surveying{c}
}

// surveying: the network is asked which peers are there.
type surveying struct{ *catchup }

func (s surveying) receive(ctx actor.Context) state {
	m, ok := ctx.Message().(network.Surveyed)
	if !ok {
		return s
	}
	s.sources = newSources(s.Self, m.Peers)
	return s.look(ctx)
}

// look asks the local replica what is missing.
func (c *catchup) look(ctx actor.Context) state {
	ctx.Request(c.Replica, replica.Missing{Range: c.Range})
	return looking{c}
}

// after schedules a message of the next attempt and drops the one that was scheduled before.
func (c *catchup) after(ctx actor.Context, d time.Duration, due func(attempt int) any) {
	c.cancel()
	c.attempt++
	c.cancel = c.Clock.After(d, ctx.Self(), due(c.attempt))
}

// looking: the local replica is asked what is missing.
type looking struct{ *catchup }

func (s looking) receive(ctx actor.Context) state {
	m, ok := ctx.Message().(replica.Missed)
	if !ok {
		return s
	}
	s.self = m.Identity
	s.report(ctx, m.Set)
	if m.Set.Empty() {
		ctx.Request(ctx.Parent(), Done{})
		ctx.Stop(ctx.Self())
		return s
	}
	if from, chunk, ok := s.sources.next(m.Set); ok {
		return s.copyFrom(ctx, from, chunk, m.Set)
	}
	if !s.waited && s.Grace > 0 {
		return s.wait(ctx)
	}
	return s.fill(ctx, m.Set)
}

// report tells the parent how far the catch-up is, each time that something is learned.
func (c *catchup) report(ctx actor.Context, missing interval.Set) {
	if !c.known {
		c.known, c.total, c.missing = true, missing.Len(), missing.Len()+1
	}
	if missing.Len() >= c.missing {
		return
	}
	c.missing = missing.Len()
	ctx.Send(ctx.Parent(), Progress{
		Total: c.total, Done: c.total - c.missing, Bytes: c.bytes, Elapsed: c.Clock.Now().Sub(c.started),
	})
}

func (c *catchup) copyFrom(ctx actor.Context, from log.ReplicaID, chunk log.Range, missing interval.Set) state {
	c.request = c.Random.Uint64()
	ctx.Send(c.Network, network.Broadcast{
		Message: codec.EncodeFetchRequest(codec.EncodeHeader(c.self, c.request, nil), chunk),
		ReplyTo: ctx.Self(), To: []log.ReplicaID{from},
	})
	c.after(ctx, c.Patience.Fetch, func(attempt int) any { return chunkDue{attempt} })
	return copying{c, from, missing}
}

// copying: a peer is asked for a chunk.
type copying struct {
	*catchup
	from    log.ReplicaID
	missing interval.Set
}

func (s copying) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case *messages.FetchResponse:
		return s.received(ctx, m)
	case chunkDue:
		if m.attempt == s.attempt {
			s.sources.silent(s.from)
			return s.look(ctx)
		}
	}
	return s
}

func (s copying) received(ctx actor.Context, m *messages.FetchResponse) state {
	e, answer, err := codec.DecodeFetchResponse(m)
	if err == nil && (e.Request != s.request || e.From.Replica != s.from || !s.Counts(s.self, e.From)) {
		return s // nobody but the peer that was asked: what is copied is stored as chosen
	}
	s.cancel()
	switch a := answer.(type) {
	case codec.Copied:
		s.sources.examined(s.from, a.Range, a.Actions)
		return s.store(ctx, s.fresh(a.Actions))
	case codec.Gone:
		ctx.Request(s.Replica, replica.Jump{Begin: a.Begin})
		return storing{s.catchup}
	case codec.Unable, codec.Denied:
	}
	s.sources.silent(s.from)
	return s.look(ctx)
}

// fresh returns the records that are missing here: a chunk spans others, and copying those again is no progress.
func (s copying) fresh(actions []log.Action) []log.Action {
	return slices.DeleteFunc(actions, func(a log.Action) bool { return !s.missing.Contains(a.Position) })
}

// store hands copied records to the local replica.
func (c *catchup) store(ctx actor.Context, actions []log.Action) state {
	if len(actions) == 0 {
		return c.look(ctx)
	}
	for _, a := range actions {
		c.bytes += uint64(len(a.Value.Data))
	}
	c.waited = false
	ctx.Request(c.Replica, replica.Learn{Actions: actions})
	return storing{c}
}

// storing: the local replica stores what was copied.
type storing struct{ *catchup }

func (s storing) receive(ctx actor.Context) state {
	switch ctx.Message().(type) {
	case replica.Taught, replica.Jumped:
		return s.look(ctx)
	}
	return s
}

// wait gives a live writer time to finish what it has begun.
func (c *catchup) wait(ctx actor.Context) state {
	c.after(ctx, c.Grace, func(attempt int) any { return graceOver{attempt} })
	return waiting{c}
}

// waiting: nobody knows the rest; a live writer may be about to.
type waiting struct{ *catchup }

func (s waiting) receive(ctx actor.Context) state {
	if m, ok := ctx.Message().(graceOver); ok && m.attempt == s.attempt {
		s.waited = true
		return s.survey(ctx)
	}
	return s
}

func (c *catchup) fill(ctx actor.Context, missing interval.Set) state {
	run, _ := first(missing)
	run.Last = min(run.Last, run.First+log.MaxRun-1)
	fill := ctx.Spawn(c.Props(NewFill(c.Ensemble, run, c.By)))
	return filling{c, fill}
}

// filling: a quorum is asked to settle what nobody has learned.
type filling struct {
	*catchup
	fill *actor.PID
}

func (s filling) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case Filled:
		return s.survey(ctx)
	case Passed:
		ctx.Request(s.Replica, replica.Jump{Begin: m.Begin})
		return storing{s.catchup}
	}
	return s
}
