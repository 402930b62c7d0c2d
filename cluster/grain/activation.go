package grain

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	virtual "github.com/asynkron/protoactor-go/cluster"

	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/actors/timer"
)

// activation is a grain on this member, from its activation to its end.
type activation struct {
	persistence.Persistent // the program's
	config                 *Config
	clock                  timer.Clock
	asked                  time.Time // when it was asked something last
	cancel                 func()    // of the timer that looks whether it is idle
	over                   error     // why it serves nobody any more
}

// idleDue is the time to look whether anybody asked.
type idleDue struct{}

// Receive implements actor.Actor. The provider's middleware has it activated before it is asked anything.
func (a *activation) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case persistence.Recovered:
		a.begin(ctx)
		a.Persistent.Receive(ctx)
	case persistence.Lost:
		a.over = m.Err
		a.Persistent.Receive(ctx)
	case *actor.Stopping, *actor.Restarting:
		a.end()
		a.Persistent.Receive(ctx)
	case *virtual.ClusterInit, actor.SystemMessage, actor.AutoReceiveMessage, persistence.SnapshotFailed:
		a.Persistent.Receive(ctx)
	case idleDue:
		a.idle(ctx)
	default:
		a.serve(ctx)
	}
}

func (a *activation) begin(ctx actor.Context) {
	if a.clock = a.config.Clock; a.clock == nil {
		a.clock = timer.System(ctx.ActorSystem())
	}
	a.asked = a.clock.Now()
	a.look(ctx, a.config.Idle)
}

// look has it looked, after a while, whether the grain is idle.
func (a *activation) look(ctx actor.Context, after time.Duration) {
	if a.config.Idle > 0 {
		a.cancel = a.clock.After(after, ctx.Self(), idleDue{})
	}
}

func (a *activation) idle(ctx actor.Context) {
	if left := a.config.Idle - a.clock.Now().Sub(a.asked); left > 0 {
		a.look(ctx, left)
		return
	}
	ctx.Poison(ctx.Self())
}

func (a *activation) end() {
	if a.cancel != nil {
		a.cancel()
	}
}

// serve hands a message to the grain, where that may still answer. A journal that broke is the end: what comes next in it is
// known to the next activation only.
func (a *activation) serve(ctx actor.Context) {
	if a.over != nil {
		refuse(ctx, a.over, unasked)
		return
	}
	a.asked = a.clock.Now()
	a.handle(ctx)
	if err := a.Journal().Err(); err != nil {
		a.over = err
		ctx.Poison(ctx.Self())
	}
}

// handle tells the caller where the grain panics; what becomes of the grain is its supervisor's to say: protoactor's activates it again.
func (a *activation) handle(ctx actor.Context) {
	returned := false
	defer func() {
		if !returned {
			Refuse(ctx, ErrPanicked)
		}
	}()
	a.Persistent.Receive(ctx)
	returned = true
}
