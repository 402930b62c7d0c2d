package timer_test

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/timer"
)

// patient waits for an answer that never comes, and asks again, up to three times.
type patient struct {
	clock   timer.Clock
	random  timer.Random
	attempt int
}

type answerDue struct{ attempt int }

func (p *patient) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.ask(ctx)
	case answerDue:
		if m.attempt == p.attempt && p.attempt < 3 { // a late one is of an attempt that is over
			p.ask(ctx)
		}
	}
}

func (p *patient) ask(ctx actor.Context) {
	p.attempt++
	fmt.Println("attempt", p.attempt)
	p.clock.After(timer.Between(p.random, time.Hour, 2*time.Hour), ctx.Self(), answerDue{p.attempt})
}

// In a program the clock is timer.System(system), and chance timer.Chance(). Here both are those of a simulated world, in which an
// hour takes no time.
func Example() {
	w := actortest.NewWorld(7)
	defer w.Close()
	node := w.Node("a")
	node.Spawn("patient", actor.PropsFromProducer(func() actor.Actor {
		return &patient{clock: node.Clock(), random: node.Random()}
	}))
	w.Run(24 * time.Hour)
	// Output:
	// attempt 1
	// attempt 2
	// attempt 3
}
