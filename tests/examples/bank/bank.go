package main

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/persistence"
)

// bank is the parent of the accounts of this process, and tells them apart for whoever asks. Another process may have them as well:
// where one is asked there, it is activated there, and that of this process is fenced.
type bank struct{ provider *persistence.Provider }

// Receive implements actor.Actor.
func (b *bank) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case move:
		b.forward(ctx, m.from)
	case audit:
		b.forward(ctx, m.name)
	case *Transfer:
		b.forward(ctx, m.GetTo())
	case *actor.Terminated: // it may have been fenced, with money on its way to it: whoever sent that sends it again, to its next life
		for _, other := range ctx.Children() {
			ctx.Send(other, again{})
		}
	}
}

func (b *bank) forward(ctx actor.Context, name string) {
	props := actor.PropsFromProducer(func() actor.Actor {
		return &account{name: name, state: &Account{Received: map[string]uint64{}}}
	}, actor.WithReceiverMiddleware(b.provider.Receive()))
	pid, err := ctx.SpawnNamed(props, name)
	if err != nil && !errors.Is(err, actor.ErrNameExists) { // it runs
		ctx.Respond(err)
		return
	}
	ctx.Forward(pid)
}
