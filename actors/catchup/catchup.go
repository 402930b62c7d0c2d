// Package catchup brings a replica what it missed.
//
// Catchup copies what its peers know as learned, chunk by chunk, from all of them at once. It asks a quorum to settle (Fill) only
// what none of them gave: none knows it as learned, or who may is silent again and again. A truncated range is jumped, not walked: a peer that no longer has it says
// where its log begins.
//
//	surveying ◀─────────────────────────────────┐
//	 ▼                                          │
//	looking ── peers may know it ──▶ copying    │
//	 ▲ │                             │  ▲  ▲    │
//	 └─┼──── nothing is under way ───┘  │  │    │
//	   │                 a late answer ─┘  │    │
//	   │ nobody knows the rest, first time │    │
//	   ├─────────────────────────▶ waiting ┼────┤
//	   │ ... and again          a peer does│    │
//	   ├─────────────────────────▶ filling ┴────┘ Filled
//	   └ nothing is missing ─▶ Done, stopped
//
// A Fill needs a quorum that votes, and there may be none for long. Meanwhile the peers are surveyed and asked again and again,
// and the Fill is dropped as soon as one of them gives something.
//
// While it copies, a few chunks are under way at any time: on a peer's disk, on the network, on their way to the local disk.
// No two are of the same positions, unless a peer fell silent and its part was asked for once more. What was stored stays
// stored, whatever becomes of the rest, and a restart asks for no more than what is missing then. How fast it is may be
// limited; see pace.go.
//
// Only peers that are present are asked: an election that waits for the writer that died is time without a writer. The
// wait is for a live writer: what it is about to choose need not be forced, and forcing it would demote the writer.
package catchup

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/messages"
)

// Config says what to catch up on.
type Config struct {
	Range log.Range     // what is missing in it is learned; nothing, if it is empty
	Grace time.Duration // how long to wait before forcing what nobody has learned; 0 where there is no other writer
	By    log.Proposal  // under which to force it, if a quorum has promised it already; 0 to take a new one
	// CopiesOnly leaves what no peer gives: no quorum is asked for it.
	CopiesOnly bool
	// Background keeps to the member's limit of copies. It is off where somebody waits: for an election, or for what was acknowledged.
	Background bool
	// Quiet tells nobody how far it is: damaged records are copied, and tried again every second while no peer has them.
	Quiet bool
}

type (
	// Done tells the parent that everything in the range is learned, or truncated; or, with CopiesOnly, that no peer gives more. Its sender is the catch-up.
	Done struct{}
	// chunkDue is the time to give up on a peer.
	chunkDue struct {
		request uint64
		attempt int
	}
	// graceOver is the time to look again, and then to force.
	graceOver struct{ attempt int }
)

// New returns the producer of a catch-up, which tells its parent Progress, and Done in the end. It never gives up; whoever no longer
// wants the result poisons it.
func New(e *ensemble.Ensemble, c Config) actor.Producer {
	return func() actor.Actor {
		misses := 1 // somebody waits for it who has a promise already
		if c.Grace > 0 {
			misses = patientMisses
		}
		return &catchup{Ensemble: e, Config: c, sources: &sources{misses: misses}, cancel: func() {}, pause: func() {}}
	}
}

type catchup struct {
	*ensemble.Ensemble
	Config
	state   state
	self    identity.Identity
	sources *sources
	out     []request                 // in the order in which they were made
	late    []request                 // given up: an answer is welcome if it comes
	early   []*messages.FetchResponse // answers that came while nobody knew what is missing
	attempt int                       // of the grace
	waited  bool                      // the grace was given
	cancel  func()                    // the grace
	pause   func()                    // the wait for the limit; ends it

	localEnd log.Position // of the local log
	progress progress
}

// state is one state of the chart in the package comment. receive returns the next one.
type state interface{ receive(ctx actor.Context) state }

// Receive implements actor.Actor.
func (c *catchup) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		c.began(ctx)
		c.state = c.survey(ctx)
	case *actor.Stopping:
		c.cancel()
		c.pause()
		c.end()
		c.progress.cancel()
	case *actor.Stopped:
	case progressDue:
		c.stillAt(ctx)
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
	switch m := ctx.Message().(type) {
	case network.Surveyed:
		s.sources = newSources(s.Self, m.Peers, s.sources)
		return s.look(ctx)
	case *messages.FetchResponse:
		s.keep(m)
	}
	return s
}

// keep puts an answer aside until it is known what is missing.
func (c *catchup) keep(m *messages.FetchResponse) {
	if len(c.early) < maxLate {
		c.early = append(c.early, m)
	}
}

// look asks the local replica what is missing.
func (c *catchup) look(ctx actor.Context) state {
	ctx.Request(c.Replica, replica.Missing{Range: c.Range})
	return looking{c}
}

// looking: the local replica is asked what is missing.
type looking struct{ *catchup }

func (s looking) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case replica.Missed:
		return s.missed(ctx, m)
	case *messages.FetchResponse:
		s.keep(m)
	}
	return s
}

func (s looking) missed(ctx actor.Context, m replica.Missed) state {
	s.self, s.localEnd = m.Identity, m.End
	s.report(ctx, m.Set.Len())
	if m.Set.Empty() {
		return s.finish(ctx)
	}
	next := &copying{catchup: s.catchup, missing: m.Set.Clone()}
	for _, early := range s.early {
		next.received(ctx, early)
	}
	s.early = nil
	if _, _, ok := s.sources.next(m.Set, nil); ok || len(next.storing) > 0 {
		return next.proceed(ctx)
	}
	if !s.waited && s.Grace > 0 {
		return next.wait(ctx)
	}
	if s.CopiesOnly {
		return s.finish(ctx)
	}
	return next.fill(ctx)
}

func (s looking) finish(ctx actor.Context) state {
	s.over()
	ctx.Request(ctx.Parent(), Done{})
	ctx.Stop(ctx.Self())
	return s
}

// wait gives a live writer time to finish what it has begun.
func (s *copying) wait(ctx actor.Context) state {
	s.after(ctx, s.Grace)
	return waiting{s}
}

// after has graceOver come.
func (c *catchup) after(ctx actor.Context, d time.Duration) {
	c.attempt++
	c.cancel = c.Clock.After(d, ctx.Self(), graceOver{c.attempt})
}

// waiting: nobody knows the rest; a live writer may be about to.
type waiting struct{ *copying }

func (s waiting) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case graceOver:
		if m.attempt == s.attempt {
			s.waited = true
			return s.survey(ctx)
		}
	case *messages.FetchResponse: // of a peer that was given up
		if s.received(ctx, m) {
			s.cancel()
			return s.proceed(ctx)
		}
	}
	return s
}
