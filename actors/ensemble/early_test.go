package ensemble_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
)

// The actor's producer runs before its name is registered, and its mailbox is registered before it works: a message that another
// goroutine sends as soon as there is the name may come in between.
func TestWhatComesWhileANamedActorIsMadeIsHeardAfterItsStart(t *testing.T) {
	system := actor.NewActorSystem()
	defer system.Shutdown()
	heard := make(chan any, 8)
	e := &ensemble.Ensemble{}
	props := e.Named(func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) { heard <- ctx.Message() })
	}).Configure(actor.WithOnInit(func(ctx actor.Context) { // its name is registered, and its mailbox does not work yet
		system.Root.Send(ctx.Self(), "early")
	}))
	pid, err := system.Root.SpawnNamed(props, "named")
	if err != nil {
		t.Fatal(err)
	}
	system.Root.Send(pid, "late")
	for _, want := range []any{"started", "early", "late"} {
		select {
		case got := <-heard:
			if _, started := got.(*actor.Started); started {
				got = "started"
			}
			if got != want {
				t.Errorf("it hears %v, want %v", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("it does not hear %v", want)
		}
	}
}
