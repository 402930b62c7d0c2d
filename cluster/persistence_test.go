package cluster

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	stock "github.com/asynkron/protoactor-go/persistence"
	"github.com/rs/zerolog"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/actors/persistence/providertest"
	"github.com/quorumlog/quorumlog/log"
)

func TestOurProviderKeepsWhatPersistentActorsWant(t *testing.T) {
	providertest.Run(t, providertest.Kit{Provider: func(t *testing.T) stock.Provider {
		one, _ := twoMembers(t)
		p := one.Persist(PersistenceConfig{SnapshotEvery: 4})
		t.Cleanup(func() { _ = p.Close() })
		return p.Stock()
	}})
}

func TestTheProviderInMemoryKeepsSome(t *testing.T) {
	providertest.Run(t, providertest.Kit{Provider: func(*testing.T) stock.Provider {
		return inMemory{stock.NewInMemoryProvider(4)}
	}, Without: map[string]string{
		"a message that is changed after it was persisted is not changed in the store": "it keeps the message itself",
		"an event with an index that is taken is refused":                              "it appends whatever comes",
		"an event with an index that leaves a gap is refused":                          "it appends whatever comes",
		"of two activations of an actor the first is fenced":                           "it knows of no activations",
	}})
}

// inMemory is protoactor's provider in memory, which is a state and has no GetState.
type inMemory struct{ *stock.InMemoryProvider }

func (m inMemory) GetState() stock.ProviderState { return m }

// tally is a persistent actor of ours: it adds up what it is told.
type tally struct {
	persistence.Mixin
	total int64
	ended chan<- any // Lost
}

type (
	add   struct{ number int64 }
	total struct{}
)

func (*tally) PersistenceID(actor.Context) string { return "tally" }
func (c *tally) Apply(event proto.Message)        { c.total += event.(*wrapperspb.Int64Value).GetValue() }
func (c *tally) Restore(state proto.Message)      { c.total = state.(*wrapperspb.Int64Value).GetValue() }
func (c *tally) State() proto.Message             { return wrapperspb.Int64(c.total) }

func (c *tally) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case add:
		if err := c.Persist(ctx, wrapperspb.Int64(m.number)); err != nil {
			ctx.Respond(err)
			return
		}
		ctx.Respond(c.total)
	case total:
		ctx.Respond(c.total)
	case persistence.Lost:
		c.ended <- m
	}
}

// activated spawns a tally in a system of its own, which knows its events by this provider.
func activated(t *testing.T, p *Persistence) (tell func(any) any, ended <-chan any) {
	t.Helper()
	system, lost := newSystem(zerolog.Nop(), "nobody:1"), make(chan any, 1)
	t.Cleanup(system.Shutdown)
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &tally{ended: lost} }, actor.WithReceiverMiddleware(p.Receive())))
	return func(what any) any {
		t.Helper()
		answer, err := system.Root.RequestFuture(pid, what, 30*time.Second).Result()
		if err != nil {
			t.Fatalf("%T: %v", what, err)
		}
		return answer
	}, lost
}

func persisted(t *testing.T, n *Node, c PersistenceConfig) *Persistence {
	t.Helper()
	p := n.Persist(c)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestAnActorThatIsActivatedElsewhereGoesOnAndTheFirstOneEnds(t *testing.T) {
	one, two := twoMembers(t)
	here, ended := activated(t, persisted(t, one, PersistenceConfig{SnapshotEvery: 4}))
	for i := range int64(10) {
		if got := here(add{i + 1}); got != (i+1)*(i+2)/2 {
			t.Fatalf("after %d it says %v", i+1, got)
		}
	}
	there, _ := activated(t, persisted(t, two, PersistenceConfig{SnapshotEvery: 4}))
	if got := there(total{}); got != int64(55) {
		t.Fatalf("it goes on with %v, want 55", got)
	}
	if err, refused := here(add{1}).(error); !refused || !errors.Is(err, persistence.ErrFenced) {
		t.Errorf("the first one says %v", err)
	}
	if lost := await(t, ended, "the first one to be told").(persistence.Lost); !errors.Is(lost.Err, persistence.ErrFenced) {
		t.Errorf("it is told %v", lost.Err)
	}
	if got := there(add{5}); got != int64(60) {
		t.Errorf("the second one says %v, want 60", got)
	}
}

func TestSnapshotsTruncateTheLogOfActors(t *testing.T) {
	one, _ := twoMembers(t)
	config := PersistenceConfig{SnapshotEvery: 10, TruncateEvery: 50}
	tell, _ := activated(t, persisted(t, one, config))
	for range 200 {
		tell(add{1})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for begin := log.Position(1); begin < 100; {
		b, _, err := one.Reader().Bounds(ctx)
		if err != nil {
			t.Fatalf("the log begins at %d: %v", begin, err)
		}
		begin = b
	}
	again, _ := activated(t, persisted(t, one, config))
	if got := again(total{}); got != int64(200) {
		t.Errorf("of the truncated log it makes %v, want 200", got)
	}
}
