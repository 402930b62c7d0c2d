package discard

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/recovery"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// expectEmpty fails the test unless nothing of a member runs any more.
func expectEmpty(t *testing.T, c *kit.Cluster, m *kit.Member) {
	t.Helper()
	c.World.Run(20 * time.Millisecond)
	if now, timers := m.Node.Actors(), m.Node.Timers(); len(now) > 0 || timers > 0 {
		t.Fatalf("seed %d: there is still %q, and %d timers", c.World.Seed(), now, timers)
	}
	c.World.Run(30 * time.Second)
	if now, timers := m.Node.Actors(), m.Node.Timers(); len(now) > 0 || timers > 0 {
		t.Fatalf("seed %d: there is %q again, and %d timers", c.World.Seed(), now, timers)
	}
}

// Stop, as a supervisor does it, and Poison, as an owner does it.
func ends() map[string]func(*kit.Member) {
	return map[string]func(*kit.Member){
		"stopped":  func(m *kit.Member) { m.Node.Root().Stop(m.Node.PID(kit.Name)) },
		"poisoned": func(m *kit.Member) { m.Node.Root().Poison(m.Node.PID(kit.Name)) },
	}
}

func TestMemberEndsWithEverythingWhileItsReplicaRecovers(t *testing.T) {
	for name, end := range ends() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				c := kit.New(t, seed, 3, false)
				c.Start()
				c.World.Run(time.Duration(seed) * time.Second)
				end(c.Member(1))
				expectEmpty(t, c, c.Member(1))
			}
		})
	}
}

func TestMemberEndsWithEverythingWhileItsCoordinatorIsAtWork(t *testing.T) {
	for name, end := range ends() {
		t.Run(name, func(t *testing.T) {
			for steps := range 30 {
				c := kit.Voting(t, uint64(steps), 3)
				m := c.Member(1)
				m.Probe.Request(m.PID(member.Coordinator), coordinator.Elect{})
				m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry("a"), kit.Entry("b")}})
				m.Probe.Request(m.PID(member.Gateway), &messages.CatchupRequest{Request: 1})
				for range 10 * steps {
					c.World.Step()
				}
				end(m)
				expectEmpty(t, c, m)
			}
		})
	}
}

// What opens the member to clients may be in its mailbox while it waits for its actors to end.
func TestEndingMemberStartsNoActors(t *testing.T) {
	for seed := range uint64(20) {
		c := kit.New(t, seed, 3, false)
		c.Start()
		m := c.Member(1)
		c.World.Run(time.Second)
		m.Node.Root().Poison(m.Node.PID(kit.Name))
		m.Node.Root().Send(m.Node.PID(kit.Name), recovery.Recovered{})
		expectEmpty(t, c, m)
	}
}
