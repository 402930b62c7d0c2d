package protocol

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// What nobody asked for is refused, as there is a writer. A client asks while the answers are on their way.
func TestAnElectionThatAClientAsksForIsNotLostWithAPoliteOne(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		writer := awaitWriter(t, c, 2*time.Second)
		c.World.Run(time.Second)
		m, asks := others(c, writer)[seed%2], false
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if _, ok := e.Message.(*messages.PromiseRequest); ok && e.From == m.Node.Address() {
				asks = true
			}
			return actortest.Deliver
		})
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Elect{Tag: 1, Polite: true})
		wait(t, c, "it asks for promises", func() bool { return asks })
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Elect{Tag: 2})
		if failed := actortest.Await[coordinator.Failed](t, m.Probe, time.Second); failed.Tag != 1 || failed.Why != coordinator.NotElected {
			t.Fatalf("seed %d: %+v failed", seed, failed)
		}
		if won := actortest.Await[coordinator.Elected](t, m.Probe, 5*time.Second); won.Tag != 2 {
			t.Errorf("seed %d: %+v is won", seed, won)
		}
	})
}

func TestAPoliteElectionDuringAChangeOfTheMembersFencesNobody(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer := c.Member(1)
		fence := writer.Elect().By
		writer.Append("before")
		c.Add()
		writer.Probe.Forget()
		writer.Probe.Request(writer.PID(member.Coordinator), coordinator.Change{Tag: 1, Change: membership.Change{
			Kind: membership.Add, ID: 4, Address: logtest.Address(4),
		}})
		writer.Probe.Request(writer.PID(member.Coordinator), coordinator.Elect{Tag: 2, Polite: true})
		if won := actortest.Await[coordinator.Elected](t, writer.Probe, 5*time.Second); won.By != fence {
			t.Errorf("seed %d: %v was elected, and %v is now", seed, fence, won.By)
		}
		c.World.Run(time.Second)
		if _, ok := writer.Write(fence, kit.Entry("after")).(coordinator.Appended); !ok {
			t.Errorf("seed %d: the writer's client was fenced", seed)
		}
	})
}
