package protocol

import (
	"fmt"
	"slices"
	"testing"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// pour sends n single appends at once, and waits until all of them are acknowledged.
func pour(t *testing.T, c *kit.Cluster, m *kit.Member, prefix string, n int) []string {
	t.Helper()
	m.Probe.Forget()
	var entries []string
	for i := range n {
		entries = append(entries, fmt.Sprint(prefix, i))
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Tag: uint64(i), Values: []log.Value{kit.Entry(entries[i])}})
	}
	for range n {
		a := actortest.Await[coordinator.Appended](t, m.Probe, patience)
		c.Acknowledge(a.Range.First, kit.Entry(entries[a.Tag]))
	}
	return entries
}

func TestManyAppendsKeepTheirOrder(t *testing.T) {
	seeds(t, 3, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		var want []string
		for i := range 20 {
			want = append(want, pour(t, c, m, fmt.Sprint(i, "-"), 100)...)
		}
		if got := m.Entries(); !slices.Equal(got, want) {
			t.Errorf("%d entries, want %d in order", len(got), len(want))
		}
		c.Agree(c.Members...)
	})
}

func TestManyAppendsKeepTheirOrderOverABadNetwork(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.World.Net.Drop(0.1)
		c.World.Net.Duplicate(0.2)
		c.World.Net.Reorder(true)
		m := c.Member(1)
		m.Elect()
		var want []string
		for i := range 10 {
			want = append(want, pour(t, c, m, fmt.Sprint(i, "-"), 10)...)
		}
		if got := m.Entries(); !slices.Equal(got, want) {
			t.Errorf("the log is %q", got)
		}
		c.World.Net.Drop(0)
		c.Agree(c.Members...)
	})
}

func TestABatchOfMixedValuesTakesConsecutivePositions(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Elect()
	answer := m.Write(0, kit.Entry("a"), kit.Entry("b"), log.Value{Kind: log.Truncate, To: 2}, kit.Entry("c"))
	if a, ok := answer.(coordinator.Appended); !ok || a.Range != span(1, 4) {
		t.Errorf("got %+v", answer)
	}
	if got := m.Entries(); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("the log is %q", got)
	}
	c.Agree(c.Members...)
}

func TestATruncationOutsideOfTheLogIsRefusedAndHarmless(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Elect()
	appendAll(m, "", 5)
	truncate(t, m, 4) // at position 6
	for _, to := range []log.Position{0, 1, 3, 8, log.MaxPosition} {
		expectFailed(t, m.Write(0, log.Value{Kind: log.Truncate, To: to}), coordinator.BadRange)
	}
	m.Append("after")
	if p := truncate(t, m, 4); p != 8 {
		t.Errorf("truncated at %d", p)
	}
	if p := truncate(t, m, 9); p != 9 {
		t.Errorf("truncated at %d", p)
	}
	if got := m.Inspect(); got.Begin != 9 || got.Learned != 9 {
		t.Errorf("begins at %d, learned up to %d", got.Begin, got.Learned)
	}
	c.Agree(c.Members...)
}

func TestReadsOutsideOfTheLogSayWhy(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Elect()
	appendAll(m, "", 9)
	truncate(t, m, 5) // at position 10
	for _, row := range []struct {
		r    log.Range
		want replica.Fault
		n    int
	}{
		{span(5, 10), replica.NoFault, 6},
		{span(0, 0), replica.NoFault, 6}, // all there is
		{span(7, 7), replica.NoFault, 1},
		{span(8, 6), replica.Backwards, 0},
		{span(4, 6), replica.Truncated, 0},
		{span(5, 11), replica.NotLearned, 0},
		{span(11, 11), replica.NotLearned, 0},
		{span(log.MaxPosition, log.MaxPosition), replica.NotLearned, 0},
		{span(11, 0), replica.NoFault, 0}, // from the next position on there is nothing yet
	} {
		m.Probe.Request(m.PID(member.Replica), replica.Read{Range: row.r, Tag: 7})
		page := actortest.Await[replica.Page](t, m.Probe, patience)
		if page.Fault != row.want || len(page.Actions) != row.n || page.Tag != 7 || page.Begin != 5 || page.Learned != 10 {
			t.Errorf("read %+v: fault %d and %d records, want %d and %d", row.r, page.Fault, len(page.Actions), row.want, row.n)
		}
	}
}

