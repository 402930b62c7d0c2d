package protocol

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/messages"
)

// Member 3 has just spent its limit on its own recovery, and lacks one entry when it is elected.
func TestALimitOfCopiesDoesNotHoldUpAnElection(t *testing.T) {
	c := large(t, 1, 20)
	m, writer := c.Member(3), c.Member(1)
	m.CopyLimit = catchup.NewLimit(64 << 10)
	c.Start()
	c.AwaitVoting(c.Members...)
	writer.Elect()
	lose[*messages.LearnedMessage](c)
	c.World.Net.Isolate(m.Node.Address())
	writer.Append("one more")
	c.World.Net.HealAll()
	writer.Crash()
	c.World.Filter(nil)
	began := c.World.Elapsed()
	m.Probe.Request(m.PID("coordinator"), coordinator.Elect{})
	wait(t, c, "it is elected, or not", func() bool { return len(m.Probe.Messages()) > 0 })
	if _, ok := m.Probe.Messages()[0].(coordinator.Elected); !ok || c.World.Elapsed()-began > 5*time.Second {
		t.Errorf("after %v: %#v", c.World.Elapsed()-began, m.Probe.Messages()[0])
	}
}
