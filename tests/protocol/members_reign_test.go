package protocol

import (
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// A writer begins its reign again behind a change of the members, further up: it settled under the same proposal what it found
// there among the members of after. Whoever goes by where it began first takes what is acknowledged behind that for void.
func TestWhatIsAcknowledgedBehindAChangeOfTheMembersStays(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		fenced, writer, away := c.Member(3), c.Member(2), c.Member(1)
		fenced.Elect()
		c.World.Net.Isolate(fenced.Node.Address())
		fenced.Write(0, kit.Entry("old1"), kit.Entry("old2"), kit.Entry("old3"))
		writer.Elect()
		writer.Append("new1")
		c.World.Net.Join(fenced.Node.Address())
		c.World.Run(5 * time.Second)
		c.World.Net.Isolate(away.Node.Address())
		c.World.Run(time.Second)
		writer.MustChange(membership.Add, c.Add().ID)
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if _, ok := e.Message.(*messages.LearnedMessage); ok && e.From != e.To {
				return actortest.Drop
			}
			return actortest.Deliver
		})
		writer.Append("kept")
		writer.Crash()
		c.World.Filter(nil)
		c.World.Net.Join(away.Node.Address())
		c.World.Run(5 * time.Second)
		away.Elect()
		if got := away.Entries(); !slices.Equal(got, []string{"new1", "kept"}) {
			t.Errorf("seed %d: the log is %q", seed, got)
		}
		writer.Restart()
		c.AwaitVoting(writer)
		c.World.Run(10 * time.Second)
		c.Agree(fenced, writer, away)
	})
}
