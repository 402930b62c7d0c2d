package protocol

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// votes counts what a node says that somebody may count.
func votes(c *kit.Cluster, address string) *int {
	n := new(int)
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		counts := false
		switch m := e.Message.(type) {
		case *messages.PromiseResponse:
			counts = m.GetPromised() != nil
		case *messages.WriteResponse:
			counts = m.GetAccepted() != nil
		case *messages.RecoverResponse:
			counts = m.GetStanding().GetStatus() == messages.Status_STATUS_VOTING
		}
		if counts && e.From == address {
			*n++
		}
		return actortest.Deliver
	})
	return n
}

// fencedAsOlder says that a member ended because its directory is older than what it said.
func fencedAsOlder(t *testing.T, m *kit.Member) {
	t.Helper()
	err := m.Failure()
	if !errors.Is(err, member.ErrFenced) || !strings.Contains(err.Error(), "rolled back") || !strings.Contains(err.Error(), "delete the directory") {
		t.Errorf("member %d ends with %v, want that its directory was rolled back", m.ID, err)
	}
}

// aged is a cluster of three whose member 3 has voted for two entries after the state that is returned.
func aged(t *testing.T, seed uint64) (*kit.Cluster, *kit.Member, *memory.Store) {
	t.Helper()
	c := kit.Voting(t, seed, 3)
	c.Member(1).Elect()
	c.Member(1).Append("a")
	c.World.Run(time.Second)
	m := c.Member(3)
	older := m.Store.Copy()
	c.Member(1).Append("b")
	c.World.Run(time.Second)
	c.Member(1).Append("c")
	c.World.Run(time.Second)
	return c, m, older
}

// forgetful is a member that remembers no process of another one.
func forgetful(meta *storage.Metadata) { meta.Heard = nil }

// back starts a member on another state of its disk.
func back(m *kit.Member, s *memory.Store) {
	m.Crash()
	m.Store = s
	m.Restart()
}

func TestARolledBackDiskIsFoundAndGivesNoVote(t *testing.T) {
	for name, change := range map[string]func(c *kit.Cluster){
		"by all":                          func(*kit.Cluster) {},
		"by the one member that is there": func(c *kit.Cluster) { c.Member(1).Crash() },
		"by members that started since": func(c *kit.Cluster) {
			for _, o := range c.Members[:2] {
				o.Crash()
				o.Restart()
			}
			c.AwaitVoting(c.Members[:2]...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			seeds(t, 10, func(t *testing.T, seed uint64) {
				c, m, older := aged(t, seed)
				m.Crash()
				change(c)
				n := votes(c, m.Node.Address())
				back(m, older)
				c.World.Run(3 * time.Second)
				fencedAsOlder(t, m)
				if *n > 0 {
					t.Errorf("it gave %d votes", *n)
				}
			})
		})
	}
}

func TestADirectoryThatIsDeletedAfterARollbackRecovers(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c, m, older := aged(t, seed)
		back(m, older)
		c.World.Run(time.Second)
		fencedAsOlder(t, m)
		m.Crash()
		m.Wipe()
		m.Restart()
		c.AwaitVoting(m)
		if got := m.Entries(); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("the log is %q", got)
		}
		m.Elect()
		m.Append("d")
		c.Agree(c.Members...)
	})
}

// Starting it again and again makes it no younger: each start is one sync.
func TestARolledBackDiskIsFoundHoweverOftenItStarts(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c, m, older := aged(t, seed)
		n, age := votes(c, m.Node.Address()), older.Age()
		back(m, older)
		for range 10 {
			c.AwaitVoting(m) // on its own, before it hears anybody
			m.Probe.Request(m.PID(member.Gateway), &messages.ElectRequest{Request: 1})
			c.World.Run(time.Second)
			fencedAsOlder(t, m)
			if age++; m.Store.Age() != age {
				t.Fatalf("its disk has seen %d syncs, and its starts are %d of them", m.Store.Age(), age)
			}
			m.Crash()
			m.Restart()
		}
		if *n > 0 {
			t.Errorf("it gave %d votes", *n)
		}
	})
}

// The last vote of the lost state was counted a moment ago: no greeting has told of it.
func TestARollbackBehindTheLastCountedVoteIsFound(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.Member(2).Crash()
		writer, m := c.Member(1), c.Member(3)
		writer.Elect()
		writer.Append("a")
		older := m.Store.Copy()
		writer.Append("b")
		back(m, older)
		c.World.Run(time.Second)
		fencedAsOlder(t, m)
	})
}

// The writer's own vote is not the last thing that its peers hear of it: the notice behind the acknowledgement tells its age.
func TestARollbackOfTheWriterBehindItsLastAcknowledgedEntryIsFound(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.Member(2).Crash()
		writer := c.Member(1)
		writer.Elect()
		writer.Append("a")
		older := writer.Store.Copy()
		writer.Append("b")
		c.World.Run(20 * time.Millisecond) // the notice is on its way: far less than until the next greeting
		back(writer, older)
		c.World.Run(time.Second)
		fencedAsOlder(t, writer)
	})
}

