package ensemble_test

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/ensemble"
)

// child stops working where it is told that its state is broken.
func child(ctx actor.Context) {
	if ctx.Message() == "go on" {
		panic("what I know contradicts itself")
	}
}

// An actor that panics is stopped, never restarted, and its owner is told.
func ExampleStopping() {
	w := actortest.NewWorld(7)
	defer w.Close()
	w.Forgive(func(actortest.Panic) bool { return true }) // here it is expected

	node := w.Node("a")
	supervisor := ensemble.Stopping(func(who *actor.PID, reason any) { fmt.Println(who.GetId(), "stopped:", reason) })
	node.Spawn("parent", actor.PropsFromFunc(func(ctx actor.Context) {
		if _, started := ctx.Message().(*actor.Started); started {
			pid, err := ctx.SpawnNamed(actor.PropsFromFunc(child), "child")
			if err != nil {
				panic(err)
			}
			ctx.Send(pid, "go on")
		}
	}, actor.WithSupervisor(supervisor)))
	w.Run(0)
	fmt.Println(node.Actors())
	// Output:
	// parent/child stopped: what I know contradicts itself
	// [parent]
}

// How long the actors wait is one value, from which a program takes what suits its network.
func ExamplePatience() {
	p := ensemble.Usual()
	p.Hello *= 10 // a slow network
	fmt.Println(p.Hello > ensemble.Usual().Hello, p.Protocol, p.Pause)
	// Output: true 10s 500ms
}
