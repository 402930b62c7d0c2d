// Package ensemble is what the actors of one member share: whom they talk to, how long they wait, and what becomes of an
// actor that panics.
package ensemble

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
)

// Ensemble is what every actor of one member knows.
type Ensemble struct {
	Self       log.ReplicaID
	Members    []log.ReplicaID              // in order, Self among them, and observers
	Peers      map[log.ReplicaID]*actor.PID // the replicas of all members, the local one included
	Replica    *actor.PID                   // the local replica
	Network    *actor.PID                   // the local network
	Clock      timer.Clock
	Random     timer.Random
	Patience   Patience
	CopyLimit  *rate.Limiter            // of what catch-ups in the background copy, see catchup.NewLimit; nil for none
	Beside     func() int64             // bytes of values that wait in other logs of the process, see Room; nil: there are none
	Supervisor actor.SupervisorStrategy // see Stopping
	Measures   *measure.Measures        // what they count; a member makes its own where it is given none
	Log        zerolog.Logger
	// Configuration is what the members were changed to; of epoch 0 while they never were.
	Configuration membership.Configuration

	voters []log.ReplicaID // nil: all members
}

// Patience is how long the actors wait. Zero fields are not filled in: start from Usual.
type Patience struct {
	Retransmit time.Duration // until a round asks again whoever has not answered; at random up to twice as long
	Round      time.Duration // until a round gives up
	Election   time.Duration // until an election gives up, the catch-up in it included
	Protocol   time.Duration // until RecoverProtocol asks everybody again
	Pause      time.Duration // between two undecided rounds of RecoverProtocol; at random up to twice as long
	Refill     time.Duration // until a Fill that lost tries again; at random up to twice as long
	Grace      time.Duration // that a catch-up gives a live writer to finish what nobody has learned
	Fetch      time.Duration // until a catch-up asks another peer
	Hello      time.Duration // between two greetings of a peer
	Absence    time.Duration // of silence, after which a peer counts as absent
	Objection  time.Duration // that the other peers of a replica that is back have to object to its disk, once one has answered it
	Announce   time.Duration // between two announcements of what an idle writer has chosen
	Follow     time.Duration // between two looks whether the replica lags; at random up to twice as long
	Silence    time.Duration // of a writer, or of a quorum towards a writer, after which it is taken to be cut off
	Candidacy  time.Duration // that a member which may elect itself waits at random at most; longer after each election that came to nothing
}

// Usual is what Mesos uses where it has a value (10 s for the protocol, 500 ms to 1 s between two rounds, 100 to 200 ms
// between two fills), and what a local network needs elsewhere. A notice that is lost is repaired within a second: a greeting, and
// two looks.
func Usual() Patience {
	return Patience{
		Retransmit: 200 * time.Millisecond,
		Round:      5 * time.Second,
		Election:   10 * time.Second,
		Protocol:   10 * time.Second,
		Pause:      500 * time.Millisecond,
		Refill:     100 * time.Millisecond,
		Grace:      300 * time.Millisecond,
		Fetch:      time.Second,
		Hello:      250 * time.Millisecond,
		Absence:    2 * time.Second,
		Objection:  500 * time.Millisecond,
		Announce:   time.Second,
		Follow:     180 * time.Millisecond,
		Silence:    time.Second,
		Candidacy:  150 * time.Millisecond,
	}
}

// Twice returns a random duration from d up to twice as long.
func (e *Ensemble) Twice(d time.Duration) time.Duration { return timer.Between(e.Random, d, 2*d) }

// Broadcast sends a message to replicas, the local one included: to those that are named, or to all where to is nil. Whoever
// answers does so to replyTo, if there is one. Observers are sent it as well. It goes to them on no other actor's way: every append waits for it.
func (e *Ensemble) Broadcast(ctx actor.Context, m proto.Message, replyTo *actor.PID, to []log.ReplicaID) {
	for _, id := range e.Members {
		if to == nil || slices.Contains(to, id) {
			ctx.RequestWithCustomSender(e.Peers[id], m, replyTo)
		}
	}
}

// Props are the props of an actor of this member.
func (e *Ensemble) Props(producer actor.Producer) *actor.Props {
	ends := func() actor.Actor { return &ending{inner: producer()} }
	if e.Supervisor == nil {
		return actor.PropsFromProducer(ends)
	}
	return actor.PropsFromProducer(ends, actor.WithSupervisor(e.Supervisor))
}

// ending is an actor that hears nothing more once it is told to stop, but that it has stopped. protoactor goes on handing
// messages to an actor that waits for its children to end, and what the actor began then nobody would end.
type ending struct {
	inner actor.Actor
	over  bool
}

// Receive implements actor.Actor.
func (e *ending) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Stopping:
		e.over = true
	case *actor.Stopped:
	default:
		if e.over {
			return
		}
	}
	e.inner.Receive(ctx)
}
