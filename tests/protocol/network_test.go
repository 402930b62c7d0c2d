package protocol

import (
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// watch asks a member's network to tell once so many are present.
func watch(m *kit.Member, atLeast int) {
	m.Probe.Request(m.PID(member.Network), network.Watch{AtLeast: atLeast})
}

func TestWatchIsToldOnceEnoughMembersArePresentAndOnlyOnce(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		c.Member(1).Start()
		awaitReady(t, c, c.Member(1))
		watch(c.Member(1), 2)
		actortest.ExpectNone[network.Watched](t, c.Member(1).Probe, 3*time.Second)
		c.Member(2).Start()
		w := actortest.Await[network.Watched](t, c.Member(1).Probe, time.Second)
		if !slices.Equal(w.Present, []log.ReplicaID{1, 2}) {
			t.Errorf("present are %v", w.Present)
		}
		c.Member(3).Start()
		actortest.ExpectNone[network.Watched](t, c.Member(1).Probe, 3*time.Second)
	})
}

func TestWatchIsToldBelowAndAtThePresentNumberAndNotAboveIt(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		c.Member(1).Start()
		c.Member(2).Start()
		c.World.Run(time.Second)
		for atLeast, told := range map[int]bool{0: true, 1: true, 2: true, 3: false} {
			before := len(c.Member(1).Probe.Messages())
			watch(c.Member(1), atLeast)
			c.World.Run(time.Second)
			if got := len(c.Member(1).Probe.Messages()) > before; got != told {
				t.Errorf("at least %d of two present members: told %v", atLeast, got)
			}
		}
	})
}

func TestWatchIsAnsweredAtOnceWhereEnoughMembersArePresent(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	c.World.Run(time.Second)
	before := c.World.Elapsed()
	watch(c.Member(2), 3)
	w := actortest.Await[network.Watched](t, c.Member(2).Probe, time.Second)
	if !slices.Equal(w.Present, []log.ReplicaID{1, 2, 3}) || c.World.Elapsed()-before > 5*time.Millisecond {
		t.Errorf("told %v after %v", w.Present, c.World.Elapsed()-before)
	}
}

func TestMemberThatIsAbsentAndReturnsCountsAgain(t *testing.T) {
	for name, leave := range map[string]func(*kit.Cluster) (back func()){
		"crashed": func(c *kit.Cluster) func() {
			c.Member(3).Crash()
			return c.Member(3).Restart
		},
		"cut off one way": func(c *kit.Cluster) func() {
			c.World.Net.Cut(c.Member(3).Node.Address(), c.Member(1).Node.Address())
			return c.World.Net.HealAll
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := kit.Voting(t, 1, 3)
			c.World.Run(time.Second)
			back := leave(c)
			c.World.Run(3 * time.Second)
			watch(c.Member(1), 3)
			actortest.ExpectNone[network.Watched](t, c.Member(1).Probe, 3*time.Second)
			back()
			actortest.Await[network.Watched](t, c.Member(1).Probe, time.Second)
		})
	}
}

func TestALateRefusalOfTheFormerIncarnationEndsNobody(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(3)
		m.Elect() // so that the others know its disk
		m.Crash()
		m.Wipe()
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			hello, ok := e.Message.(*messages.Hello)
			if ok && e.From == m.Node.Address() && hello.GetHeader().GetIncarnation().GetGeneration() == 1 && e.To == c.Member(1).Node.Address() {
				return actortest.Hold
			}
			return actortest.Deliver
		})
		m.Restart()
		c.AwaitVoting(m)
		c.World.Release(nil)
		c.World.Run(time.Second)
		if err := m.Failure(); err != nil {
			t.Errorf("the member ends: %v", err)
		}
	})
}

func TestASuccessorIsNamedToEverybodyOnce(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	named := map[string]int{}
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if hello, ok := e.Message.(*messages.Hello); ok && hello.GetSuccessor() == 2 {
			named[e.To]++
		}
		return actortest.Deliver
	})
	c.Member(1).Node.Root().Send(c.Member(1).PID(member.Network), network.Greet{Successor: 2})
	c.World.Run(3 * time.Second)
	if len(named) != 2 || named[c.Member(2).Node.Address()] != 1 || named[c.Member(3).Node.Address()] != 1 {
		t.Errorf("it was named so often: %v", named)
	}
}

func TestMemberWhoseConnectionBrokeIsAbsentUntilItIsHeardAgain(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	c.World.Run(1100 * time.Millisecond) // between two greetings
	p := c.Member(1).Probe
	p.Request(c.Member(1).PID(member.Network), network.Lost{Address: c.Member(3).Node.Address()})
	watch(c.Member(1), 3)
	before := c.World.Elapsed()
	actortest.Await[network.Watched](t, p, time.Second)
	if took := c.World.Elapsed() - before; took < 100*time.Millisecond || took > 300*time.Millisecond {
		t.Errorf("it counts again after %v: only its next answer, and that, shows that it is there", took)
	}
}
