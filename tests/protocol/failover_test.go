package protocol

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func TestASecondCoordinatorHasEverythingAcknowledgedAndTheFirstIsFenced(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		first, second := c.Member(1), c.Member(2)
		fence := first.Elect().By
		want := appendAll(first, "first", 10)
		second.Elect()
		if got := second.Entries(); !slices.Equal(got, want) {
			t.Errorf("the second has %q", got)
		}
		want = append(want, appendAll(second, "second", 3)...)
		expectFailed(t, first.Write(fence, kit.Entry("fenced")), coordinator.Fenced)
		expectFailed(t, first.Write(0, kit.Entry("not elected")), coordinator.NotElected)
		first.Elect()
		if got := first.Entries(); !slices.Equal(got, want) {
			t.Errorf("the first has %q", got)
		}
		c.Agree(c.Members...)
	})
}

func TestAFailoverKeepsEverythingThoughEveryNoticeIsLost(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		lose[*messages.LearnedMessage](c)
		first, second := c.Member(1), c.Member(2+log.ReplicaID(seed%2))
		first.Elect()
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprint(i))
			if _, ok := first.Write(0, kit.Entry(want[i])).(coordinator.Appended); !ok {
				t.Fatal("not appended")
			}
		}
		first.Crash()
		second.Elect()
		if got := second.Entries(); !slices.Equal(got, want) {
			t.Errorf("the second has %q", got)
		}
		first.Restart()
		c.AwaitVoting(first)
		c.World.Filter(nil)
		second.Append("after")
		c.Agree(c.Members...)
	})
}

func TestAWriterThatWasCutOffLearnsThatItIsFencedWhenItReturns(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		first, second := c.Member(1), c.Member(2)
		fence := first.Elect().By
		appendAll(first, "first", 3)
		c.World.Net.Isolate(first.Node.Address())
		second.Elect()
		appendAll(second, "second", 3)
		c.World.Net.HealAll()
		failed, ok := first.Write(fence, kit.Entry("late")).(coordinator.Failed)
		if !ok || failed.Why != coordinator.Fenced && failed.Why != coordinator.Indeterminate {
			t.Errorf("the first: %+v", failed)
		}
		if slices.Contains(second.Entries(), "late") {
			t.Error("a fenced write is in the log")
		}
		c.Agree(c.Members...)
	})
}

// duel is clients of several members that elect and append, again and again. One that lost tries again after a random
// pause.
type duel struct {
	c    *kit.Cluster
	left map[log.ReplicaID]int    // entries to be appended
	sent map[log.ReplicaID]string // what was sent last
	sum  int
}

// retryDue is the time for a client to have its member elected again.
type retryDue struct{}

// run goes on until every client's entries are acknowledged.
func (d *duel) run(t *testing.T) {
	t.Helper()
	for _, m := range d.c.Members {
		if d.left[m.ID] > 0 {
			m.Probe.Request(m.PID(member.Coordinator), coordinator.Elect{})
		}
	}
	seen := map[log.ReplicaID]int{}
	wait(t, d.c, "every entry is acknowledged", func() bool {
		left := 0
		for _, m := range d.c.Members {
			for _, answer := range m.Probe.Messages()[seen[m.ID]:] {
				seen[m.ID]++
				d.hear(m, answer)
			}
			left += d.left[m.ID]
		}
		return left == 0
	})
}

func (d *duel) hear(m *kit.Member, answer any) {
	switch a := answer.(type) {
	case retryDue:
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Elect{})
	case coordinator.Elected:
		d.append(m)
	case coordinator.Appended:
		d.c.Acknowledge(a.Range.First, kit.Entry(d.sent[m.ID]))
		if d.left[m.ID]--; d.left[m.ID] > 0 {
			d.append(m)
		}
	case coordinator.Failed:
		m.Node.Clock().After(timer.Between(m.Node.Random(), 0, 200*time.Millisecond), m.Probe.PID, retryDue{})
	}
}

func (d *duel) append(m *kit.Member) {
	d.sum++
	d.sent[m.ID] = fmt.Sprintf("%d by %d", d.sum, m.ID)
	m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry(d.sent[m.ID])}})
}

func newDuel(c *kit.Cluster, entries int, members ...log.ReplicaID) *duel {
	d := &duel{c: c, left: map[log.ReplicaID]int{}, sent: map[log.ReplicaID]string{}}
	for _, id := range members {
		d.left[id] = entries
	}
	return d
}

// writers lists the members whose coordinator is elected, as far as they know.
func writers(c *kit.Cluster) []log.ReplicaID {
	var ids []log.ReplicaID
	for _, m := range c.Members {
		if m.Inspect().Writer > 0 {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

func TestCoordinatorsElectingAtOnceEndWithOneWriterAndNothingAcknowledgedTwice(t *testing.T) {
	for name, members := range map[string][]log.ReplicaID{"two": {1, 2}, "three": {1, 2, 3}} {
		t.Run(name, func(t *testing.T) {
			seeds(t, 20, func(t *testing.T, seed uint64) {
				c := kit.Voting(t, seed, 3)
				newDuel(c, 5, members...).run(t)
				if got := writers(c); len(got) != 1 {
					t.Errorf("%v write", got)
				}
				c.Agree(c.Members...)
			})
		})
	}
}

func TestCoordinatorsDuellingOverABadNetworkAreNeverBothAcknowledged(t *testing.T) {
	seeds(t, 30, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.World.Net.Drop(0.05)
		c.World.Net.Duplicate(0.1)
		c.World.Net.Reorder(true)
		newDuel(c, 3, 1, 2, 3).run(t)
		c.World.Net.Drop(0)
		c.Agree(c.Members...)
	})
}

func TestOfTwoElectionsAtOnceAtMostOneStands(t *testing.T) {
	won := 0
	seeds(t, 40, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		for _, m := range c.Members[:2] {
			m.Probe.Request(m.PID(member.Coordinator), coordinator.Elect{})
		}
		for _, m := range c.Members[:2] {
			actortest.Await[any](t, m.Probe, patience)
		}
		c.World.Run(time.Second)
		standing := writers(c)
		if len(standing) > 1 {
			t.Errorf("%v are elected", standing)
		}
		won += len(standing)
		c.Check()
	})
	if won < 10 {
		t.Errorf("only %d of 40 duels had a winner", won)
	}
}
