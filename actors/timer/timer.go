// Package timer is the only clock that actors see.
//
// A time-out is a message that an actor sends itself later. A cancelled one may already be in the mailbox, so it carries
// the attempt it belongs to, and the actor ignores it when the attempt is over:
//
//	p.cancel = p.clock.After(p.patience, ctx.Self(), answersDue{p.attempt})
//	...
//	case answersDue:
//		if m.attempt == p.attempt { ... }
//
// Tests replace the clock by a virtual one (package actortest), and nothing in the actors knows.
package timer

import (
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Clock tells the time and sends messages later.
type Clock interface {
	// Now is the time of this process. It is for durations and for people; no rule of the protocol depends on it.
	Now() time.Time
	// After sends message to an actor of this process once d has passed, unless it is cancelled before. Cancel may be
	// called more than once, and after the message was sent.
	After(d time.Duration, to *actor.PID, message any) (cancel func())
}

// Random is where the actors' randomness comes from: a seeded source under test. It is safe for many goroutines.
type Random interface {
	// Uint64 returns any number, each as likely as any other.
	Uint64() uint64
	// Int64N returns a number from 0 up to n, which is not among them. It panics where n is not positive.
	Int64N(n int64) int64
}

// Between returns a random duration d with low <= d < high. It returns low where high is not above it.
func Between(r Random, low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(r.Int64N(int64(high-low)))
}

// System is the real clock of an actor system.
func System(s *actor.ActorSystem) Clock { return systemClock{s} }

type systemClock struct{ system *actor.ActorSystem }

func (c systemClock) Now() time.Time { return time.Now() }

func (c systemClock) After(d time.Duration, to *actor.PID, message any) func() {
	t := time.AfterFunc(d, func() { c.system.Root.Send(to, message) })
	return func() { t.Stop() }
}

// Chance is the real source of randomness.
func Chance() Random { return chance{} }

type chance struct{}

func (chance) Uint64() uint64       { return rand.Uint64() }
func (chance) Int64N(n int64) int64 { return rand.Int64N(n) }
