package logtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
)

// forge replaces the disk of a member that does not run by one with the same metadata and these records, all learned.
func forge(t *testing.T, m *logtest.Member, entries ...string) {
	t.Helper()
	store := memory.New(m.Store.Metadata())
	by := store.Metadata().Promised
	for i, e := range entries {
		at := log.Position(i + 1)
		a := log.Action{Position: at, Promised: by, Performed: by, Value: log.Value{Kind: log.Append, Data: []byte(e)}}
		if err := store.Put(a); err != nil {
			t.Fatal(err)
		}
		if err := store.Learn(log.Range{First: at, Last: at}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Sync(); err != nil {
		t.Fatal(err)
	}
	m.Store = store
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		disks [3][]string
		want  string
	}{
		"a lost entry":              {[3][]string{{"a", "b"}, {"a", "b"}, {"a", "b"}}, "whole"},
		"another entry":             {[3][]string{{"a", "b", "x"}, {"a", "b", "x"}, {"a", "b", "x"}}, "acknowledged"},
		"two entries changed about": {[3][]string{{"a", "c", "b"}, {"a", "c", "b"}, {"a", "c", "b"}}, "order"},
		"an entry twice":            {[3][]string{{"a", "b", "c", "a"}, {"a", "b", "c", "a"}, {"a", "b", "c", "a"}}, "once"},
		"logs that differ":          {[3][]string{{"a", "b", "c"}, {"a", "b", "c"}, {"a", "x", "c"}}, "agreement"},
		"a disk that is down":       {[3][]string{{"a", "b", "c"}, {"a", "b", "c"}, nil}, "agreement"},
	} {
		t.Run(name, func(t *testing.T) {
			said := failing(t, func(cluster *logtest.Cluster) {
				for _, e := range []string{"a", "b", "c"} {
					cluster.Member(1).Append(e)
				}
				for i, m := range cluster.Members {
					m.Kill()
					if c.disks[i] == nil {
						forge(t, m, "x")
						continue
					}
					forge(t, m, c.disks[i]...)
					m.Start()
				}
				cluster.Pass(time.Second)
				cluster.Check()
			})
			if !strings.Contains(said, "seed 7: "+c.want) {
				t.Error(said[:min(len(said), 1500)])
			}
		})
	}
}

func TestFailedTestTellsTheSeedAndWhatEachMemberIs(t *testing.T) {
	said := failing(t, func(c *logtest.Cluster) {
		c.Member(1).Append("a")
		c.Member(2).Kill()
		c.Member(3).Wipe()
		c.Member(1).Append("b")
	})
	for _, want := range []string{
		"seed 7", "appends b", "CODE_INDETERMINATE", "member 1: VOTING", "member 2: VOTING     does not run", "member 3: EMPTY", "quorumlog/gateway",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in:\n%s", want, said[:min(len(said), 1500)])
		}
	}
}

func TestRequireTellsWhatTheMembersAreAndWhatWasWanted(t *testing.T) {
	for name, c := range map[string]struct {
		test func(c *logtest.Cluster)
		want string
	}{
		"a member that does not run": {func(c *logtest.Cluster) {
			c.Member(2).Kill()
			c.Member(2).Require(status.Voting, time.Second)
		}, "seed 7: member 2 does not run, wanted VOTING within 1s"},
		"a member without its disk that hears nobody": {func(c *logtest.Cluster) {
			c.Member(3).Wipe()
			c.Member(3).Isolate()
			c.Member(3).Start()
			c.Member(3).Require(status.Voting, 20*time.Second)
		}, "seed 7: member 3 is EMPTY, wanted VOTING within 20s"},
		"two of all members": {func(c *logtest.Cluster) {
			c.Member(1).Kill()
			c.Member(3).Wipe()
			c.Member(3).Start()
			c.Require(status.Voting, 0)
		}, "seed 7: member 1 does not run, member 3 is EMPTY, wanted VOTING within 0s"},
	} {
		t.Run(name, func(t *testing.T) {
			if said := failing(t, c.test); !strings.Contains(said, c.want) {
				t.Error(said[:min(len(said), 500)])
			}
		})
	}
}

func TestEntryThatIsAppendedTwiceIsOneViolation(t *testing.T) {
	said := failing(t, func(c *logtest.Cluster) {
		c.Member(1).Append("a")
		c.Member(1).Append("a")
		c.Check()
	})
	if n := strings.Count(said, "seed 7: "); n != 1 || !strings.HasPrefix(said, `seed 7: origin: "a" is appended by [`) {
		t.Errorf("%d violations: %s", n, said[:min(len(said), 1000)])
	}
}

// rotten is a disk that fails without having been told to.
type rotten struct {
	storage.Store
	bad bool
}

func (r *rotten) StartSync() (wait func() error) {
	if r.bad {
		return func() error { return storage.ErrClosed }
	}
	return r.Store.StartSync()
}

func TestMemberThatEndsItselfFailsTheTest(t *testing.T) {
	said := failing(t, func(c *logtest.Cluster) {
		m, disk := c.Member(3), &rotten{}
		m.Wrap = func(s storage.Store) storage.Store {
			disk.Store = s
			return disk
		}
		m.Restart()
		c.Recover()
		disk.bad = true
		c.Member(1).Append("a")
		c.Pass(time.Second)
		if m.Running() {
			t.Error("it runs on")
		}
	})
	if !strings.Contains(said, "member 3 ended itself") {
		t.Error(said[:min(len(said), 500)])
	}
}
