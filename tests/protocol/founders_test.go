package protocol

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// grown is a log that one member began, or several, and that others were added to until there are as many voters.
func grown(t *testing.T, seed uint64, from, to int) (*kit.Cluster, *kit.Member) {
	t.Helper()
	c := kit.New(t, seed, from, true)
	c.Start()
	c.AwaitVoting(c.Members...)
	one := c.Member(1)
	one.Elect()
	one.Append("first")
	for len(c.Members) < to {
		one.MustChange(membership.Promote, join(c, one).ID)
	}
	one.Append("with all")
	return c, one
}

// astray crashes all members, has some begin a log of their own on new disks, and appends an entry there.
func astray(t *testing.T, c *kit.Cluster, lost ...*kit.Member) {
	t.Helper()
	for _, m := range c.Members {
		m.Crash()
	}
	for _, m := range lost {
		m.Wipe()
		m.Restart()
	}
	c.AwaitVoting(lost...)
	stray(t, lost[0])
}

// stray has an entry acknowledged that is not of the log which the test goes on with.
func stray(t *testing.T, m *kit.Member) {
	t.Helper()
	m.Elect()
	m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry("astray")}})
	if at := actortest.Await[coordinator.Appended](t, m.Probe, patience).Range; at != span(1, 1) {
		t.Fatalf("it is at %s", at)
	}
}

// strays says whether members end since they hold another log, and hold what they did.
func strays(t *testing.T, c *kit.Cluster, lost ...*kit.Member) {
	t.Helper()
	wait(t, c, "they end", func() bool {
		return !slices.ContainsFunc(lost, func(m *kit.Member) bool { return m.Failure() == nil })
	})
	for _, m := range lost {
		text := fmt.Sprint(m.Failure())
		if !errors.Is(m.Failure(), member.ErrOtherLog) || !strings.Contains(text, "[1, 1]") || !strings.Contains(text, "read --data") {
			t.Errorf("member %d ends with: %v", m.ID, m.Failure())
		}
		m.Crash()
		if got, found, err := m.Store.Get(1); !found || err != nil || string(got.Value.Data) != "astray" {
			t.Errorf("member %d holds %+v: %v", m.ID, got, err)
		}
		if got, found, err := m.Store.Get(2); found || err != nil {
			t.Errorf("member %d has taken over %+v: %v", m.ID, got, err)
		}
	}
}

