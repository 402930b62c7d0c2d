package protocol

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// Member 2 tells member 3 for a while that it has learned a trillion positions, of a log that has one.
func TestAFalseClaimOfOnePeerDoesNotFillTheLog(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	writer := c.Member(1)
	e := writer.Elect()
	writer.Append("a")
	c.World.Run(time.Second)
	from, to := c.Member(2).Node.Address(), c.Member(3).Node.Address()
	lies := 0
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if w, ok := e.Message.(*messages.Welcome); ok && e.From == from && e.To == to && lies < 12 {
			if p := w.GetPresence(); p != nil {
				lies++
				p.Learned = 1 << 40
			}
		}
		return actortest.Deliver
	})
	c.World.Run(20 * time.Second)
	if in := writer.Inspect(); lies < 12 || in.End > 1 || in.Writer != e.By {
		t.Errorf("after %d lies the log ends at %d, and the writer is %v, not %v", lies, in.End, in.Writer, e.By)
	}
	writer.Append("b")
	c.World.Run(3 * time.Second)
	c.Agree(c.Members...)
}
