package protocol

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// join adds a member to a log that another one writes, starts it, and returns it once it votes as an observer.
func join(c *kit.Cluster, writer *kit.Member) *kit.Member {
	added := c.Add()
	writer.MustChange(membership.Add, added.ID)
	added.Start()
	c.AwaitVoting(added)
	return added
}

func TestMembersComeAndGoWhileAWriterWrites(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer := c.Member(2)
		fence := writer.Elect().By
		want := appendAll(writer, "three", 5)
		four := join(c, writer)
		want = append(want, appendAll(writer, "observed", 5)...)
		writer.MustChange(membership.Promote, 4)
		want = append(want, appendAll(writer, "four", 5)...)
		five := join(c, writer)
		writer.MustChange(membership.Promote, 5)
		want = append(want, appendAll(writer, "five", 5)...)
		writer.MustChange(membership.Remove, 1)
		writer.MustChange(membership.Remove, 3)
		want = append(want, appendAll(writer, "others", 5)...)
		if _, ok := writer.Write(fence, kit.Entry("same fence")).(coordinator.Appended); !ok {
			t.Error("the writer was fenced by a change of its own")
		}
		want = append(want, "same fence")
		c.World.Run(5 * time.Second)
		for _, gone := range []*kit.Member{c.Member(1), c.Member(3)} {
			if !errors.Is(gone.Failure(), member.ErrRemoved) {
				t.Errorf("member %d ends with %v", gone.ID, gone.Failure())
			}
		}
		for _, m := range []*kit.Member{writer, four, five} {
			if got := m.Entries(); !slices.Equal(got, want) || m.Epoch() != 6 {
				t.Errorf("member %d is at epoch %d, and has %q", m.ID, m.Epoch(), got)
			}
		}
		c.Agree(writer, four, five)
	})
}

func TestAWriterThatDiesBehindItsChangeIsFollowedByOneOfTheNewMembers(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer := c.Member(1)
		writer.Elect()
		want := appendAll(writer, "three", 5)
		four := join(c, writer)
		writer.MustChange(membership.Promote, 4)
		writer.Crash()
		next := c.Member(2 + log.ReplicaID(seed%3))
		next.Elect()
		want = append(want, appendAll(next, "next", 5)...)
		for _, m := range []*kit.Member{c.Member(2), c.Member(3), four} {
			if got := m.Epoch(); got != 2 {
				t.Errorf("member %d is at epoch %d", m.ID, got)
			}
		}
		writer.Restart()
		c.AwaitVoting(writer)
		if got := next.Entries(); !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		c.Agree(c.Members...)
	})
}

func TestADeadMemberIsReplaced(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer := c.Member(1)
		writer.Elect()
		appendAll(writer, "three", 5)
		dead := c.Member(3)
		dead.Crash()
		four := join(c, writer)
		writer.MustChange(membership.Promote, 4)
		appendAll(writer, "dead", 5)
		writer.MustChange(membership.Remove, 3)
		appendAll(writer, "replaced", 5)
		dead.Restart()
		c.World.Must(t, time.Minute, "the dead one is told", func() bool { return errors.Is(dead.Failure(), member.ErrRemoved) })
		c.Member(2).Crash()
		c.World.Run(time.Second)
		c.Member(2).Wipe()
		c.Member(2).Start()
		c.World.Must(t, time.Minute, "a disk that was lost is told", func() bool { return c.Member(2).Epoch() == 3 })
		c.AwaitVoting(c.Member(2), four)
		c.Agree(writer, c.Member(2), four)
	})
}

func TestAChangeOfTheMembersWaitsForWhatIsBelowIt(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		one := c.Member(1)
		one.Start()
		c.AwaitVoting(one)
		two := c.Peer(2)
		if _, ok := two.Write(one, by(1, 2), 1, kit.Entry("a")).(paxos.Accepted); !ok {
			t.Fatal("the entry below is not accepted")
		}
		before := len(two.Granted())
		two.AskWrite(one, by(1, 2), 2, removal(t, 3))
		c.World.Run(time.Second)
		if len(two.Granted()) > before {
			t.Error("a change is accepted above what is not learned")
		}
		two.Notice(one, by(1, 2), span(1, 1))
		c.World.Must(t, time.Second, "the change is accepted once all below it is learned", func() bool { return len(two.Granted()) > before })
		if got := one.Epoch(); got != 0 {
			t.Errorf("a change is in force before it is chosen: epoch %d", got)
		}
		two.Send(one.PID(member.Replica), codec.EncodeLearnedMessage(two.Header(), by(1, 2), span(2, 2)))
		c.World.Must(t, time.Second, "it is in force once it is", func() bool { return one.Epoch() == 1 })
	})
}

// removal is the CONFIG that removes one of three members.
func removal(t *testing.T, id log.ReplicaID) log.Value {
	t.Helper()
	var seed []membership.Member
	for i := range log.ReplicaID(3) {
		seed = append(seed, membership.Member{ID: i + 1, Address: logtest.Address(i + 1)})
	}
	next, err := membership.Seed(seed).Next(membership.Change{Kind: membership.Remove, ID: id})
	if err != nil {
		t.Fatal(err)
	}
	data, err := codec.FormatConfiguration(next)
	if err != nil {
		t.Fatal(err)
	}
	return log.Value{Kind: log.Config, Data: data}
}

func TestAReplicaThatWasRemovedIsRefusedAndTold(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer, gone := c.Member(1), c.Member(3)
		writer.Elect()
		writer.Append("a")
		gone.Crash()
		writer.MustChange(membership.Remove, 3)
		before := c.Member(2).Inspect().Promised
		gone.Restart()
		gone.Probe.Request(gone.PID(member.Coordinator), coordinator.Elect{})
		c.World.Must(t, time.Minute, "it is told", func() bool { return errors.Is(gone.Failure(), member.ErrRemoved) })
		if got := c.Member(2).Inspect().Promised; got != before {
			t.Errorf("a member that was removed was promised %s", got)
		}
		writer.Append("b")
	})
}
