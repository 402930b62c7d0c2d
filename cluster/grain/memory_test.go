package grain

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
)

// memory is a log in memory, as keepers reach it.
type memory struct {
	entries [][]byte
	follows []follow
	deaf    bool // it answers no append
	unheard int  // appends that got no answer
}

// follow is a keeper that waits for what comes.
type follow struct {
	who *actor.PID
	persistence.Follow
}

// deafen has it answer no append from now on, or each again; it answers how many got no answer since it was told something last.
type deafen bool

// Receive implements actor.Actor.
func (l *memory) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case deafen:
		l.deaf = bool(m)
		ctx.Respond(l.unheard)
		l.unheard = 0
	case persistence.Append:
		if l.deaf {
			l.unheard++
			return
		}
		l.entries = append(l.entries, m.Entry)
		ctx.Respond(persistence.Appended{Tag: m.Tag, At: log.Position(len(l.entries))})
		l.tell(ctx)
	case persistence.Follow:
		l.follows = append(l.follows, follow{ctx.Sender(), m})
		l.tell(ctx)
	case persistence.Fetch:
		answer := persistence.Fetched{Tag: m.Tag}
		for _, at := range m.At {
			answer.Entries = append(answer.Entries, persistence.Entry{At: at, Data: l.entries[at-1]})
		}
		ctx.Respond(answer)
	}
}

// tell answers those for whom something came.
func (l *memory) tell(ctx actor.Context) {
	waiting := l.follows[:0]
	for _, f := range l.follows {
		if int(f.From) > len(l.entries) {
			waiting = append(waiting, f)
			continue
		}
		answer := persistence.Followed{Tag: f.Tag, UpTo: log.Position(len(l.entries))}
		for at := f.From; at <= answer.UpTo; at++ {
			answer.Entries = append(answer.Entries, persistence.Entry{At: at, Data: l.entries[at-1]})
		}
		ctx.Send(f.who, answer)
	}
	l.follows = waiting
}

// provide starts a provider of this log, as a process has one.
func provide(t *testing.T, system *actor.ActorSystem, port *actor.PID) *persistence.Provider {
	t.Helper()
	p := persistence.NewProvider(system, persistence.Settings{Port: port, Clock: timer.System(system)}, 4)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}