func TestAReadStopsBelowWhatIsNotLearned(t *testing.T) {
	_, m, p := alone(t, 1, kit.Chosen(1, by(1, 2), "a"), kit.Accepted(2, by(1, 2), "b"), kit.Chosen(3, by(1, 2), "c"), kit.Chosen(5, by(1, 2), "d"))
	if got := m.Entries(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("read %q", got)
	}
	p.Notice(m, by(1, 2), span(2, 2))
	if got := m.Entries(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("read %q", got)
	}
}

func TestAnElectionFillsWhatIsUnlearnedAndHoles(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		c.Member(1).Prepare(nil, kit.Accepted(2, by(1, 1), "two"), kit.Accepted(6, by(1, 1), "six"))
		c.Member(2).Prepare(nil, kit.Accepted(2, by(1, 1), "two"), kit.Chosen(4, by(1, 1), "four"))
		c.Member(3).Prepare(nil, kit.Accepted(4, by(1, 1), "four"), kit.Accepted(6, by(1, 1), "six"))
		c.Start()
		c.AwaitVoting(c.Members...)
		m := c.Member(1 + log.ReplicaID(seed%3))
		e := m.Elect()
		kinds := ""
		for _, a := range m.Read() {
			kinds += a.Value.Kind.String()[:1]
		}
		if m.ID == 1 && seed%2 == 0 {
			c.Member(2).Crash()
		}
		m.Append("after")
		switch { // position 6 was accepted by a quorum; 1, 3 and 5 by nobody
		case e.End != 6, kinds != "NANANA":
			t.Errorf("ends at %d, filled as %s", e.End, kinds)
		}
		if got := m.Entries(); !slices.Equal(got, []string{"two", "four", "six", "after"}) {
			t.Errorf("the log is %q", got)
		}
		c.Check()
	})
}

// The first writer's truncation is learned by itself alone, or by nobody; the next one fills behind it.
func TestAnElectionFillsBehindATruncation(t *testing.T) {
	for name, learned := range map[string]bool{"learned": true, "not learned": false} {
		t.Run(name, func(t *testing.T) {
			seeds(t, 10, func(t *testing.T, seed uint64) {
				c := kit.Initialized(t, seed, 3)
				var records, accepted []log.Action
				for p := log.Position(1); p <= 10; p++ {
					records = append(records, kit.Chosen(p, by(1, 1), fmt.Sprint(p)))
					accepted = append(accepted, kit.Accepted(p, by(1, 1), fmt.Sprint(p)))
				}
				cut := log.Action{Position: 11, Promised: by(1, 1), Performed: by(1, 1), Value: log.Value{Kind: log.Truncate, To: 6}}
				c.Member(2).Prepare(nil, append(accepted, cut)...)
				if cut.Learned = learned; learned {
					c.Member(1).Prepare(func(meta *storage.Metadata) { meta.Begin = 6 }, append(records[5:], cut)...)
				} else {
					c.Member(1).Prepare(nil, append(records, cut)...)
				}
				c.Start()
				c.AwaitVoting(c.Members...)
				c.Member(3).Elect() // it has heard of nothing
				if got := c.Member(3).Inspect(); got.Begin != 6 || got.Learned != 11 {
					t.Errorf("begins at %d, learned up to %d", got.Begin, got.Learned)
				}
				c.Member(3).Append("after")
				if got := c.Member(3).Entries(); !slices.Equal(got, []string{"6", "7", "8", "9", "10", "after"}) {
					t.Errorf("the log is %q", got)
				}
				c.Agree(c.Members...)
			})
		})
	}
}
