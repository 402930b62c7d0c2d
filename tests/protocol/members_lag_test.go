package protocol

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// lagging is a log of which member 2 lacks so many entries, and copies none for the time being; member 3 is down, and 1 writes.
func lagging(t *testing.T, seed uint64, entries int) *kit.Cluster {
	t.Helper()
	c := kit.Initialized(t, seed, 3)
	var records []log.Action
	for at := range log.Position(entries) {
		records = append(records, kit.Chosen(at+1, by(1, 1), fmt.Sprint("old", at+1)))
	}
	c.Member(1).Prepare(nil, records...)
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if _, ok := e.Message.(*messages.FetchRequest); ok && e.From == c.Member(2).Node.Address() {
			return actortest.Drop
		}
		return actortest.Deliver
	})
	c.Member(1).Start()
	c.Member(2).Start()
	c.AwaitVoting(c.Member(1), c.Member(2))
	c.Member(1).Elect()
	c.World.Run(time.Second)
	return c
}

// Whoever needs the vote of a member that lacks a lot would wait for it to copy all of that, and the log with it.
func TestAChangeThatWouldWaitForALaggardIsRefusedAndAppendsGoOn(t *testing.T) {
	seeds(t, 3, func(t *testing.T, seed uint64) {
		c := lagging(t, seed, membership.MaxLag+100)
		writer := c.Member(1)
		answer, _ := writer.Change(membership.Add, c.Add().ID).(coordinator.Failed)
		if !errors.Is(answer.Err, membership.ErrBehind) || !strings.Contains(fmt.Sprint(answer.Err), "member 2 lacks 8292 positions") {
			t.Errorf("seed %d: the change is answered with %+v", seed, answer)
		}
		appendAll(writer, "after", 5)
		c.World.Filter(nil)
		writer.MustChange(membership.Add, 4)
		appendAll(writer, "copied", 5)
	})
}

// Member 2 lacks little enough for a change, but its limit of copies would have it take hours.
func TestAChangeThatIsMadeDoesNotWaitForTheLimitOfCopies(t *testing.T) {
	seeds(t, 3, func(t *testing.T, seed uint64) {
		c := lagging(t, seed, membership.MaxLag/8)
		two := c.Member(2)
		two.Crash()
		two.CopyLimit = catchup.NewLimit(1)
		for range 2 { // what it may copy at once is used up, and as much more is to be paid for first
			two.CopyLimit.ReserveN(two.Node.Clock().Now(), two.CopyLimit.Burst())
		}
		c.World.Filter(nil)
		two.Restart()
		c.AwaitVoting(two)
		c.World.Run(5 * time.Second)
		if lacks := c.Member(1).Inspect().Learned - two.Inspect().Learned; lacks < membership.MaxLag/16 {
			t.Fatalf("seed %d: it lacks %d positions only", seed, lacks)
		}
		before := c.World.Elapsed()
		c.Member(1).MustChange(membership.Add, c.Add().ID)
		if took := c.World.Elapsed() - before; took > 2*time.Second {
			t.Errorf("seed %d: the change took %v", seed, took)
		}
		c.Agree(c.Member(1), two)
	})
}
