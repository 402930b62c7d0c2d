package disk

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

func mustOpenEngine(t testing.TB, o Options) *Engine {
	t.Helper()
	e, err := OpenEngine(o)
	must(t, err)
	return e
}

func mustOpenLog(t testing.TB, e *Engine, name string) *Store {
	t.Helper()
	s, err := e.OpenLog(Log{Name: name})
	must(t, err)
	return s
}

// several opens logs of one directory, which are closed with it once the test ends.
func several(t testing.TB, o Options, names ...string) (*Engine, []*Store) {
	t.Helper()
	e := mustOpenEngine(t, o)
	t.Cleanup(func() { must(t, e.Close()) })
	var stores []*Store
	for _, name := range names {
		s := mustOpenLog(t, e, name)
		t.Cleanup(func() { mustClose(t, s) })
		stores = append(stores, s)
	}
	return e, stores
}

func mustHaveData(t testing.TB, s *Store, want ...string) {
	t.Helper()
	var got []string
	must(t, s.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
		got = append(got, string(a.Value.Data))
		return true
	}))
	if !slices.Equal(got, want) {
		t.Errorf("the log %q has %q, want %q", s.name, got, want)
	}
}

func TestLogsOfOneDirectoryDoNotMix(t *testing.T) {
	o := options("/data", vfs.NewMem())
	names := []string{"", "orders", "users"}
	for _, reopened := range []bool{false, true} {
		e := mustOpenEngine(t, o)
		var stores []*Store
		for i, name := range names {
			s := mustOpenLog(t, e, name)
			stores = append(stores, s)
			if !reopened {
				must(t, s.Put(entry(1, name+" 1"), entry(2, name+" 2"), entry(3, name+" 3")))
				must(t, s.Learn(log.Span(1, 1+i)))
				must(t, s.SetCheckpoint(storage.Checkpoint{UpTo: log.Position(i + 1)}))
				must(t, s.Sync())
			}
		}
		for i, s := range stores {
			mustHaveData(t, s, s.name+" 1", s.name+" 2", s.name+" 3")
			c, err := s.Checkpoint()
			must(t, err)
			summary, err := s.Summary()
			must(t, err)
			if c.UpTo != log.Position(i+1) || summary.Learned.Len() != uint64(1+i) || summary.Unlearned.Len() != uint64(2-i) {
				t.Errorf("the log %q has the checkpoint %d and %+v", s.name, c.UpTo, summary)
			}
			mustClose(t, s)
		}
		must(t, e.Close())
	}
}

func TestEachLogCountsItsOwnBootsAndSyncs(t *testing.T) {
	o := options("/data", vfs.NewMem())
	for round := uint64(1); round < 4; round++ {
		e := mustOpenEngine(t, o)
		s := mustOpenLog(t, e, "orders")
		if m := s.Metadata(); m.Boot != round || s.Age() != round {
			t.Errorf("boot %d at age %d, want %d", m.Boot, s.Age(), round)
		}
		mustClose(t, s)
		must(t, e.Close())
	}
	s := mustOpen(t, o)
	defer mustClose(t, s)
	if m := s.Metadata(); m.Boot != 2 {
		t.Errorf("the log without a name was opened twice, and counts %d boots", m.Boot)
	}
}

func TestEachLogIsOnADiskThatWasNeverSeen(t *testing.T) {
	_, stores := several(t, options("/data", vfs.NewMem()), "", "orders")
	a, b := stores[0].Metadata(), stores[1].Metadata()
	if a.Incarnation == b.Incarnation || b.Status != status.Empty || b.Cluster != a.Cluster || b.Replica != a.Replica {
		t.Errorf("got %+v and %+v", a, b)
	}
}

func TestATruncationOfOneLogLeavesTheOthers(t *testing.T) {
	_, stores := several(t, options("/data", vfs.NewMem()), "", "a", "b")
	for _, s := range stores {
		must(t, s.Put(entry(1, "1"), entry(2, "2")))
		must(t, s.Learn(log.Span(1, 2)))
	}
	must(t, stores[1].Truncate(3))
	stores[1].reclaim.pending.Wait()
	mustHaveData(t, stores[0], "1", "2")
	mustHaveData(t, stores[1])
	mustHaveData(t, stores[2], "1", "2")
}

func TestALogIsOpenOnce(t *testing.T) {
	for _, name := range []string{"", "orders"} {
		e, stores := several(t, options("/data", vfs.NewMem()), name)
		if _, err := e.OpenLog(Log{Name: name}); !errors.Is(err, storage.ErrLogOpen) {
			t.Errorf("the log %q is opened twice: %v", name, err)
		}
		must(t, stores[0].Put(entry(1, "kept")))
		mustClose(t, stores[0])
		again := mustOpenLog(t, e, name)
		t.Cleanup(func() { mustClose(t, again) })
		mustHaveData(t, again, "kept")
		if got := again.Metadata().Boot; got != 2 {
			t.Errorf("the log %q counts %d boots", name, got)
		}
	}
}

func TestAnEngineIsNotClosedUnderItsLogs(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	e := mustOpenEngine(t, options("/data", vfs.NewMem()))
	s := mustOpenLog(t, e, "orders")
	if err := e.Close(); !errors.Is(err, storage.ErrLogOpen) {
		t.Errorf("got %v", err)
	}
	must(t, s.Put(entry(1, "data")))
	must(t, s.Sync())
	mustClose(t, s)
	must(t, e.Close())
	must(t, e.Close())
	if _, err := e.OpenLog(Log{Name: "orders"}); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("then it opens a log: %v", err)
	}
}

