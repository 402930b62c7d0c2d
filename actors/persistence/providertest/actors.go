package providertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/persistence"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// patience is how long an actor may take to answer: it may have to be activated first.
const patience = 30 * time.Second

// counter is an actor of protoactor's persistence: it adds up what it is told.
type counter struct {
	persistence.Mixin
	total int64
}

type (
	add   struct{ number int64 }
	fail  struct{}
	total struct{}
)

// Receive implements actor.Actor.
func (c *counter) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *wrapperspb.Int64Value: // an event, replayed
		c.total += m.GetValue()
	case *wrapperspb.StringValue: // a snapshot
		_, _ = fmt.Sscan(m.GetValue(), &c.total)
	case *persistence.RequestSnapshot:
		c.PersistSnapshot(wrapperspb.String(fmt.Sprint(c.total)))
	case add: // the state changes behind the event: the snapshot that it asks for has the index before it
		asks := ctx.Sender() // a snapshot that is asked for meanwhile has the context forget it
		c.PersistReceive(wrapperspb.Int64(m.number))
		c.total += m.number
		ctx.Send(asks, c.total)
	case fail:
		panic("as it was asked to")
	case total:
		ctx.Respond(c.total)
	}
}

// spawned starts a counter of the provider in a system of its own, under a name.
func spawned(t *testing.T, system *actor.ActorSystem, p persistence.Provider) *actor.PID {
	t.Helper()
	props := actor.PropsFromProducer(func() actor.Actor { return new(counter) }, actor.WithReceiverMiddleware(persistence.Using(p)))
	pid, err := system.Root.SpawnNamed(props, "counter")
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func ask(t *testing.T, system *actor.ActorSystem, who *actor.PID, what any) int64 {
	t.Helper()
	answer, err := system.Root.RequestFuture(who, what, patience).Result()
	if err != nil {
		t.Fatalf("%T: %v", what, err)
	}
	return answer.(int64)
}

func respawned(t *testing.T, k Kit) {
	p, system := k.Provider(t), actor.NewActorSystem()
	defer system.Shutdown()
	for life := range int64(3) {
		pid := spawned(t, system, p)
		if got := ask(t, system, pid, total{}); got != 55*life {
			t.Errorf("life %d begins with %d, want %d", life, got, 55*life)
		}
		for n := range int64(10) {
			ask(t, system, pid, add{n + 1})
		}
		if err := system.Root.PoisonFuture(pid).Wait(); err != nil {
			t.Fatal(err)
		}
	}
}

func restarted(t *testing.T, k Kit) {
	p, system := k.Provider(t), actor.NewActorSystem()
	defer system.Shutdown()
	pid := spawned(t, system, p)
	for n := range int64(10) {
		ask(t, system, pid, add{n + 1})
	}
	system.Root.Send(pid, fail{})
	if got := ask(t, system, pid, total{}); got != 55 {
		t.Errorf("it begins again with %d, want 55", got)
	}
}
