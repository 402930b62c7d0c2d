package actortest_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/timer"
)

// gossip sends what it hears, plus one, to a random peer, through a child and after a random pause.
type gossip struct {
	clock  timer.Clock
	random timer.Random
	peers  []*actor.PID
}

type pauseOver struct{ number uint64 }

func (g *gossip) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *wrapperspb.UInt64Value:
		g.clock.After(timer.Between(g.random, 0, 10*time.Millisecond), ctx.Self(), pauseOver{m.GetValue() + 1})
		if m.GetValue()%3 == 0 {
			ctx.Send(g.peer(), wrapperspb.UInt64(m.GetValue()+2))
		}
	case pauseOver:
		ctx.Send(ctx.Spawn(actor.PropsFromFunc(g.forward)), m)
	}
}

func (g *gossip) forward(ctx actor.Context) {
	if m, ok := ctx.Message().(pauseOver); ok {
		ctx.Send(g.peer(), wrapperspb.UInt64(m.number))
		ctx.Stop(ctx.Self())
	}
}

func (g *gossip) peer() *actor.PID {
	p := g.peers[g.random.Int64N(int64(len(g.peers)))]
	return actor.NewPID(p.Address, p.Id)
}

// history runs gossip on three nodes, with every fault, and returns the hash.
func history(t *testing.T, seed uint64) (hash, steps uint64) {
	t.Helper()
	return scheduled(t, seed, actortest.Uniform{})
}

// scheduled is history by another schedule.
func scheduled(t *testing.T, seed uint64, s actortest.Schedule) (hash, steps uint64) {
	t.Helper()
	w := actortest.NewWorld(seed)
	defer w.Close()
	w.Schedule(s)
	w.Net.Drop(0.02)
	w.Net.Duplicate(0.05)
	w.Net.Reorder(seed%2 == 0)
	w.Net.Tail(0.02, 100*time.Millisecond)
	var peers []*actor.PID
	for _, address := range []string{"a:1", "b:1", "c:1"} {
		peers = append(peers, w.Node(address).PID("gossip"))
	}
	start := func(address string) {
		n := w.Node(address)
		n.Spawn("gossip", actor.PropsFromProducer(func() actor.Actor { return &gossip{n.Clock(), n.Random(), peers} }))
		n.Root().Send(n.PID("gossip"), wrapperspb.UInt64(seed))
		n.Root().Send(n.PID("gossip"), wrapperspb.UInt64(seed+1))
	}
	start("a:1")
	start("b:1")
	start("c:1")
	w.Run(50 * time.Millisecond)
	w.Node("b:1").Crash()
	w.Net.Cut("a:1", "c:1")
	w.Node("c:1").Drift(-0.3)
	w.Run(20 * time.Millisecond)
	w.Node("b:1").Restart()
	start("b:1")
	w.Net.HealAll()
	w.Run(50 * time.Millisecond)
	if w.Err() != nil {
		t.Fatal(w.Err())
	}
	return w.Hash(), w.Steps()
}

func TestOneSeedGivesOneHistory(t *testing.T) {
	seen := map[uint64]uint64{}
	for seed := range uint64(20) {
		first, steps := history(t, seed)
		second, _ := history(t, seed)
		if first != second {
			t.Errorf("seed %d: %x and then %x", seed, first, second)
		}
		if steps < 300 {
			t.Errorf("seed %d: only %d steps", seed, steps)
		}
		if other, ok := seen[first]; ok {
			t.Errorf("seeds %d and %d have one history", seed, other)
		}
		seen[first] = seed
	}
}
