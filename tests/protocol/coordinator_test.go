package protocol

import (
	"fmt"
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

// electOnce asks a member's coordinator for one election.
func electOnce(t *testing.T, m *kit.Member) any {
	t.Helper()
	return answered(t, m, coordinator.Elect{})
}

// answered sends the member's coordinator a request and waits for whatever it answers.
func answered(t *testing.T, m *kit.Member, request any) any {
	t.Helper()
	m.Probe.Forget()
	m.Probe.Request(m.PID(member.Coordinator), request)
	return actortest.Await[any](t, m.Probe, patience)
}

// expectFailed says why a coordinator must have failed.
func expectFailed(t *testing.T, answer any, why coordinator.Why) coordinator.Failed {
	t.Helper()
	failed, ok := answer.(coordinator.Failed)
	if !ok || failed.Why != why {
		t.Fatalf("got %T%+v, want a failure for reason %d", answer, answer, why)
	}
	return failed
}

func TestTheFirstElectionOfAnInitializedLogIsWon(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		e, ok := electOnce(t, c.Member(2)).(coordinator.Elected)
		if !ok || e.End != 0 || e.By.Replica() != 2 {
			t.Errorf("got %+v", e)
		}
		if got := c.Member(2).Inspect(); got.Writer != e.By || got.Promised != e.By {
			t.Errorf("the replica promised %s and knows the writer %s", got.Promised, got.Writer)
		}
	})
}

// Messages take no time here, so an election in which no time passes has waited for no timer.
func TestAnElectionWaitsForNoTimer(t *testing.T) {
	for name, records := range map[string][]log.Action{
		"an empty log":       nil,
		"learned":            {kit.Chosen(1, by(1, 2), "a"), kit.Chosen(2, by(1, 2), "b")},
		"holes to be filled": {kit.Accepted(1, by(1, 2), "a"), kit.Accepted(5, by(1, 2), "b")},
	} {
		t.Run(name, func(t *testing.T) {
			c := kit.Initialized(t, 1, 3)
			c.World.Lag(0, 0)
			c.World.Net.Delay(0, 0)
			promised := func(meta *storage.Metadata) { meta.Promised = by(1, 2) }
			c.Member(2).Prepare(promised, records...)
			c.Member(3).Prepare(promised, records...)
			c.Member(1).Prepare(promised)
			c.Start()
			c.AwaitVoting(c.Members...)
			c.World.Run(time.Second)
			before := c.World.Elapsed()
			if e, ok := electOnce(t, c.Member(1)).(coordinator.Elected); !ok {
				t.Errorf("got %+v", e)
			}
			if passed := c.World.Elapsed() - before; passed != 0 {
				t.Errorf("the election took %v", passed)
			}
		})
	}
}

func TestWhatIsAppendedIsReadAtItsPosition(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		for i := range log.Position(10) {
			if p := m.Append(fmt.Sprint(i)); p != i+1 {
				t.Errorf("entry %d is at %d", i, p)
			}
		}
		for i, a := range m.Read() {
			if a.Position != log.Position(i+1) || string(a.Value.Data) != fmt.Sprint(i) || !a.Learned {
				t.Errorf("read %+v", a)
			}
		}
		c.Agree(c.Members...)
	})
}

func TestAnElectionWithoutQuorumIsUnheardInTime(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.World.Net.Isolate(c.Member(1).Node.Address())
		before := c.World.Elapsed()
		expectFailed(t, electOnce(t, c.Member(1)), coordinator.Unheard)
		if passed := c.World.Elapsed() - before; passed > 11*time.Second {
			t.Errorf("it took %v", passed)
		}
		c.World.Net.HealAll()
		c.Member(1).Elect()
		c.Member(1).Append("a")
		c.Agree(c.Members...)
	})
}

// settleAfter has an append fail in the middle, heals, and lets another election settle it.
func settleAfter(t *testing.T, seed uint64, breakIt func(*kit.Cluster, *kit.Member), next log.ReplicaID) (survived bool) {
	t.Helper()
	c := kit.Voting(t, seed, 3)
	m := c.Member(1)
	m.Elect()
	want := appendAll(m, "before", 3)
	m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry("doubtful")}})
	m.Probe.Forget()
	for range seed { // the seed says where it breaks
		c.World.Step()
	}
	breakIt(c, m)
	if answer, ok := actortest.Await[any](t, m.Probe, patience).(coordinator.Appended); ok {
		c.Acknowledge(answer.Range.First, kit.Entry("doubtful"))
	} else {
		expectFailed(t, m.Probe.Last().Message, coordinator.Indeterminate)
		expectFailed(t, m.Write(0, kit.Entry("not elected")), coordinator.NotElected)
	}
	c.World.Filter(nil)
	c.World.Net.HealAll()
	c.Member(next).Elect()
	settled := c.Member(next).Entries()
	if survived = slices.Contains(settled, "doubtful"); survived {
		want = append(want, "doubtful")
	}
	want = append(want, appendAll(c.Member(next), "after", 3)...)
	c.Member(next%3 + 1).Elect()
	if got := c.Member(next%3 + 1).Entries(); !slices.Equal(got, want) {
		t.Errorf("settled as %q, and then %q", settled, got)
	}
	c.Agree(c.Members...)
	return survived
}

