// Package leader sees to it that somebody writes the log while a quorum of the members can talk: it has the local
// coordinator elected where nobody is heard who writes, and has it step aside where it cannot write, or another can better.
//
//	following ── nobody writes ──▶ waiting ── due ──▶ canvassing ── a quorum would not mind ──▶ standing ── won ──▶ leading
//	   ▲  ▲                          ▲ │                  │                                        │                │
//	   │  └── somebody is heard ─────┼─┘                  │                                        │                │
//	   │                             └───── somebody minds, or nobody answers; or lost ────────────┘                │
//	   └──────────────────────────────── resigning ◀── no quorum is heard, or the disk is slow ─────────────────────┘
//	                                                                              any ── Leave ──▶ leaving
//
// Whom the writer is, is heard from itself: its greetings, writes and notices (replica.Heard). A member that hears none for a
// while waits a random moment, and then asks the others whether they would mind an election: one that hears a writer does.
// So a member that comes back, or hears less than the others, fences nobody (hole L9). Nothing is promised or stored for
// that, and nothing rests on it: elections are as safe without it, and one that a client asks for does without.
//
// A writer that hears no quorum would keep its clients waiting, though the others have elected somebody else: it steps aside,
// and tells them. So does one whose disk is many times slower than a quorum of the others' (hole L12), and one that is about
// to end; these name a successor, which stands at once.
//
// All of this is a matter of how soon somebody writes. What is written is safe whatever happens here.
package leader

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
)

type (
	// Seek asks for a writer, for clients that do not mind which: the local coordinator is elected, unless others mind.
	Seek struct{ Tag uint64 } // is repeated in the answer
	// Found answers Seek: the local coordinator is elected.
	Found struct{ Tag uint64 }
	// Elsewhere answers Seek: the local coordinator is not elected.
	Elsewhere struct {
		Tag    uint64          // of the Seek
		Writer log.ReplicaID   // who writes, or is about to, as far as is known; 0 if it is not
		Why    coordinator.Why // NotElected or Unheard
	}
	// Leave has the local coordinator step aside, once what is on its way is finished, and never stand again.
	Leave struct{}
	// Left answers Leave: another member writes, or nobody was there to.
	Left struct{}

	// lookDue is the time to look who writes.
	lookDue struct{}
	// standDue is the time to stand for election.
	standDue struct{ attempt int }
	// opinionsDue is the time to give up on a canvass.
	opinionsDue struct{ attempt int }
	// leaveDue is the time to look whether a successor writes.
	leaveDue struct{ left int }
)

// Config is what a leader needs.
type Config struct {
	*ensemble.Ensemble
	Coordinator *actor.PID // the local one
}

// New returns the producer of a leader, which begins to look for a writer at once.
func New(c Config) actor.Producer {
	return func() actor.Actor {
		l := &leader{Config: c, cancel: func() {}, stopLooking: func() {}}
		l.state = following{l}
		return l
	}
}

type leader struct {
	Config
	state       state
	self        replica.Inspected // as of the last look
	peers       []network.Peer    // the same
	looked      bool              // the peers were asked, and this is the look
	seekers     []seeker
	fruitless   int  // elections and canvasses in a row that came to nothing
	alone       bool // this one stepped aside since it heard no quorum, and has heard none since
	attempt     int
	cancel      func() // of the state's timer
	stopLooking func()
}

// seeker is who waits for a writer.
type seeker struct {
	pid *actor.PID
	tag uint64
}

// state is one state of the chart in the package comment. receive returns the next one.
type state interface{ receive(ctx actor.Context) state }

// Receive implements actor.Actor.
func (l *leader) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		ctx.Request(l.Replica, replica.Attend{})
		l.look(ctx)
	case *actor.Stopping:
		l.stopLooking()
		l.cancel()
	case *actor.Stopped:
	case lookDue:
		l.look(ctx)
	case ensemble.Moved:
		l.Ensemble = m.Ensemble
	case network.Surveyed:
		l.peers, l.looked = m.Peers, true
		ctx.Request(l.Replica, replica.Inspect{})
	case replica.Inspected:
		l.self = m
		l.alone = l.alone && !l.heardByQuorum()
		l.state = l.state.receive(ctx)
		l.looked = false
	case Seek:
		l.seekers = append(l.seekers, seeker{ctx.Sender(), m.Tag})
		l.state = l.state.receive(ctx)
	default:
		l.state = l.state.receive(ctx)
	}
}

// look asks who is there, and who writes.
func (l *leader) look(ctx actor.Context) {
	ctx.Request(l.Network, network.Survey{})
	l.stopLooking = l.Clock.After(l.Patience.Hello, ctx.Self(), lookDue{})
}

// found tells everybody who waits that the local coordinator is elected.
func (l *leader) found(ctx actor.Context) {
	for _, s := range l.seekers {
		ctx.Send(s.pid, Found{s.tag})
	}
	l.seekers = nil
}

// sendElsewhere tells everybody who waits that it is not.
func (l *leader) sendElsewhere(ctx actor.Context, writer log.ReplicaID, why coordinator.Why) {
	for _, s := range l.seekers {
		ctx.Send(s.pid, Elsewhere{s.tag, writer, why})
	}
	l.seekers = nil
}

func (l *leader) after(schedule func(attempt int) func()) {
	l.stopTimer()
	l.cancel = schedule(l.attempt)
}

func (l *leader) stopTimer() {
	l.cancel()
	l.attempt++
}
