package protocol

import (
	"fmt"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// A replica that is back votes as soon as its peers have answered its greeting.
func TestAReplicaThatIsBackVotesAtOnceWhereAllPeersAnswer(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.World.Run(time.Second)
		m := c.Member(3)
		m.Crash()
		c.Member(1).Elect()
		n := votes(c, m.Node.Address())
		m.Restart()
		began := c.World.Elapsed()
		c.World.Run(time.Millisecond) // what comes before its actors are there is lost, and a quorum is enough for the rest
		c.Member(1).Append("a")
		wait(t, c, "it votes", func() bool { return *n > 0 })
		if took := c.World.Elapsed() - began; took > 20*time.Millisecond {
			t.Errorf("it votes after %v", took)
		}
	})
}

func TestTwoOfThreeThatAreBackWriteWithinASecond(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.Member(1).Elect()
		c.Member(1).Append("a")
		for _, m := range c.Members {
			m.Crash()
		}
		for _, m := range c.Members[:2] {
			m.Restart()
		}
		began := c.World.Elapsed()
		c.AwaitVoting(c.Members[:2]...)
		c.Member(2).Elect()
		c.Member(2).Append("b")
		if took := c.World.Elapsed() - began; took > time.Second {
			t.Errorf("after %v", took)
		}
	})
}

// What it says to one that recovers is a vote, too.
func TestAReplicaThatIsBackAndHearsNobodyHelpsNobodyToRecover(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m, wiped := c.Member(3), c.Member(2)
		m.Crash()
		wiped.Crash()
		wiped.Wipe()
		n := votes(c, m.Node.Address())
		for _, o := range c.Members[:2] {
			c.World.Net.Cut(m.Node.Address(), o.Node.Address())
		}
		m.Restart()
		wiped.Restart()
		c.World.Run(3 * time.Second)
		if *n > 0 {
			t.Errorf("it said %d times that it votes", *n)
		}
		c.World.Net.HealAll()
		c.AwaitVoting(wiped)
	})
}

// A process that told an age which its disk did not have yet would be taken for a copy after a crash.
func TestNoAgeIsToldBeforeItIsSynced(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.World.Net.Delay(0, 100*time.Microsecond)
		heads := 0
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			headed, ok := e.Message.(interface{ GetHeader() *messages.Header })
			if !ok {
				return actortest.Deliver
			}
			for _, m := range c.Members {
				if h := headed.GetHeader(); e.From == m.Node.Address() && h.GetReplica() == uint32(m.ID) {
					heads++
					if h.GetAge() > m.Store.Age() {
						t.Errorf("member %d says in a %T that its disk has seen %d syncs, and it has seen %d", m.ID, e.Message, h.GetAge(), m.Store.Age())
					}
				}
			}
			return actortest.Deliver
		})
		for _, m := range c.Members {
			greeter := m.Node.Probe("greeter")
			for i := range 5 { // a greeting comes before what was changed is synced
				hello := &messages.Hello{Header: codec.EncodeHeader(m.Inspect().Identity, 1, nil)}
				greeter.Request(m.PID(member.Replica), replica.Reserve{})
				greeter.Request(m.PID(member.Replica), hello)
				m.Elect()
				m.Append(fmt.Sprint(m.ID, i))
			}
		}
		if heads < 300 {
			t.Errorf("only %d messages", heads)
		}
	})
}

func TestAReplicaThatIsBackAndHearsNobodyGivesNoVote(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(3)
		m.Crash()
		n := votes(c, m.Node.Address())
		for _, o := range c.Members[:2] { // it hears them, but for their answers to its greetings
			c.World.Net.Cut(m.Node.Address(), o.Node.Address())
		}
		m.Restart()
		c.Member(1).Elect()
		c.Member(1).Append("a")
		c.World.Run(3 * time.Second)
		if got := m.Status(); got != status.Voting || *n > 0 {
			t.Errorf("it is %s, and gave %d votes", got, *n)
		}
		c.World.Net.HealAll()
		wait(t, c, "it votes", func() bool { c.World.Run(time.Second); c.Member(1).Elect(); return *n > 0 })
		c.Agree(c.Members...)
	})
}

// A link keeps what it could not send for a while, and actors have the same names in every process.
func TestWhatPeersSaidToTheProcessBeforeIsNoAnswer(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(3)
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if _, ok := e.Message.(*messages.Welcome); ok && e.To == m.Node.Address() {
				return actortest.Hold
			}
			return actortest.Deliver
		})
		c.World.Run(time.Second)
		m.Crash()
		n := votes(c, m.Node.Address())
		for _, o := range c.Members[:2] {
			c.World.Net.Cut(m.Node.Address(), o.Node.Address())
		}
		m.Restart()
		if c.World.Release(nil) < 2 {
			t.Fatal("nothing is late")
		}
		c.Member(1).Elect()
		c.Member(1).Append("a")
		c.World.Run(3 * time.Second)
		if *n > 0 {
			t.Errorf("it gave %d votes, and nobody has heard it", *n)
		}
	})
}