func TestAnAppendWithoutQuorumIsSettledByTheNextElectionOneWay(t *testing.T) {
	outcomes := map[bool]int{}
	seeds(t, 40, func(t *testing.T, seed uint64) {
		isolate := func(c *kit.Cluster, m *kit.Member) { c.World.Net.Isolate(m.Node.Address()) }
		outcomes[settleAfter(t, seed, isolate, 1+log.ReplicaID(seed%3))]++
	})
	if outcomes[true] == 0 || outcomes[false] == 0 {
		t.Errorf("the doubtful entry survived %d times, and did not %d times", outcomes[true], outcomes[false])
	}
}

func TestAnAppendWhoseAnswersAreLostIsSettledByTheNextElection(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		deaf := func(c *kit.Cluster, _ *kit.Member) { lose[*messages.WriteResponse](c) }
		settleAfter(t, seed, deaf, 1+log.ReplicaID(seed%3))
	})
}

func TestAClientThatIsGoneLeavesTheCoordinatorAtWork(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		gone := m.Node.Probe("gone")
		gone.Request(m.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry("of nobody")}})
		for range seed {
			c.World.Step()
		}
		m.Node.Root().Stop(gone.PID)
		m.Append("of somebody")
		if got := m.Entries(); !slices.Equal(got, []string{"of nobody", "of somebody"}) {
			t.Errorf("the log is %q", got)
		}
		c.Agree(c.Members...)
	})
}

func TestAWriterCrashedInTheMiddleIsSettledByTheNextElection(t *testing.T) {
	seeds(t, 40, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		want := appendAll(m, "before", 3)
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry("doubtful")}})
		for range seed {
			c.World.Step()
		}
		m.Crash()
		c.Member(2).Elect()
		settled := append(c.Member(2).Entries(), appendAll(c.Member(2), "after", 1)...)
		m.Restart()
		c.AwaitVoting(m)
		m.Elect()
		if got := m.Entries(); !slices.Equal(got, settled) || !slices.Equal(got[:3], want) || len(got) > 5 {
			t.Errorf("settled as %q, and then %q", settled, got)
		}
		c.Agree(c.Members...)
	})
}

func TestADemotedCoordinatorWritesNothingMore(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Elect()
	appendAll(m, "", 3)
	if d, ok := answered(t, m, coordinator.Demote{}).(coordinator.Demoted); !ok || d.End != 3 {
		t.Errorf("got %+v", d)
	}
	expectFailed(t, m.Write(0, kit.Entry("too late")), coordinator.NotElected)
	if got := m.Inspect(); got.Writer != 0 {
		t.Errorf("the replica knows the writer %s", got.Writer)
	}
	m.Elect()
	m.Append("again")
	c.Agree(c.Members...)
}

func TestADemotionWaitsForTheBatchesThatAreOnTheirWay(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		m.Probe.Forget()
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Tag: 1, Values: []log.Value{kit.Entry("first")}})
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Tag: 2, Values: []log.Value{kit.Entry("second")}})
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Tag: 3, Values: []log.Value{kit.Entry("third")}})
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Demote{})
		if f := actortest.Await[coordinator.Failed](t, m.Probe, patience); f.Tag != 3 || f.Why != coordinator.NotElected {
			t.Errorf("the third: %+v", f)
		}
		for tag := range uint64(2) {
			if a := actortest.Await[coordinator.Appended](t, m.Probe, patience); a.Tag != tag+1 {
				t.Errorf("%d: %+v", tag+1, a)
			}
		}
		if d := actortest.Await[coordinator.Demoted](t, m.Probe, patience); d.End != 2 {
			t.Errorf("demoted: %+v", d)
		}
		if got := m.Entries(); !slices.Equal(got, []string{"first", "second"}) {
			t.Errorf("the log is %q", got)
		}
		c.Agree(c.Members...)
	})
}

func TestAnElectionWhoseProposalsAreUsedUpAsksNobody(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	m := c.Member(1)
	m.Prepare(func(meta *storage.Metadata) { meta.Highest = by(log.MaxRound, 1) })
	c.Start()
	c.AwaitVoting(c.Members...)
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if p, ok := e.Message.(*messages.PromiseRequest); ok {
			t.Errorf("proposal %d is asked for", p.GetProposal())
		}
		return actortest.Deliver
	})
	m.Probe.Request(m.PID(member.Coordinator), coordinator.Elect{Tag: 1})
	if f := actortest.Await[coordinator.Failed](t, m.Probe, time.Second); f.Why != coordinator.Unheard {
		t.Errorf("it failed as %d", f.Why)
	}
}
