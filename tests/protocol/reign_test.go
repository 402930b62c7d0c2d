package protocol

import (
	"slices"
	"testing"

	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// left is a cluster whose first writer left a batch behind on its own disk alone, when nobody heard it any more, and whose
// second replica was elected since.
func left(t *testing.T, seed uint64) *kit.Cluster {
	t.Helper()
	c := kit.Voting(t, seed, 3)
	first := c.Member(1)
	first.Elect()
	c.World.Net.Isolate(first.Node.Address())
	answer := first.Write(0, kit.Entry("old1"), kit.Entry("old2"), kit.Entry("old3"))
	if f, ok := answer.(coordinator.Failed); !ok || f.Why != coordinator.Indeterminate {
		t.Fatalf("the write of an isolated writer: %+v", answer)
	}
	if e := c.Member(2).Elect(); e.End != 0 {
		t.Fatalf("the second writer found a log that ends at %d", e.End)
	}
	return c
}

func TestWhatAFencedWriterLeftBehindIsNeverChosen(t *testing.T) {
	for name, appends := range map[string][]string{"the successor appended": {"new1"}, "it did not": nil} {
		t.Run(name, func(t *testing.T) {
			seeds(t, 20, func(t *testing.T, seed uint64) {
				c := left(t, seed)
				for _, entry := range appends {
					c.Member(2).Append(entry)
				}
				c.World.Net.Join(c.Member(1).Node.Address())
				c.Member(2).Crash()
				c.Member(1).Elect()
				if got := c.Member(1).Entries(); !slices.Equal(got, appends) {
					t.Errorf("the log is %q, want %q", got, appends)
				}
				c.Check()
			})
		})
	}
}

// The fifth replica never heard of the second writer, and the third one forgot it with its disk.
func TestAReplicaThatLostItsDiskStillKnowsWhatIsVoid(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 5)
		isolate := func(m *kit.Member) { c.World.Net.Isolate(m.Node.Address()) }
		join := func(m *kit.Member) { c.World.Net.Join(m.Node.Address()) }
		c.Member(1).Elect()
		isolate(c.Member(1))
		c.Member(1).Write(0, kit.Entry("old1"), kit.Entry("old2"))
		isolate(c.Member(5))
		c.Member(2).Elect()
		join(c.Member(5))
		c.Member(3).Crash()
		c.Member(3).Wipe()
		c.Member(3).Restart()
		c.AwaitVoting(c.Member(3))
		c.Member(2).Crash()
		c.Member(4).Crash()
		join(c.Member(1))
		c.Member(1).Elect()
		if got := c.Member(1).Entries(); len(got) > 0 {
			t.Errorf("the log is %q", got)
		}
		c.Check()
	})
}
