package replica

import "github.com/asynkron/protoactor-go/actor"

// syncer waits for the disk, so that the replica need not. It is an actor of its own, and not a goroutine, so that it ends
// before the replica has ended, and the store is closed by nobody while it waits.
type syncer struct{}

type (
	// await has the syncer wait for a sync that has begun.
	await struct{ done func() error }
	// synced answers await.
	synced struct{ err error }
)

// Receive implements actor.Actor.
func (syncer) Receive(ctx actor.Context) {
	if m, ok := ctx.Message().(await); ok {
		ctx.Respond(synced{m.done()})
	}
}

// spawnSyncer starts it under its name.
func (r *replica) spawnSyncer(ctx actor.Context) {
	pid, err := ctx.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return syncer{} }), Syncer)
	if err != nil {
		panic("the replica has two syncers: " + err.Error())
	}
	r.syncer = pid
}
