package catchup

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
)

type (
	// Filled tells the parent that the first part of the run is learned. Its sender is the Fill.
	Filled struct {
		Range log.Range
		Bytes uint64 // of the entries
	}
	// Passed tells the parent that the log begins above the start of the run. Its sender is the Fill.
	Passed struct{ Begin log.Position }
	// retryDue is the time to try again: under a higher proposal, where a round was lost.
	retryDue struct{}
)

// NewFill returns the producer of a Fill, which has a quorum settle a run of positions that nobody has learned: it
// proposes what was accepted under the highest proposal, and a NOP where nothing was. By is the proposal to begin with, if a quorum
// has promised it; 0 for a new one.
//
//	peeking ─▶ reserving ─▶ promising ─ won ─▶ writing ─ won ─▶ learning ─▶ Filled, stopped
//	    ▲            │ all learned ────┼─────────────────▲
//	    └─ pausing ◀─┴──── lost ───────┘
//
// Where the record right below the run is damaged here, peeking is tried again until that is mended: it may be a NOP, above which
// nothing unlinked may be proposed.
//
// It never gives up; whoever no longer wants the result poisons it.
func NewFill(e *ensemble.Ensemble, run log.Range, by log.Proposal) actor.Producer {
	return func() actor.Actor { return &fill{Ensemble: e, run: run, by: by, cancel: func() {}} }
}

type fill struct {
	*ensemble.Ensemble
	run    log.Range
	by     log.Proposal
	below  log.Kind     // of what is chosen right below the run; None where that is truncated
	seen   log.Proposal // the highest proposal that stood in the way
	self   identity.Identity
	state  state
	cancel func()
}

// Receive implements actor.Actor.
func (f *fill) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		f.state = f.peek(ctx)
	case *actor.Stopping:
		f.cancel()
	case *actor.Stopped:
	default:
		f.state = f.state.receive(ctx)
	}
}

// peek asks the local replica for what is chosen right below the run: there the run's values must be linked to.
func (f *fill) peek(ctx actor.Context) state {
	if f.run.First == 1 {
		return f.begin(ctx)
	}
	ctx.Request(f.Replica, replica.Read{Range: log.Range{First: f.run.First - 1, Last: f.run.First - 1}})
	return peeking{f}
}

// peeking: the local replica is asked for what is chosen right below the run.
type peeking struct{ *fill }

func (s peeking) receive(ctx actor.Context) state {
	m, ok := ctx.Message().(replica.Page)
	if !ok {
		return s
	}
	if m.Fault == replica.Mending {
		return s.pause(ctx, mending{s.fill})
	}
	if len(m.Actions) > 0 {
		s.below = m.Actions[0].Value.Kind
	}
	return s.begin(ctx)
}

// begin asks the local replica for a new proposal, or who it is where there is one already.
func (f *fill) begin(ctx actor.Context) state {
	if f.by > 0 {
		ctx.Request(f.Replica, replica.Inspect{})
	} else {
		ctx.Request(f.Replica, replica.Reserve{Above: f.seen})
	}
	return reserving{f}
}

// reserving: the local replica is asked for a proposal.
type reserving struct{ *fill }

func (s reserving) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case replica.Inspected:
		s.self = m.Identity
	case replica.Reserved:
		s.self, s.by = m.Identity, m.By
	default:
		return s
	}
	ctx.Spawn(s.Props(round.New(s.Ensemble, s.self, round.Promise(s.by, s.run))))
	return promising{s.fill}
}

// promising: a promise round is out.
type promising struct{ *fill }

func (s promising) receive(ctx actor.Context) state {
	m, ok := ctx.Message().(round.Done)
	if !ok {
		return s
	}
	switch o := m.Outcome.(type) {
	case paxos.Won:
		return s.won(ctx, o)
	case paxos.Passed:
		return s.passed(ctx, o.Begin)
	case paxos.Lost:
		return s.retry(ctx, o.By)
	case paxos.Unheard, paxos.Pending, paxos.Settled:
	}
	return s.retry(ctx, 0)
}

func (s promising) won(ctx actor.Context, w paxos.Won) state {
	chosen := paxos.Propose(w, s.by, s.below)
	run := log.Span(w.Range.First, len(chosen))
	if paxos.AllLearned(chosen) {
		return s.learn(ctx, run, chosen)
	}
	values := make([]log.Value, len(chosen))
	for i, a := range chosen {
		values[i] = a.Value
	}
	write := round.Write(codec.Write{By: s.by, First: run.First, Values: values, Settled: run.First - 1})
	ctx.Spawn(s.Props(round.New(s.Ensemble, s.self, write)))
	return writing{s.fill, run, chosen}
}

// writing: a write round is out.
type writing struct {
	*fill
	run    log.Range
	values []log.Action
}

func (s writing) receive(ctx actor.Context) state {
	m, ok := ctx.Message().(round.Done)
	if !ok {
		return s
	}
	switch o := m.Outcome.(type) {
	case paxos.Won:
		s.Broadcast(ctx, s.notice(), nil, nil)
		return s.learn(ctx, s.run, s.values)
	case paxos.Passed:
		return s.passed(ctx, o.Begin)
	case paxos.Lost:
		return s.retry(ctx, o.By)
	case paxos.Settled, paxos.Unheard, paxos.Pending: // others are chosen: the next promise round finds them
	}
	return s.retry(ctx, 0)
}

func (s writing) notice() *messages.LearnedMessage {
	return codec.EncodeLearnedMessage(codec.EncodeHeader(s.self, s.Random.Uint64(), nil), s.by, s.run)
}

// learn has the local replica store the chosen values: it may not vote, and then the notice tells it nothing.
func (f *fill) learn(ctx actor.Context, run log.Range, chosen []log.Action) state {
	filled := Filled{Range: run}
	for i := range chosen {
		chosen[i].Learned = true
		filled.Bytes += uint64(len(chosen[i].Value.Data))
	}
	ctx.Request(f.Replica, replica.Learn{Actions: chosen})
	return learning{f, filled}
}

// learning: the local replica stores the chosen values.
type learning struct {
	*fill
	filled Filled
}

func (s learning) receive(ctx actor.Context) state {
	if _, ok := ctx.Message().(replica.Taught); ok {
		ctx.Request(ctx.Parent(), s.filled)
		ctx.Stop(ctx.Self())
	}
	return s
}

func (f *fill) passed(ctx actor.Context, begin log.Position) state {
	ctx.Request(ctx.Parent(), Passed{begin})
	ctx.Stop(ctx.Self())
	return pausing{f}
}

// retry waits a random time, so that two proposers do not overtake each other for ever, and takes a higher proposal.
func (f *fill) retry(ctx actor.Context, seen log.Proposal) state {
	f.seen, f.by = max(f.seen, f.by, seen), 0
	return f.pause(ctx, pausing{f})
}

// pause has retryDue come in a state.
func (f *fill) pause(ctx actor.Context, in state) state {
	f.cancel()
	f.cancel = f.Clock.After(f.Twice(f.Patience.Refill), ctx.Self(), retryDue{})
	return in
}

// mending: what is right below the run cannot be read yet.
type mending struct{ *fill }

func (s mending) receive(ctx actor.Context) state {
	if _, ok := ctx.Message().(retryDue); ok {
		return s.peek(ctx)
	}
	return s
}

// pausing: a round was lost.
type pausing struct{ *fill }

func (s pausing) receive(ctx actor.Context) state {
	if _, ok := ctx.Message().(retryDue); ok {
		return s.begin(ctx)
	}
	return s
}