// Whoever is asked under a proposal hears of the sync that reserved it, even if nothing else is heard of that process: the disk
// of before would hand the proposal out once more, for another value.
func TestARollbackOfAWriterBehindTheReservationOfItsProposalIsFound(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer, o := c.Member(1), c.Member(3)
		c.World.Run(time.Second)
		older := writer.Store.Copy()
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			switch e.Message.(type) {
			case *messages.Hello, *messages.Welcome:
				return actortest.Drop
			case *messages.PromiseRequest: // it has reserved its proposal, and syncs no vote of its own
				writer.Node.Occupy(writer.PID(member.Replica).GetId()+"/"+replica.Syncer, time.Hour)
			}
			return actortest.Deliver
		})
		writer.Elect()
		writer.Probe.Request(writer.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry("a")}})
		wait(t, c, "a peer has the entry", func() bool { return o.Inspect().End == 1 })
		c.World.Filter(nil)
		back(writer, older)
		c.World.Run(2 * time.Second)
		fencedAsOlder(t, writer)
	})
}

// Only member 2 hears the replica; what it heard is known to member 1.
func TestARolledBackDiskIsFoundByOneThatWasToldOfIt(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(3)
		cut(c, m, c.Member(1))
		c.Member(2).Elect()
		c.Member(2).Append("a")
		c.World.Run(time.Second)
		older := m.Store.Copy()
		c.Member(2).Append("b")
		c.World.Run(time.Second)
		c.World.Net.HealAll()
		c.Member(2).Crash()
		back(m, older)
		c.World.Run(3 * time.Second)
		fencedAsOlder(t, m)
	})
}

// The member that answers at once remembers nothing, and the one that remembers answers late.
func TestARolledBackDiskWaitsForWhoeverRemembers(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c, m, older := aged(t, seed)
		m.Crash()
		o := c.Member(2)
		o.Crash()
		o.Prepare(forgetful)
		cut(c, o, c.Member(1))
		slow := actortest.Quality{Min: 150 * time.Millisecond, Max: 200 * time.Millisecond}
		c.World.Net.Link(c.Member(1).Node.Address(), m.Node.Address(), slow)
		n := votes(c, m.Node.Address())
		o.Restart()
		back(m, older)
		c.AwaitVoting(o, m)
		o.Probe.Request(o.PID(member.Gateway), &messages.ElectRequest{Request: 1})
		c.World.Run(3 * time.Second)
		fencedAsOlder(t, m)
		if *n > 0 {
			t.Errorf("it gave %d votes", *n)
		}
	})
}

// Its links come up later than a member that is there takes to answer.
func TestARolledBackDiskWhoseLinksAreLateWaitsForWhoeverRemembers(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c, m, older := aged(t, seed)
		m.Crash()
		remembers, o := c.Member(1), c.Member(2)
		o.Crash()
		o.Prepare(forgetful)
		cut(c, o, remembers)
		slow := actortest.Quality{Min: 150 * time.Millisecond, Max: 200 * time.Millisecond}
		c.World.Net.Link(remembers.Node.Address(), m.Node.Address(), slow)
		n := votes(c, m.Node.Address())
		o.Restart()
		c.World.Net.Cut(m.Node.Address(), o.Node.Address())
		c.World.Net.Cut(m.Node.Address(), remembers.Node.Address())
		back(m, older)
		c.World.Run(time.Second)
		c.World.Net.Heal(m.Node.Address(), o.Node.Address())
		c.World.Net.Heal(m.Node.Address(), remembers.Node.Address())
		o.Probe.Request(o.PID(member.Gateway), &messages.ElectRequest{Request: 1})
		c.World.Run(3 * time.Second)
		fencedAsOlder(t, m)
		if *n > 0 {
			t.Errorf("it gave %d votes", *n)
		}
	})
}

func TestACopyBesideTheOriginalEndsAndTheOriginalGoesOn(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.Member(1).Elect()
		c.Member(1).Append("a")
		c.World.Run(time.Second)
		m := c.Member(3)
		twin := m.Twin()
		c.Member(1).Append("b")
		c.World.Run(time.Second)
		n := votes(c, twin.Node.Address())
		twin.Start()
		for _, entry := range []string{"c", "d", "e"} {
			c.Member(1).Append(entry)
			c.World.Run(time.Second)
		}
		fencedAsOlder(t, twin)
		if err := m.Failure(); err != nil || *n > 0 {
			t.Errorf("the original ends: %v; the copy gave %d votes", err, *n)
		}
		c.Member(2).Crash()
		m.Elect()
		m.Append("with the original's vote")
		c.Agree(c.Member(1), m)
	})
}

// A member that has just started, and remembers nothing of the original, takes the copy for it, until it hears the original.
func TestACopyThatWasHeardFirstEndsOnceTheOriginalIsHeard(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c, m, older := aged(t, seed)
		twin := m.Twin()
		twin.Store = older
		o := c.Member(2)
		o.Crash()
		c.Member(1).Crash()
		o.Prepare(forgetful)
		cut(c, o, m)
		o.Restart()
		twin.Start()
		c.World.Run(2 * time.Second)
		if err := twin.Failure(); err != nil {
			t.Fatalf("the copy ends before anybody remembers: %v", err)
		}
		c.World.Net.HealAll()
		c.World.Run(2 * time.Second)
		fencedAsOlder(t, twin)
		if err := m.Failure(); err != nil {
			t.Errorf("the original ends: %v", err)
		}
		twin.Node.Crash()
		c.Member(1).Restart()
		c.AwaitVoting(c.Members...)
		c.Agree(c.Members...)
	})
}
