package protocol

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// The writer dies while its last entries are accepted, and learned by itself alone. Whoever follows it has to settle them,
// and waits for nobody who is not there.
func TestAnElectionDoesNotWaitForAMemberThatIsAbsent(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		lose[*messages.LearnedMessage](c)
		first, second := c.Member(1), c.Member(2+log.ReplicaID(seed%2))
		first.Elect()
		appendAll(first, "first", 3)
		first.Crash()
		c.World.Filter(nil)
		c.World.Run(4 * time.Second)
		began := c.World.Elapsed()
		second.Elect()
		if took := c.World.Elapsed() - began; took > 100*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		second.Append("after")
		c.Check()
	})
}
