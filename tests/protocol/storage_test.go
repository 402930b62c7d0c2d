package protocol

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// restart crashes and restarts every member.
func restart(c *kit.Cluster) {
	for _, m := range c.Members {
		m.Crash()
	}
	for _, m := range c.Members {
		m.Restart()
	}
	c.AwaitVoting(c.Members...)
}

// truncate has the member's coordinator truncate the log, which must succeed.
func truncate(t *testing.T, m *kit.Member, to log.Position) log.Position {
	t.Helper()
	answer := m.Write(0, log.Value{Kind: log.Truncate, To: to})
	a, ok := answer.(coordinator.Appended)
	if !ok {
		t.Fatalf("truncate to %d: %+v", to, answer)
	}
	return a.Range.First
}

func TestARestartRestoresWhatWasAcknowledged(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.Member(1).Elect()
		want := appendAll(c.Member(1), "", 20)
		restart(c)
		c.Member(2).Elect()
		if got := c.Member(2).Entries(); !slices.Equal(got, want) {
			t.Errorf("restored %q", got)
		}
		c.Agree(c.Members...)
	})
}

func TestARestartRestoresTheLedgerOfADiskThatWasAtRest(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	c.Member(1).Elect()
	appendAll(c.Member(1), "", 10)
	truncate(t, c.Member(1), 4)
	appendAll(c.Member(1), "more", 5)
	c.World.Run(5 * time.Second)
	before := c.Member(3).Inspect()
	c.Member(3).Node.Crash()
	if err := c.Member(3).Store.Close(); err != nil { // a process that ends in order syncs
		t.Fatal(err)
	}
	c.Member(3).Store = c.Member(3).Store.Crash(nil)
	c.Member(3).Restart()
	c.AwaitVoting(c.Member(3))
	after := c.Member(3).Inspect()
	if after.Begin != before.Begin || after.End != before.End || after.Learned != before.Learned || after.Promised != before.Promised {
		t.Errorf("restored %+v of %+v", after, before)
	}
}

func TestATruncationSurvivesARestart(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.Member(1).Elect()
		want := appendAll(c.Member(1), "", 10)
		truncate(t, c.Member(1), 8)
		restart(c)
		c.Member(3).Elect()
		got := c.Member(3).Inspect()
		if got.Begin != 8 || got.Learned != 11 {
			t.Errorf("begins at %d, learned up to %d", got.Begin, got.Learned)
		}
		if got := c.Member(3).Entries(); !slices.Equal(got, want[7:]) {
			t.Errorf("restored %q", got)
		}
		c.Agree(c.Members...)
	})
}

func TestAnEmptyLogTruncatesToItsBeginAndNoFurther(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Elect()
	if failed, ok := m.Write(0, log.Value{Kind: log.Truncate, To: 2}).(coordinator.Failed); !ok || failed.Why != coordinator.BadRange {
		t.Errorf("truncated above the end: %+v", failed)
	}
	if p := truncate(t, m, 1); p != 1 {
		t.Errorf("the truncation is at %d", p)
	}
	if got := m.Inspect(); got.Begin != 1 || got.Learned != 1 {
		t.Errorf("begins at %d, learned up to %d", got.Begin, got.Learned)
	}
	m.Append("after")
	c.Agree(c.Members...)
}

func TestATruncationMayDropEverythingButItself(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	c.Member(1).Elect()
	appendAll(c.Member(1), "", 5)
	truncate(t, c.Member(1), 6)
	if got := c.Member(1).Inspect(); got.Begin != 6 || got.End != 6 || got.Learned != 6 {
		t.Errorf("begins at %d, ends at %d, learned up to %d", got.Begin, got.End, got.Learned)
	}
	restart(c)
	c.Member(2).Elect()
	c.Member(2).Append("after")
	if got := c.Member(2).Entries(); !slices.Equal(got, []string{"after"}) {
		t.Errorf("the log is %q", got)
	}
	c.Agree(c.Members...)
}

func TestALogWithManyHolesIsRestoredAndItsHolesAreFilled(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		const last = 3000
		c := kit.Initialized(t, seed, 3)
		var records []log.Action
		for p := log.Position(3); p <= last; p += 3 {
			records = append(records, kit.Chosen(p, by(1, 1), fmt.Sprint(p)))
		}
		for _, m := range c.Members {
			m.Prepare(nil, records...)
		}
		c.Start()
		c.AwaitVoting(c.Members...)
		if got := c.Member(1).Inspect(); got.End != last || got.NotLearned != last/3*2 || got.Learned != 0 {
			t.Errorf("ends at %d, %d not learned, learned up to %d", got.End, got.NotLearned, got.Learned)
		}
		c.Member(1).Elect()
		if got := c.Member(1).Entries(); len(got) != last/3 || got[0] != "3" || got[len(got)-1] != fmt.Sprint(last) {
			t.Errorf("%d entries, the first %q", len(got), got[0])
		}
		c.Member(1).Append("after")
		if got := c.Member(1).Inspect(); got.Learned != last+1 || got.NotLearned != 0 {
			t.Errorf("learned up to %d, %d not learned", got.Learned, got.NotLearned)
		}
		c.Agree(c.Members...)
	})
}

func TestPositionsDoNotOverflow(t *testing.T) {
	for _, begin := range []log.Position{1<<31 - 3, 1<<32 - 3, 9_999_999_997, 1<<63 - 3} {
		t.Run(fmt.Sprint(begin), func(t *testing.T) {
			c := kit.Initialized(t, uint64(begin), 3)
			for _, m := range c.Members {
				m.Prepare(func(meta *storage.Metadata) { meta.Begin = begin })
			}
			c.Start()
			c.AwaitVoting(c.Members...)
			c.Member(1).Elect()
			want := appendAll(c.Member(1), "", 6)
			wiped := c.Member(3)
			wiped.Crash()
			wiped.Wipe()
			wiped.Restart()
			c.AwaitVoting(wiped)
			if got := wiped.Entries(); !slices.Equal(got, want) {
				t.Errorf("the wiped replica has %q", got)
			}
			restart(c)
			c.Member(2).Elect()
			if p := c.Member(2).Append("after"); p != begin+6 {
				t.Errorf("appended at %d", p)
			}
			truncate(t, c.Member(2), begin+5)
			if got := c.Member(2).Entries(); !slices.Equal(got, []string{want[5], "after"}) {
				t.Errorf("the log is %q", got)
			}
			c.Agree(c.Members...)
		})
	}
}

func TestTheLastPositionIsTheLastThatIsWritten(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	for _, m := range c.Members {
		m.Prepare(func(meta *storage.Metadata) { meta.Begin = log.MaxPosition - 1 })
	}
	c.Start()
	c.AwaitVoting(c.Members...)
	m := c.Member(1)
	m.Elect()
	m.Append("last but one")
	m.Append("last")
	if failed, ok := m.Write(0, kit.Entry("none left")).(coordinator.Failed); !ok || failed.Why != coordinator.BadRange {
		t.Errorf("appended above the last position: %+v", failed)
	}
	c.Agree(c.Members...)
}
