package protocol

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// asks has a member that recovers ask these members only, and none of the others hear any other request of it.
func asks(c *kit.Cluster, m *kit.Member, peers ...*kit.Member) {
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		_, greets := e.Message.(*messages.Hello)
		to := slices.IndexFunc(peers, func(p *kit.Member) bool { return p.Node.Address() == e.To })
		if e.From == m.Node.Address() && e.To != e.From && !greets && to < 0 {
			return actortest.Drop
		}
		return actortest.Deliver
	})
}

// cut cuts the link between two members.
func cut(c *kit.Cluster, a, b *kit.Member) {
	c.World.Net.Cut(a.Node.Address(), b.Node.Address())
	c.World.Net.Cut(b.Node.Address(), a.Node.Address())
}

// misknown is a voting cluster of five, with two entries, whose last member loses its disk again and again while only member
// 1 hears its questions, and then recovers from the others, and is cut off from member 1. That one knows it under the disk
// of a life in between, of the same generation, or of a later one where lives is more than 1.
func misknown(t *testing.T, seed uint64, lives int) (*kit.Cluster, *kit.Member) {
	t.Helper()
	c := kit.Voting(t, seed, 5)
	m := c.Member(5)
	m.Elect() // so that the others know its disk
	m.Append("a")
	m.Append("b")
	for i := range lives {
		m.Crash()
		m.Wipe()
		asks(c, m, c.Member(1))
		m.Restart()
		wait(t, c, "member 1 knows another life", func() bool {
			known, _ := c.Member(1).Store.Metadata().Known.Of(5)
			return known == m.Store.Metadata().Incarnation && known.Generation == uint64(i+2)
		})
	}
	m.Crash()
	m.Wipe()
	asks(c, m, c.Members[1:]...)
	cut(c, c.Member(1), m)
	m.Restart()
	c.AwaitVoting(m)
	c.World.Filter(nil)
	return c, m
}

func TestAReplicaThatAMemberKnowsUnderADeadDiskRecoversAboveThat(t *testing.T) {
	for name, lives := range map[string]int{"same generation": 1, "later generation": 3} {
		t.Run(name, func(t *testing.T) {
			seeds(t, 20, func(t *testing.T, seed uint64) {
				c, m := misknown(t, seed, lives)
				disk := m.Store.Metadata().Incarnation.Disk
				c.World.Net.HealAll()
				wait(t, c, "all know it, and it votes", func() bool {
					is := m.Store.Metadata()
					for _, o := range c.Members {
						if known, _ := o.Store.Metadata().Known.Of(5); known != is.Incarnation {
							return false
						}
					}
					return is.Status == status.Voting && is.Incarnation.Generation == uint64(lives+2)
				})
				if m.Store.Metadata().Incarnation.Disk == disk {
					t.Error("two of its lives share the number of a disk")
				}
				if err := m.Failure(); err != nil {
					t.Errorf("it ends: %v", err)
				}
				c.Member(2).Crash()
				c.Member(3).Crash()
				m.Elect()
				m.Append("with its vote and that of member 1")
				c.Agree(c.Member(1), c.Member(4), m)
			})
		})
	}
}

// It writes when it hears that it must recover: what its clients were told stays true.
func TestAWriterThatMustRecoverAsANewLifeLosesNothing(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c, m := misknown(t, seed, 1)
		m.Elect()
		m.Append("before")
		c.World.Net.HealAll()
		for i := 0; m.Store.Metadata().Incarnation.Generation == 2; i++ {
			m.Write(0, kit.Entry(fmt.Sprint(i)))
			c.World.Run(100 * time.Millisecond)
			if i > 100 {
				t.Fatal("it goes on as it was")
			}
		}
		wait(t, c, "it votes again", func() bool { return m.Store.Metadata().Status == status.Voting })
		c.World.Run(time.Second)
		m.Elect()
		m.Append("after")
		c.Agree(c.Members...)
	})
}

// Its vote is needed until a quorum votes without it.
func TestAReplicaKeepsItsVoteWhereNoQuorumIsLeftToRecoverFrom(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c, m := misknown(t, seed, 1)
		c.Member(2).Crash()
		c.Member(3).Crash()
		c.World.Net.HealAll()
		c.World.Run(20 * time.Second)
		if got := m.Status(); got != status.Voting || m.Failure() != nil {
			t.Fatalf("it is %s: %v", got, m.Failure())
		}
		c.Member(3).Restart()
		wait(t, c, "it recovers once a quorum votes without it", func() bool { return m.Store.Metadata().Incarnation.Generation == 3 })
		c.World.Run(5 * time.Second)
		m.Elect()
		m.Append("with its vote")
		c.Agree(c.Member(1), c.Member(3), c.Member(4), m)
	})
}

// What it was asked while it was not sure of its disk, it is asked as the new life. The old one, as it was before, would be
// stored over what it answered.
func TestAReplicaThatNobodyWelcomesGivesNoVoteBeforeItRecovers(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		m := c.Member(3)
		for _, o := range c.Members[:2] {
			o.Prepare(func(meta *storage.Metadata) {
				meta.Known = meta.Known.With(3, identity.Incarnation{Generation: 2, Disk: 7})
			})
		}
		n := votes(c, m.Node.Address())
		c.Start()
		c.AwaitVoting(c.Members...) // so that clients reach them
		c.Member(1).Elect()
		appendAll(c.Member(1), "a", 3)
		c.Member(1).Write(0, log.Value{Kind: log.Truncate, To: 3})
		wait(t, c, "it recovers", func() bool { return m.Store.Metadata().Incarnation.Generation == 3 })
		if *n > 0 {
			t.Errorf("it gave %d votes as the life that all others know to be dead", *n)
		}
		wait(t, c, "it votes", func() bool { return m.Store.Metadata().Status == status.Voting })
		c.Agree(c.Members...)
	})
}

