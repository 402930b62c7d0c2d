package protocol

import (
	"slices"
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

// changing is a log whose writer, member 1, has asked for member 4, and whose members' votes are on their way for as long as the
// world's messages are held.
func changing(t *testing.T, seed uint64) *kit.Cluster {
	t.Helper()
	c := kit.Voting(t, seed, 3)
	one := c.Member(1)
	one.Elect()
	one.Append("before")
	c.Add()
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if _, ok := e.Message.(*messages.WriteResponse); ok && e.From != e.To {
			return actortest.Hold
		}
		return actortest.Deliver
	})
	ch := membership.Change{Kind: membership.Add, ID: 4, Address: logtest.Address(4)}
	one.Probe.Request(one.PID(member.Coordinator), coordinator.Change{Change: ch})
	c.World.Run(50 * time.Millisecond)
	return c
}

// release lets the votes arrive.
func release(c *kit.Cluster) {
	c.World.Filter(nil)
	c.World.Release(nil)
	c.World.Run(500 * time.Millisecond)
}

func TestAWriterThatIsDemotedDuringAChangeOfTheMembersFinishesItAndWritesNoMore(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := changing(t, seed)
		one := c.Member(1)
		operator := one.Node.Probe("operator")
		operator.Request(one.PID(member.Coordinator), coordinator.Demote{})
		c.World.Run(50 * time.Millisecond)
		if len(operator.Messages()) > 0 {
			t.Errorf("seed %d: it says %v while the change is on its way", seed, operator.Messages())
		}
		if f, ok := one.Write(0, kit.Entry("late")).(coordinator.Failed); !ok || f.Why != coordinator.NotElected {
			t.Errorf("seed %d: an append meanwhile is answered with %+v", seed, f)
		}
		release(c)
		actortest.Await[coordinator.Demoted](t, operator, patience)
		if by := one.Inspect().Writer; by != 0 {
			t.Errorf("seed %d: it writes under %s after it was demoted", seed, by)
		}
		actortest.Await[coordinator.Changed](t, one.Probe, patience)
		c.Member(2).Elect()
		if got := c.Member(2).Epoch(); got != 1 {
			t.Errorf("seed %d: the change was answered as made, and the epoch is %d", seed, got)
		}
	})
}

func TestAWriterThatIsDemotedAtOnceDoesNotWaitForAChangeOfTheMembers(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := changing(t, seed)
		one := c.Member(1)
		operator := one.Node.Probe("operator")
		operator.Request(one.PID(member.Coordinator), coordinator.Demote{Now: true})
		c.World.Run(50 * time.Millisecond)
		actortest.Await[coordinator.Demoted](t, operator, 0)
		if f := actortest.Await[coordinator.Failed](t, one.Probe, 0); f.Why != coordinator.Indeterminate {
			t.Errorf("seed %d: the change failed with %+v", seed, f)
		}
		release(c)
		if by := one.Inspect().Writer; by != 0 {
			t.Errorf("seed %d: it writes under %s after it was demoted", seed, by)
		}
		c.Member(2).Elect()
		appendAll(c.Member(2), "after", 3)
	})
}

// A client that asks for a writer of its own asks the one that wrote last first.
func TestAMemberThatLeavesIsNotElectedForAClient(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		first := awaitWriter(t, c, 2*time.Second)
		first.Append("before")
		c.World.Run(time.Second)
		first.Node.Root().Send(first.Node.PID(kit.Name), member.Leave{})
		c.World.Run(time.Duration(seed) * 5 * time.Millisecond)
		first.Probe.Request(first.PID(member.Gateway), &messages.ElectRequest{Request: 7})
		f := actortest.Await[*messages.ElectResponse](t, first.Probe, time.Second).GetFailure()
		if f.GetCode() != messages.Code_CODE_NOT_ELECTED || f.GetWriter() == 0 || f.GetWriter() == uint32(first.ID) {
			t.Errorf("seed %d: the client is told %v", seed, f)
		}
		second := awaitWriter(t, c, time.Second, first.ID)
		if now := whoWrites(c); len(now) != 1 || now[second.ID] == 0 {
			t.Errorf("seed %d: member %d leaves, and %v write", seed, first.ID, now)
		}
		if got := second.Entries(); !slices.Equal(got, []string{"before"}) {
			t.Errorf("seed %d: the log is %q", seed, got)
		}
	})
}
