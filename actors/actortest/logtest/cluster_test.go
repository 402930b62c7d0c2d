package logtest_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// seeds runs a claim for a number of seeds.
func seeds(t *testing.T, n uint64, claim func(t *testing.T, seed uint64)) {
	t.Helper()
	for seed := range n {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { claim(t, seed) })
	}
}

func TestEntriesSurviveALostDisk(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := logtest.Start(t, seed, 3)
		c.Member(1).Append("one")
		c.Partition(3)
		c.Member(2).Append("two")
		c.Heal()
		c.Member(1).TearWrite()
		lost := c.Member(1).Begin("three")
		c.Pass(time.Second)
		if c.Member(1).Running() { // it was told to ask another member before it wrote anything
			c.Member(1).Kill()
		}
		c.Member(2).Wipe()
		c.Recover()
		c.Member(2).Append("four")
		c.Check()
		if err := lost.Err(); !errors.Is(err, logtest.ErrPending) && logtest.Code(err) == 0 {
			t.Errorf("an append at a member that died: %v", err)
		}
		got := c.Member(2).Entries()
		if got = slices.DeleteFunc(got, func(e string) bool { return e == "three" }); !slices.Equal(got, []string{"one", "two", "four"}) {
			t.Errorf("%q", got)
		}
	})
}

func TestTornWriteEndsTheProcessInTheMiddleOfASync(t *testing.T) {
	kept, lost := 0, 0
	for seed := range uint64(30) {
		c := logtest.Start(t, seed, 1)
		m := c.Member(1)
		m.Append("before")
		m.TearWrite()
		call := m.Begin("torn", "too")
		c.Pass(time.Second)
		if m.Running() || call.Done() {
			t.Errorf("seed %d: runs %v, and the append is answered %v", seed, m.Running(), call.Done())
		}
		c.Recover()
		c.Check() // has the member settle what it finds
		switch len(m.Entries()) {
		case 1:
			lost++
		case 3:
			kept++
		}
	}
	if kept == 0 || lost == 0 {
		t.Errorf("the torn write was kept %d times, and lost %d times", kept, lost)
	}
}

func TestMinorityWritesNothing(t *testing.T) {
	c := logtest.Start(t, 1, 5)
	c.Partition(1, 2)
	alone := c.Member(1).Begin("alone")
	c.Member(4).Append("together")
	if err := alone.Await(time.Minute); err == nil {
		t.Error("a minority wrote")
	}
	c.Heal()
	c.Check()
}

func TestLaterElectionFencesAWriter(t *testing.T) {
	c := logtest.Start(t, 1, 3)
	first := c.Member(1).Elect()
	first.Append("a")
	second := c.Member(2).Elect()
	second.Append("b")
	if err := first.Begin("c").Await(time.Minute); logtest.Code(err) != messages.Code_CODE_FENCED {
		t.Error(err)
	}
	if second.End != 1 || second.Fence <= first.Fence {
		t.Errorf("%+v and then %+v", first, second)
	}
	c.Check()
}

func TestCallsOfEveryKindAreAnswered(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := logtest.Start(t, seed, 3)
		var at log.Position
		for i := range 2000 { // more than a page
			if i%400 == 0 {
				at = c.Member(1).Append(fmt.Sprint("single ", i))
			}
			c.Member(1).Begin(fmt.Sprint("entry ", i))
		}
		c.Pass(time.Second)
		c.Member(2).Truncate(at)
		if got := c.Member(2).Catchup(); got <= at {
			t.Errorf("caught up to %d", got)
		}
		if records := c.Member(2).Read(); records[0].At != at || records[len(records)-1].Value.Kind != log.Truncate {
			t.Errorf("%v ... %v", records[0], records[len(records)-1])
		}
		if entries := c.Member(2).Entries(); entries[0] != "single 1600" {
			t.Errorf("%q", entries[0])
		}
		c.Check()
	})
}

func TestClusterSurvivesAnyFaultsOneAfterTheOther(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := logtest.Start(t, seed, 3)
		var calls []*logtest.Call
		for i, fault := range []func(*logtest.Member){
			(*logtest.Member).Kill, (*logtest.Member).Wipe, (*logtest.Member).TearWrite, (*logtest.Member).FailDisk,
			(*logtest.Member).Isolate, (*logtest.Member).Restart,
			func(m *logtest.Member) { m.Node.Skew(time.Hour); m.Node.Drift(0.1) },
		} {
			victim := c.Member(log.ReplicaID(1 + (int(seed)+i)%3))
			for k := range 20 {
				calls = append(calls, victim.Begin(fmt.Sprint(i, "-", k)))
				c.World.Step()
			}
			fault(victim)
			c.Pass(3 * time.Second)
			c.Recover()
			c.Member(1).Append(fmt.Sprint("after ", i))
		}
		c.Check()
		done := 0
		for _, call := range calls {
			if call.Err() == nil {
				done++
			}
		}
		if done == 0 || done == len(calls) {
			t.Errorf("%d of %d appends succeeded", done, len(calls))
		}
	})
}

func TestOneSeedIsOneRun(t *testing.T) {
	run := func(seed uint64) uint64 {
		c := logtest.Start(t, seed, 3)
		c.Member(1).Append("one")
		c.Member(2).Wipe()
		c.Recover()
		c.Check()
		return c.World.Hash()
	}
	for seed := range uint64(5) {
		if a, b := run(seed), run(seed); a != b || a == run(seed+100) {
			t.Errorf("seed %d: %x and %x", seed, a, b)
		}
	}
}

func TestRequireWaitsUntilTheMemberServesClients(t *testing.T) {
	c := logtest.Start(t, 1, 3)
	m := c.Member(2)
	m.Wipe()
	if m.Status() != status.Empty || m.Running() {
		t.Errorf("%s, runs %v", m.Status(), m.Running())
	}
	m.Start()
	m.Require(status.Recovering, time.Minute)
	m.Require(status.Voting, time.Minute)
	if err := m.Begin("x").Await(time.Second); err != nil {
		t.Error(err)
	}
}