// Two disks were not there for a while, and the replicas started on empty ones; now they are there again, and member 3 knows
// both replicas by the other disks. Neither can recover from the other one and member 3: all they have is their votes, and
// once the directory of member 3 is deleted, it recovers from them.
func TestTwoOfThreeThatTheThirdKnowsUnderOtherDisksKeepTheirVotes(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.Member(1).Elect()
		c.Member(1).Append("a")
		var former []*memory.Store
		for _, m := range c.Members[:2] {
			m.Crash()
			former = append(former, m.Store)
			m.Wipe()
		}
		c.Member(1).Restart()
		c.Member(2).Restart()
		c.World.Run(5 * time.Second)
		c.Member(1).Crash()
		c.Member(2).Crash()
		c.World.Run(3 * time.Second)
		for i, m := range c.Members[:2] {
			m.Store = former[i]
			m.Restart()
		}
		c.World.Run(time.Minute)
		for _, m := range c.Members {
			if got := m.Status(); got != status.Voting || m.Failure() != nil {
				t.Errorf("member %d is %s: %v", m.ID, got, m.Failure())
			}
		}
		m := c.Member(3)
		m.Crash()
		m.Wipe()
		m.Restart()
		c.AwaitVoting(m)
		m.Elect()
		m.Append("b")
		c.Agree(c.Members...)
	})
}

// The disk that was taken out comes back after another life has registered, which is not there any more.
func TestAFormerDiskRecoversWhereTheNewOneIsNotThere(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(3)
		m.Elect()
		m.Append("a")
		m.Crash()
		former := m.Store
		m.Wipe()
		m.Restart()
		c.AwaitVoting(m)
		m.Elect()
		m.Append("b")
		m.Crash()
		m.Store = former
		m.Restart()
		wait(t, c, "it votes", func() bool {
			is := m.Store.Metadata()
			return is.Status == status.Voting && is.Incarnation.Generation == 3
		})
		c.World.Run(time.Second)
		m.Elect()
		m.Append("c")
		c.Agree(c.Members...)
	})
}

// The disk that was taken out is started beside the one that took its place.
func TestAFormerDiskEndsWhereTheNewOneIsThere(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(3)
		m.Elect()
		m.Append("a")
		former := m.Twin()
		m.Crash()
		m.Wipe()
		m.Restart()
		c.AwaitVoting(m)
		m.Elect()
		former.Start()
		c.World.Run(3 * time.Second)
		m.Append("b")
		if err := former.Failure(); !errors.Is(err, member.ErrFenced) {
			t.Errorf("the former ends with %v, want ErrFenced", err)
		}
		if err := m.Failure(); err != nil {
			t.Errorf("the new one ends: %v", err)
		}
		c.Agree(c.Members...)
	})
}

// Two members cannot rebuild the third if that takes its vote away from them.
func TestOneOfTwoThatIsKnownUnderAnotherDiskEnds(t *testing.T) {
	c := kit.Initialized(t, 1, 2)
	m := c.Member(2)
	c.Member(1).Prepare(func(meta *storage.Metadata) {
		meta.Known = meta.Known.With(2, identity.Incarnation{Generation: 2, Disk: 7})
	})
	c.Start()
	c.World.Run(3 * time.Second)
	if err := m.Failure(); !errors.Is(err, member.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
}

func TestAReplicaThatRecoversGoesAboveEveryDiskThatItHearsOf(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 5)
		for i, o := range c.Members[:4] {
			o.Prepare(func(meta *storage.Metadata) {
				meta.Known = meta.Known.With(5, identity.Incarnation{Generation: uint64(2 + i), Disk: uint64(100 + i)})
			}, kit.Chosen(1, by(1, 1), "a"))
		}
		m := c.Member(5)
		m.Wipe()
		c.Start()
		wait(t, c, "it votes above all of them", func() bool {
			is := m.Store.Metadata()
			return is.Status == status.Voting && is.Incarnation.Generation == 6
		})
		if err := m.Failure(); err != nil {
			t.Errorf("it ends: %v", err)
		}
	})
}

// Those who vote know a life of the replica that was lost before they heard of the one that recovers: they refuse what it asks.
func TestAReplicaThatRecoversAndIsKnownUnderADeadDiskBeginsAnewAboveThat(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 5)
		m := c.Member(5)
		c.Member(1).Elect()
		c.Member(1).Append("a")
		m.Crash()
		m.Wipe()
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if _, copies := e.Message.(*messages.FetchRequest); copies && e.From == m.Node.Address() {
				return actortest.Drop
			}
			return actortest.Deliver
		})
		m.Restart()
		wait(t, c, "it recovers", func() bool { return m.Store.Metadata().Status == status.Recovering })
		life := m.Store.Metadata().Incarnation
		for _, o := range c.Members[:4] {
			o.Crash()
			o.Prepare(func(meta *storage.Metadata) {
				meta.Known = meta.Known.With(5, identity.Incarnation{Generation: life.Generation, Disk: life.Disk + 1})
			})
			o.Restart()
		}
		c.World.Filter(nil)
		c.AwaitVoting(c.Members...)
		if got := m.Store.Metadata().Incarnation; got.Generation <= life.Generation {
			t.Errorf("it was %s, and votes as %s", life, got)
		}
		c.Agree(c.Members...)
	})
}