func TestALogThatIsClosedLeavesTheOthersOpen(t *testing.T) {
	o := options("/data", vfs.NewMem())
	e := mustOpenEngine(t, o)
	a, b := mustOpenLog(t, e, "a"), mustOpenLog(t, e, "b")
	mustClose(t, a)
	must(t, b.Put(entry(1, "after")))
	must(t, b.Sync())
	if err := a.Put(entry(1, "late")); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("a closed log takes %v", err)
	}
	mustClose(t, b)
	must(t, e.Close())
	_, stores := several(t, o, "b")
	mustHaveData(t, stores[0], "after")
}

func TestOnlyNamesOfLogsNameLogs(t *testing.T) {
	e, _ := several(t, options("/data", vfs.NewMem()))
	for _, name := range []string{"-", "-a", "A", "a b", "a/b", "ü", "a\n", strings.Repeat("a", 64)} {
		if _, err := e.OpenLog(Log{Name: name}); !errors.Is(err, storage.ErrLogName) {
			t.Errorf("%q: got %v", name, err)
		}
	}
	for _, name := range []string{"0", "a-", "a--b", strings.Repeat("a", 63)} {
		mustClose(t, mustOpenLog(t, e, name))
	}
	if got := len(e.Logs()); got != 4 {
		t.Errorf("there are %v", e.Logs())
	}
}

func TestADirectoryHasSoManyLogsAndNoMore(t *testing.T) {
	e, _ := several(t, options("/data", vfs.NewMem()))
	for i := range storage.MaxLogs - 1 {
		mustClose(t, mustOpenLog(t, e, fmt.Sprint(i)))
	}
	if _, err := e.OpenLog(Log{Name: "more"}); !errors.Is(err, storage.ErrTooManyLogs) {
		t.Errorf("got %v", err)
	}
	mustClose(t, mustOpenLog(t, e, "62"))
	mustClose(t, mustOpenLog(t, e, ""))
}

func TestALogIsNotMadeUnasked(t *testing.T) {
	fs := vfs.NewMem()
	mustClose(t, mustOpen(t, options("/data", fs)))
	before := fs.String()
	for _, o := range []Options{{ReadOnly: true}, {Cluster: "test", Replica: 1, Members: []log.ReplicaID{1, 2, 3}}} {
		o.Dir, o.FS = "/data", fs
		e := mustOpenEngine(t, o)
		if _, err := e.OpenLog(Log{Name: "orders"}); !errors.Is(err, storage.ErrNotFound) || !strings.Contains(err.Error(), "orders") {
			t.Errorf("got %v", err)
		}
		must(t, e.Close())
		if after := fs.String(); o.ReadOnly && after != before {
			t.Errorf("the directory changed from\n%s\nto\n%s", before, after)
		}
	}
}

func TestALogKeepsTheMembersThatItBeganWith(t *testing.T) {
	e, _ := several(t, options("/data", vfs.NewMem()))
	with := func(ids ...log.ReplicaID) error {
		s, err := e.OpenLog(Log{Name: "orders", Members: ids})
		if err == nil {
			mustClose(t, s)
		}
		return err
	}
	must(t, with(1, 2, 4))
	if err := with(); !errors.Is(err, storage.ErrForeign) {
		t.Errorf("it opens for those of the directory: %v", err)
	}
	must(t, with(1, 2, 4))
}

func TestOneLogOfSeveralIsOpenedAlone(t *testing.T) {
	fs := logFiles(t, 2, "orders").mem(t)
	for _, o := range []Options{options("/data", fs), {Dir: "/data", FS: fs, ReadOnly: true}} {
		o.Log = "orders"
		s := mustOpen(t, o)
		mustHaveData(t, s, string(named("orders", 1).Value.Data), string(named("orders", 2).Value.Data))
		mustClose(t, s)
		o.Log, o.ReadOnly = "none", true
		if _, err := Open(o); !errors.Is(err, storage.ErrNotFound) || !strings.Contains(err.Error(), "orders") {
			t.Errorf("got %v, want ErrNotFound with the logs that there are", err)
		}
	}
}

func TestOneLogOfSeveralIsInitializedAndBuilt(t *testing.T) {
	o := buildOptions()
	mustClose(t, mustOpen(t, withCreate(o)))
	o.Log = "orders"
	must(t, Initialize(o))
	o.Log = "users"
	must(t, Build(o, foundation(3, nil, entries(3, 6))))
	if err := Build(o, foundation(3, nil, entries(3, 6))); !errors.Is(err, storage.ErrForeign) {
		t.Errorf("it is built twice: %v", err)
	}
	want := map[string]status.Status{"": status.Empty, "orders": status.Voting, "users": status.Voting}
	for name, status := range want {
		o.Log = name
		s := mustOpen(t, o)
		origin, err := s.Origin()
		must(t, err)
		if got := s.Metadata().Status; got != status || (origin != "") != (name == "users") {
			t.Errorf("the log %q is %v, from %q", name, got, origin)
		}
		mustClose(t, s)
	}
}

func withCreate(o Options) Options {
	o.Create = true
	return o
}
