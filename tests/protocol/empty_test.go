package protocol

import (
	"testing"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// A replica that was VOTING, and recovers, holds a record that was never chosen, and the log of its peers is empty: there is nothing
// to catch up on, and what it holds is for the writer to decide.
func TestARecoveryFromAnEmptyLogForcesNothing(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	m, writer := c.Member(3), c.Member(1)
	m.Prepare(func(meta *storage.Metadata) { meta.Status, meta.Promised = status.Recovering, by(1, 3) }, kit.Accepted(1, by(1, 3), "mine"))
	writer.Start()
	c.Member(2).Start()
	c.AwaitVoting(writer, c.Member(2))
	e := writer.Elect()
	promises := 0
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if p, ok := e.Message.(*messages.PromiseRequest); ok && e.From == m.Node.Address() && p.GetRange() != nil {
			promises++
		}
		return actortest.Deliver
	})
	m.Start()
	c.AwaitVoting(m)
	if promises > 0 {
		t.Errorf("it asked for %d promises", promises)
	}
	if a, ok := writer.Write(e.By, kit.Entry("one")).(coordinator.Appended); !ok || a.Range.First != 1 {
		t.Errorf("the writer got %#v", a)
	}
	c.Agree(c.Members...)
}
