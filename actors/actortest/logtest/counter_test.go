package logtest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/testkit"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// counter is an actor on top of the log: a number that is the sum of all entries, so that all counters agree on it. An entry
// may get into the log twice, because its append is tried at one member after the other until it is seen; it counts once.
type counter struct {
	name    string
	clock   timer.Clock
	gateway func(log.ReplicaID) *actor.PID
	member  log.ReplicaID // whom it asked last
	next    uint64        // the first position that it has not read
	seen    map[string]bool
	waiting []string // entries that it has not seen in the log
	asked   int
	sum     int
}

type (
	add struct{ n int }
	get struct{} // is answered by the sum, an int
	due struct{}
)

func (c *counter) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, due:
		c.member = c.member%3 + 1
		for _, e := range c.waiting {
			ctx.Request(c.gateway(c.member), &messages.AppendRequest{Entries: [][]byte{[]byte(e)}})
		}
		ctx.Request(c.gateway(c.member), &messages.ReadRequest{From: c.next})
		c.clock.After(50*time.Millisecond, ctx.Self(), due{})
	case add:
		c.asked++
		c.waiting = append(c.waiting, fmt.Sprintf("%s/%d %d", c.name, c.asked, m.n))
	case get:
		ctx.Respond(c.sum)
	case *messages.ReadResponse:
		for _, a := range m.GetPage().GetActions() {
			if a.GetPosition() >= c.next {
				c.next = a.GetPosition() + 1
				c.apply(string(a.GetValue().GetData()))
			}
		}
	}
}

func (c *counter) apply(entry string) {
	var id string
	var n int
	if _, err := fmt.Sscan(entry, &id, &n); err == nil && !c.seen[entry] { // no entry of a counter is a NOP
		c.seen[entry] = true
		c.sum += n
	}
	c.waiting = slices.DeleteFunc(c.waiting, func(e string) bool { return e == entry })
}

func TestCountersAgreeAlthoughDisksAreLost(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := logtest.Start(t, seed, 3)
		node, probe := c.World.Node("app:1"), testkit.NewTestProbe()
		for _, name := range []string{"one", "other"} {
			node.Spawn(name, actor.PropsFromProducer(func() actor.Actor {
				return &counter{name: name, clock: node.Clock(), gateway: c.Gateway, seen: map[string]bool{}}
			}))
		}
		node.Spawn("probe", actor.PropsFromProducer(func() actor.Actor { return probe }))
		c.Pass(0) // everybody has started
		for i := range 10 {
			probe.Send(node.PID("one"), add{i})
			probe.Send(node.PID("other"), add{100 * i})
			c.Pass(30 * time.Millisecond)
			c.Member(log.ReplicaID(1 + i%3)).Wipe()
			c.Recover()
		}
		c.Pass(time.Second)
		for _, name := range []string{"one", "other"} {
			probe.Request(node.PID(name), get{})
			c.Pass(0)
			if sum, err := testkit.GetNextMessageOf[int](probe, time.Second); err != nil || sum != 4545 {
				t.Errorf("%s: %d, %v", name, sum, err)
			}
		}
		c.Check()
	})
}
