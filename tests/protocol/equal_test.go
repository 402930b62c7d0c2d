package protocol

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// TestEntriesWithTheSameBytesAreTwo has two writers write the same bytes at the same position. The late one must not take
// the other's entry for its own.
func TestEntriesWithTheSameBytesAreTwo(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		old, young := c.Member(1), c.Member(2)
		old.Elect()
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if _, ok := e.Message.(*messages.WriteRequest); ok && e.From == old.Node.Address() && e.To != e.From {
				return actortest.Hold
			}
			return actortest.Deliver
		})
		old.Probe.Request(old.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry("+1")}})
		c.World.Must(t, time.Second, "the write is on its way", func() bool { return len(c.World.Held()) >= 2 })
		young.Elect()
		young.Append("+1")
		c.World.Run(500 * time.Millisecond) // the others learn
		c.World.Filter(nil)
		c.World.Release(nil)
		failed := actortest.Await[coordinator.Failed](t, old.Probe, patience)
		if failed.Why != coordinator.Indeterminate {
			t.Errorf("got %+v", failed)
		}
	})
}