func TestALogThatWasBegunByMistakeIsNotMixedWithTheRealOne(t *testing.T) {
	for _, s := range []struct{ from, to int }{{1, 3}, {2, 5}} {
		t.Run(fmt.Sprintf("of %d, grown from %d", s.to, s.from), func(t *testing.T) {
			seeds(t, 10, func(t *testing.T, seed uint64) {
				c, _ := grown(t, seed, s.from, s.to)
				lost, rest := c.Members[:s.from], c.Members[s.from:]
				astray(t, c, lost...)
				for _, m := range rest {
					m.Restart()
				}
				strays(t, c, lost...)
				for _, m := range lost {
					if is := m.Store.Metadata(); is.Configuration.Epoch > 0 || is.Incarnation.Generation > 1 || is.Status != status.Voting {
						t.Errorf("member %d has changed its disk: %+v", m.ID, is)
					}
				}
				c.AwaitVoting(rest...)
				rest[0].Elect()
				rest[0].Append("with the rest")
				c.AutoInitialize = false // as they are told
				for _, m := range lost {
					m.Wipe()
					m.Restart()
				}
				c.AwaitVoting(c.Members...)
				c.Agree(c.Members...)
				if got := lost[0].Entries(); !slices.Equal(got, []string{"first", "with all", "with the rest"}) {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

// All disks were gone, and a log was begun anew; then one of them is there again. Nobody's members were ever changed.
func TestADiskOfAnotherLogDoesNotJoinTheOneThatWasBegunInItsPlace(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.New(t, seed, 3, true)
		c.Start()
		c.AwaitVoting(c.Members...)
		stray(t, c.Member(3))
		former := c.Member(3)
		for _, m := range c.Members {
			m.Crash()
		}
		kept := former.Store
		for _, m := range c.Members {
			m.Wipe()
			m.Restart()
		}
		c.AwaitVoting(c.Members...)
		c.Member(1).Elect()
		c.Member(1).Append("a")
		c.Member(1).Append("b")
		former.Crash()
		c.World.Run(3 * time.Second)
		former.Store = kept
		former.Restart()
		strays(t, c, former)
		c.Member(1).Append("c")
		c.Agree(c.Members[:2]...)
	})
}

// A quorum went back, for a while, to a program that does not know of founders.
func TestALogWhoseFoundersAreNotKnownIsNotSaidToBeAnother(t *testing.T) {
	seeds(t, 3, func(t *testing.T, seed uint64) {
		c := kit.New(t, seed, 3, true)
		c.Start()
		c.AwaitVoting(c.Members...)
		last := c.Member(3)
		last.Crash()
		for _, m := range c.Members[:2] {
			m.Crash()
			meta := m.Store.Metadata()
			meta.Founders = nil
			if err := m.Store.SetMetadata(meta); err != nil {
				t.Fatal(err)
			}
			m.Restart()
		}
		c.AwaitVoting(c.Members[:2]...)
		meta := last.Store.Metadata()
		meta.Status = status.Recovering
		if err := last.Store.SetMetadata(meta); err != nil {
			t.Fatal(err)
		}
		last.Restart()
		wait(t, c, "it ends", func() bool { return last.Failure() != nil })
		text := last.Failure().Error()
		if !errors.Is(last.Failure(), member.ErrOtherLog) || !strings.Contains(text, "is not known to hold") || strings.Contains(text, "were begun") {
			t.Errorf("member 3 ends with: %v", text)
		}
	})
}

// A disk on which the log was begun is put back, long after: another one took its place, and the members were changed. It is of
// the same log, so it recovers as before.
func TestADiskOnWhichTheLogWasBegunRecoversInItOnceItIsPutBack(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.New(t, seed, 3, true)
		c.Start()
		c.AwaitVoting(c.Members...)
		one, m := c.Member(1), c.Member(3)
		one.Elect()
		one.Append("first")
		m.Crash()
		former := m.Store
		m.Wipe()
		m.Restart()
		c.AwaitVoting(m)
		one.MustChange(membership.Promote, join(c, one).ID)
		one.Append("with all")
		m.Crash()
		c.World.Run(3 * time.Second)
		m.Store = former
		m.Restart()
		wait(t, c, "it votes", func() bool {
			is := m.Store.Metadata()
			return is.Status == status.Voting && is.Incarnation.Generation == 3
		})
		one.Append("and it")
		c.Agree(c.Members...)
	})
}

// The founders that replicas note differ where disks are lost while a log is begun.
func TestThoseWhoBeginALogTogetherNeverTakeItForAnother(t *testing.T) {
	seeds(t, 60, func(t *testing.T, seed uint64) {
		c := kit.New(t, seed, 5, true)
		c.Start()
		for i := range 2 {
			c.World.Run(time.Duration(1+seed*7%40) * 5 * time.Millisecond)
			m := c.Members[(seed+uint64(i)*3)%5]
			m.Crash()
			m.Wipe()
			m.Restart()
		}
		c.AwaitVoting(c.Members...)
		for _, a := range c.Members {
			for _, b := range c.Members {
				mine, other := a.Store.Metadata().Founders, b.Store.Metadata().Founders
				if !mine.Share(other) {
					t.Errorf("member %d has founders %x, and member %d %x", a.ID, mine, b.ID, other)
				}
			}
		}
	})
}

// mistaken is what a member tells that began a log alone, and added two more to it.
func mistaken() replica.Install {
	return replica.Install{
		Configuration: membership.Configuration{Epoch: 2, Highest: 3, Members: []membership.Member{
			{ID: 1, Address: "node1:7000", Role: membership.Voter}, {ID: 2, Address: "node2:7000", Role: membership.Observer},
			{ID: 3, Address: "node3:7000", Role: membership.Observer},
		}},
		Founders: identity.Founders{77},
	}
}

func TestTheLogThatMoreMembersHaveDoesNotGiveWay(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.New(t, seed, 3, true)
		c.Start()
		c.AwaitVoting(c.Members...)
		c.Member(1).Crash()
		c.World.Run(5 * time.Second)
		two, three := c.Member(2), c.Member(3)
		for _, m := range []*kit.Member{two, three} {
			m.Probe.Send(m.PID(member.Replica), mistaken())
		}
		two.Elect()
		two.Append("it goes on")
		if err := errors.Join(two.Failure(), three.Failure()); err != nil {
			t.Fatal(err)
		}
		three.Crash() // now member 2 is as alone as whoever began another log
		c.World.Run(5 * time.Second)
		two.Probe.Send(two.PID(member.Replica), mistaken())
		wait(t, c, "it ends", func() bool { return errors.Is(two.Failure(), member.ErrOtherLog) })
	})
}
