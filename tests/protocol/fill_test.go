package protocol

import (
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func TestAFillWithoutQuorumWaitsAndEndsWhenTheQuorumIsBack(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		c.Member(1).Prepare(nil, kit.Accepted(3, by(1, 2), "v"))
		c.Start()
		c.AwaitVoting(c.Members...)
		c.World.Run(time.Second)
		m := c.Member(1)
		fills := 0
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if p, ok := e.Message.(*messages.PromiseRequest); ok && p.GetRange() != nil {
				fills++
				if e.From != e.To { // the election itself is won, and its fill is heard by nobody
					return actortest.Drop
				}
			}
			return actortest.Deliver
		})
		m.Probe.Request(m.PID(member.Gateway), &messages.CatchupRequest{Request: 1})
		actortest.ExpectNone[*messages.CatchupResponse](t, m.Probe, 20*time.Second)
		if fills < 3 {
			t.Errorf("it asked %d times", fills)
		}
		c.World.Filter(nil)
		if r := actortest.Await[*messages.CatchupResponse](t, m.Probe, 9*time.Second); r.GetLearned() != 3 {
			t.Errorf("got %v", r)
		}
		if got := m.Entries(); !slices.Equal(got, []string{"v"}) {
			t.Errorf("the log is %q", got)
		}
		c.Agree(c.Members...)
	})
}

// Member 1 holds a value of a low proposal, member 2 one of a high one: the high one may be chosen, so it is proposed.
func TestOfUnlearnedValuesThatDifferTheHighestProposalWins(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		c.Member(1).Prepare(nil, kit.Accepted(1, by(1, 1), "low"), kit.Accepted(2, by(4, 1), "high two"))
		c.Member(2).Prepare(nil, kit.Accepted(1, by(3, 2), "high"), kit.Accepted(2, by(3, 2), "low two"))
		c.Start()
		c.AwaitVoting(c.Members...)
		c.World.Net.Isolate(c.Member(3).Node.Address()) // so that both are asked
		m := c.Member(1 + log.ReplicaID(seed%2))
		m.Elect()
		if got := m.Entries(); !slices.Equal(got, []string{"high", "high two"}) {
			t.Errorf("filled with %q", got)
		}
		c.World.Net.HealAll()
		c.Agree(c.Members...)
	})
}

// A value of a minority may be chosen or not, depending on who is asked; once settled it stays.
func TestAValueOfAMinorityIsSettledOneWayForEver(t *testing.T) {
	outcomes := map[string]int{}
	seeds(t, 40, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		c.Member(1).Prepare(nil, kit.Accepted(1, by(1, 1), "of one"), kit.Accepted(2, by(1, 1), "of two"))
		c.Member(2).Prepare(nil, kit.Accepted(2, by(1, 1), "of two"))
		c.Start()
		c.AwaitVoting(c.Members...)
		first := c.Member(1 + log.ReplicaID(seed%3))
		first.Elect()
		settled := first.Entries()
		outcomes[settled[0]]++
		for _, m := range c.Members {
			m.Elect()
			if got := m.Entries(); !slices.Equal(got, settled) {
				t.Errorf("settled as %q, and then %q", settled, got)
			}
		}
		c.Agree(c.Members...)
	})
	if outcomes["of one"] == 0 || outcomes["of two"] == 0 {
		t.Errorf("one way only: %v", outcomes)
	}
}

// The one replica that knows the value as learned is asked, or it is not there and the others must find the value anew.
func TestAValueLearnedOnOneReplicaIsFoundByAReaderAndByAnElection(t *testing.T) {
	prepare := func(t *testing.T, seed uint64) *kit.Cluster {
		c := kit.Initialized(t, seed, 3)
		c.Member(1).Prepare(func(m *storage.Metadata) { m.Promised = by(2, 1) }, kit.Chosen(1, by(2, 1), "v"))
		c.Member(2).Prepare(func(m *storage.Metadata) { m.Promised = by(2, 1) }, kit.Accepted(1, by(2, 1), "v"))
		c.Member(3).Prepare(nil, kit.Accepted(1, by(1, 3), "u"))
		c.Start()
		c.AwaitVoting(c.Members...)
		return c
	}
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := prepare(t, seed)
		m := c.Member(2 + log.ReplicaID(seed%2))
		if seed%4 < 2 {
			m.Catchup()
		} else {
			m.Elect()
		}
		if got := m.Entries(); !slices.Equal(got, []string{"v"}) {
			t.Errorf("found %q", got)
		}
		c.Agree(c.Members...)
	})
}

func TestACoordinatorElsewhereLearnsTheValueThatOneReplicaHadLearned(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		first, second := c.Member(1), c.Member(2)
		first.Elect()
		lose[*messages.LearnedMessage](c)
		c.World.Net.Cut(first.Node.Address(), second.Node.Address()) // the third accepts, and the second hears nothing
		first.Append("v")
		first.Crash()
		second.Elect()
		if got := second.Entries(); !slices.Equal(got, []string{"v"}) {
			t.Errorf("learned %q", got)
		}
		second.Append("w")
		c.World.Filter(nil)
		c.World.Net.HealAll()
		first.Restart()
		c.AwaitVoting(first)
		c.Agree(c.Members...)
	})
}

// An election that cannot fill gives up in time, and the coordinator is as it was.
func TestAnElectionWhoseFillIsNotHeardIsGivenUp(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	c.Member(2).Prepare(nil, kit.Accepted(2, by(1, 2), "v"))
	c.Member(3).Prepare(nil, kit.Accepted(2, by(1, 2), "v"))
	c.Start()
	c.AwaitVoting(c.Members...)
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if p, ok := e.Message.(*messages.PromiseRequest); ok && p.GetRange() != nil {
			return actortest.Drop
		}
		return actortest.Deliver
	})
	m := c.Member(1)
	before := c.World.Elapsed()
	first, ok := electOnce(t, m).(coordinator.Failed)
	if passed := c.World.Elapsed() - before; !ok || passed > 11*time.Second {
		t.Errorf("after %v: %+v", passed, first)
	}
	c.World.Run(time.Second)
	for _, name := range m.Node.Actors() {
		if len(name) > len("quorumlog/coordinator/") && name[:len("quorumlog/coordinator/")] == "quorumlog/coordinator/" {
			t.Errorf("%s is still there", name)
		}
	}
	c.World.Filter(nil)
	m.Elect()
	if got := m.Entries(); !slices.Equal(got, []string{"v"}) {
		t.Errorf("the log is %q", got)
	}
	c.Agree(c.Members...)
}
