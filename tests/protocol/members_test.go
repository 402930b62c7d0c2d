package protocol

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
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
