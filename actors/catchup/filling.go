package catchup

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/messages"
)

// fill asks a quorum to settle the first run of what is missing.
func (s *copying) fill(ctx actor.Context) state {
	run, _ := first(s.missing, interval.Set{})
	run.Last = min(run.Last, run.First+log.MaxRun-1)
	child := ctx.Spawn(s.Props(NewFill(s.Ensemble, run, s.By)))
	s.after(ctx, s.Patience.Grace)
	return filling{s, child}
}

// filling: a quorum is asked to settle what nobody has learned. There may be none for long, so the peers are asked for copies
// meanwhile: one that was silent, or absent, may know it all.
type filling struct {
	*copying
	child *actor.PID
}

func (s filling) receive(ctx actor.Context) state {
	mine := s.child.Equal(ctx.Sender())
	switch m := ctx.Message().(type) {
	case Filled:
		if mine {
			s.progress.copied, s.progress.bytes = s.progress.copied+m.Range.Len(), s.progress.bytes+m.Bytes
			s.Measures.CatchupBytes.Add(m.Bytes)
			return s.leave().survey(ctx)
		}
	case Passed:
		if mine {
			return s.passed(ctx, m.Begin)
		}
	case graceOver:
		if m.attempt == s.attempt {
			ctx.Request(s.Network, network.Survey{})
			s.after(ctx, s.Patience.Grace)
		}
	case network.Surveyed:
		s.sources = newSources(s.Self, m.Peers, s.sources)
		s.sources.all = true
		s.askMore(ctx)
	case *messages.FetchResponse:
		if s.received(ctx, m) && len(s.storing) > 0 {
			ctx.Poison(s.child)
			return s.goOn(ctx)
		}
	case chunkDue:
		s.due(m)
	case paceDue:
		s.pacing = false
		s.askMore(ctx)
	}
	return s
}

// leave ends what filling alone waits for.
func (s filling) leave() *catchup {
	s.cancel()
	s.pause()
	s.end()
	return s.catchup
}

// passed follows the log to where it begins. If that cannot be, the peers are surveyed once more.
func (s filling) passed(ctx actor.Context, begin log.Position) state {
	if s.jump(ctx, begin) {
		return s.goOn(ctx)
	}
	s.leave()
	s.By = 0
	s.after(ctx, s.Patience.Grace)
	return waiting{s.copying}
}

// goOn goes on with copies. What an unfinished Fill has written under its proposal, it alone knows: the next one could find
// another value for the same position, so it takes a proposal of its own.
func (s filling) goOn(ctx actor.Context) state {
	s.cancel()
	s.By, s.sources.all = 0, false
	return s.proceed(ctx)
}
