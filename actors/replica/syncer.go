package replica

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/timer"
)

// syncer waits for the disk, so that the replica need not. It is an actor of its own, and not a goroutine, so that it ends
// before the replica has ended, and the store is closed by nobody while it waits.
type syncer struct {
	clock timer.Clock
	times *measure.Histogram
}

type (
	// await has the syncer wait for a sync that has begun.
	await struct {
		began time.Time
		done  func() error
	}
	// synced answers await.
	synced struct{ err error }
)

// Receive implements actor.Actor.
func (s syncer) Receive(ctx actor.Context) {
	if m, ok := ctx.Message().(await); ok {
		err := m.done()
		s.times.Observe(int64(s.clock.Now().Sub(m.began)))
		ctx.Respond(synced{err})
	}
}

// spawnSyncer starts it under its name.
func (r *replica) spawnSyncer(ctx actor.Context) {
	waits := syncer{r.Clock, r.Measures.Syncs}
	pid, err := ctx.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return waits }), Syncer)
	if err != nil {
		panic("the replica has two syncers: " + err.Error())
	}
	r.syncer = pid
}
