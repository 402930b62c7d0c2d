package grain

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	virtual "github.com/asynkron/protoactor-go/cluster"
	provider "github.com/asynkron/protoactor-go/cluster/clusterproviders/test"
	"github.com/asynkron/protoactor-go/cluster/identitylookup/disthash"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/persistence"
)

// limit bounds whatever a test waits for.
const limit = 30 * time.Second

// counter is a grain that adds up what it is told. A text tells it to panic, or to hold on until the test says so.
type counter struct {
	Mixin
	total int64
	held  chan chan struct{}
}

func (c *counter) Apply(event proto.Message)   { c.total += event.(*wrapperspb.Int64Value).GetValue() }
func (c *counter) Restore(state proto.Message) { c.total = state.(*wrapperspb.Int64Value).GetValue() }
func (c *counter) State() proto.Message        { return wrapperspb.Int64(c.total) }

func (c *counter) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *wrapperspb.Int64Value:
		c.add(ctx, m)
	case *wrapperspb.StringValue:
		if m.GetValue() == "panic" {
			panic("as it was told")
		}
		release := make(chan struct{})
		c.held <- release
		<-release
		c.add(ctx, wrapperspb.Int64(1))
	}
}

func (c *counter) add(ctx actor.Context, m *wrapperspb.Int64Value) {
	if err := c.Persist(ctx, m); err != nil {
		Refuse(ctx, err)
		return
	}
	ctx.Respond(wrapperspb.Int64(c.total))
}

// refuser refuses what it is asked first, as an activation does that was fenced meanwhile.
type refuser struct{ asked int64 }

func (r *refuser) Receive(ctx actor.Context) {
	if _, is := ctx.Message().(*wrapperspb.Int64Value); !is {
		return
	}
	if r.asked++; r.asked == 1 {
		refuse(ctx, &persistence.FencedError{Owner: "refuser"}, unasked)
		return
	}
	ctx.Respond(wrapperspb.Int64(r.asked))
}

// fixture is a member of protoactor's cluster that hosts counters, and the log that they are in.
type fixture struct {
	cluster *virtual.Cluster
	port    *actor.PID
	system  *actor.ActorSystem // the port's
	held    chan chan struct{}
}

const idle = 300 * time.Millisecond

func start(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{system: system(), held: make(chan chan struct{}, 1)}
	f.port = f.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &memory{} }))
	t.Cleanup(f.system.Shutdown)
	p := provide(t, f.system, f.port)
	kind := func(name string, idle time.Duration) *virtual.Kind {
		k, err := Kind(Config{Name: name, Provider: p, Idle: idle, Patience: time.Second, New: func() persistence.Persistent { return &counter{held: f.held} }})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	f.cluster = member(t, kind("counter", 0), kind("napper", idle), virtual.NewKind("refuser", actor.PropsFromProducer(func() actor.Actor { return &refuser{} })))
	return f
}

// system is an actor system that says nothing.
func system() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
}

// member starts a member of protoactor's cluster, alone in it.
func member(t *testing.T, kinds ...*virtual.Kind) *virtual.Cluster {
	t.Helper()
	c := virtual.New(system(), virtual.Configure("grains", provider.NewTestProvider(provider.NewInMemAgent()), disthash.New(),
		remote.Configure("127.0.0.1", 0), virtual.WithKinds(kinds...)))
	c.StartMember()
	t.Cleanup(func() { c.Shutdown(false) })
	return c
}

// ask asks a grain of a kind.
func (f *fixture) ask(t *testing.T, kind, identity string, m proto.Message) (int64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	answer, err := Request(ctx, f.cluster, kind, identity, m)
	if err != nil {
		return 0, err
	}
	return answer.(*wrapperspb.Int64Value).GetValue(), nil
}

// add has a counter add a number, and say what it has then.
func (f *fixture) add(t *testing.T, kind, identity string, number, want int64) {
	t.Helper()
	if got, err := f.ask(t, kind, identity, wrapperspb.Int64(number)); err != nil || got != want {
		t.Fatalf("%s/%s says %d, %v; want %d", kind, identity, got, err, want)
	}
}

// elsewhere activates a counter somewhere else, where it counts up by a number.
func (f *fixture) elsewhere(t *testing.T, owner string, number int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	j, err := provide(t, f.system, f.port).Activate(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Persist(ctx, wrapperspb.Int64(number)); err != nil {
		t.Fatal(err)
	}
}

// hold has a counter hold on, and returns how it goes on, and what its caller was told.
func (f *fixture) hold(t *testing.T, identity string) (release chan<- struct{}, told <-chan error) {
	t.Helper()
	back := make(chan error, 1)
	go func() {
		_, err := f.ask(t, "counter", identity, wrapperspb.String("hold on"))
		back <- err
	}()
	return await(t, f.held), back
}

// behind sends a counter something while it holds on, and returns what comes back.
func (f *fixture) behind(t *testing.T, identity string) func() (any, error) {
	t.Helper()
	return f.cluster.ActorSystem.Root.RequestFuture(f.cluster.Get(identity, "counter"), wrapperspb.Int64(1), limit).Result
}

func await[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(limit):
		t.Fatalf("nothing came within %v", limit)
	}
	panic("not reached")
}

func (f *fixture) deafen(t *testing.T, deaf bool) (unheard int) {
	t.Helper()
	answer, err := f.system.Root.RequestFuture(f.port, deafen(deaf), limit).Result()
	if err != nil {
		t.Fatal(err)
	}
	return answer.(int)
}
