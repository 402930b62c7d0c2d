package disk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// logFiles are a directory with logs, each with the same number of records, in tables of its own and all learned.
func logFiles(t *testing.T, records int, names ...string) files {
	t.Helper()
	fs := vfs.NewMem()
	e := mustOpenEngine(t, options("/data", fs))
	for _, name := range append([]string{""}, names...) {
		s := mustOpenLog(t, e, name)
		for p := log.Position(1); p <= log.Position(records); p++ {
			must(t, s.Put(named(name, p)))
		}
		must(t, s.Learn(log.Span(1, records)))
		mustClose(t, s)
	}
	must(t, e.db.Flush())
	must(t, e.db.Compact(context.Background(), []byte{0}, []byte{0xff}, false))
	s := mustOpenLog(t, e, "") // which leaves something in Pebble's log
	must(t, s.SetCheckpoint(storage.Checkpoint{UpTo: 1, Table: make([]byte, 500)}))
	mustClose(t, s)
	must(t, e.Close())
	return filesOf(t, fs)
}

func named(name string, p log.Position) log.Action {
	data := fmt.Appendf(nil, "%s %d ", name, p)
	for i := range 10 + (uint64(p)*7919)%900 {
		data = append(data, byte(i*uint64(p)>>3))
	}
	return entry(p, string(data))
}

// statuses opens logs of a directory, and says what each may do.
func statuses(t *testing.T, e *Engine, names ...string) (got []status.Status) {
	t.Helper()
	for _, name := range names {
		s := mustOpenLog(t, e, name)
		got = append(got, s.Metadata().Status)
		if held := len(scanned(t, s)); held > 0 {
			t.Errorf("the log %q has %d records", name, held)
		}
		mustClose(t, s)
	}
	return got
}

// A log that had data must not vote before it has recovered, also where it is opened long after the replacement; one that never was is EMPTY.
func TestEveryLogOfADamagedDirectoryRecovers(t *testing.T) {
	original := logFiles(t, 3, "orders", "users")
	damages := map[string]func(*testing.T, files){
		"roster":         func(_ *testing.T, f files) { f.flip(rosterFile, len(rosterHead)+3) },
		"missing roster": func(_ *testing.T, f files) { delete(f, rosterFile) },
	}
	for _, kind := range []string{"log", "manifest", "marks", "label", "noted"} {
		damages[kind] = kinds[kind]
	}
	for kind, damage := range damages {
		f := files{}
		for name, data := range original {
			f[name] = data
		}
		damage(t, f)
		fs, unknown := f.mem(t), status.Empty
		if strings.Contains(kind, "roster") {
			unknown = status.Recovering
		}
		e := mustOpenEngine(t, repairing(fs))
		if r, replaced := e.Replaced(); !replaced || r.Aside != "/data/damaged-1" {
			t.Errorf("%s: got %+v", kind, r)
		}
		got := statuses(t, e, "", "orders", "new")
		must(t, e.Close())
		e = mustOpenEngine(t, repairing(fs))
		got = append(got, statuses(t, e, "users", "newer")...)
		must(t, e.Close())
		want := []status.Status{status.Recovering, status.Recovering, unknown, status.Recovering, unknown}
		if !slices.Equal(got, want) {
			t.Errorf("%s: the logs are %v, want %v", kind, got, want)
		}
	}
}

// Whom the log was begun with is lost with the directory, and need not be whom the directory is opened with.
func TestALogOfADamagedDirectoryIsOpenedWithItsOwnMembers(t *testing.T) {
	f := logFiles(t, 1, "orders")
	kinds["log"](t, f)
	fs := f.mem(t)
	must(t, mustOpenEngine(t, repairing(fs)).Close())
	e := mustOpenEngine(t, repairing(fs))
	defer func() { must(t, e.Close()) }()
	with := func(ids ...log.ReplicaID) (storage.Metadata, error) {
		s, err := e.OpenLog(Log{Name: "orders", Members: ids})
		if err != nil {
			return storage.Metadata{}, err
		}
		mustClose(t, s)
		return s.Metadata(), nil
	}
	if m, err := with(1, 2, 4); err != nil || m.Status != status.Recovering || !slices.Equal(m.Members, []log.ReplicaID{1, 2, 4}) {
		t.Errorf("got %+v, %v", m, err)
	}
	if _, err := with(1, 2, 3); !errors.Is(err, storage.ErrForeign) {
		t.Errorf("it opens for others: %v", err)
	}
}

// Nobody knows any more which logs there were, and the second replacement must not forget that.
func TestALogThatMayHaveBeenForgottenRecoversAfterEveryReplacement(t *testing.T) {
	f := logFiles(t, 1, "orders")
	delete(f, rosterFile)
	fs := f.mem(t)
	must(t, mustOpenEngine(t, repairing(fs)).Close())
	must(t, directory{fs, "/data"}.leaveNote(storage.ErrCorrupt))
	e := mustOpenEngine(t, repairing(fs))
	defer func() { must(t, e.Close()) }()
	if r, _ := e.Replaced(); r.Aside != "/data/damaged-2" {
		t.Fatalf("got %+v", r)
	}
	if got := statuses(t, e, "orders")[0]; got != status.Recovering {
		t.Errorf("the log is %v", got)
	}
}

func TestDamageOfALogIsFoundBeforeItIsOpened(t *testing.T) {
	fs := logFiles(t, 1, "orders").mem(t)
	e := mustOpenEngine(t, options("/data", fs))
	must(t, e.db.Delete(keys(1).key(metadataSpace), pebble.Sync))
	must(t, e.Close())
	if _, err := OpenEngine(options("/data", fs)); !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "orders") {
		t.Errorf("got %v", err)
	}
	e = mustOpenEngine(t, repairing(fs))
	if _, replaced := e.Replaced(); !replaced {
		t.Error("it is not replaced")
	}
	must(t, e.Close())
}

// Older programs compare the format of the label with the highest that they know, which is storage.Format, before all else.
func TestOnlyADirectoryWithANamedLogIsClosedToOlderPrograms(t *testing.T) {
	fs := vfs.NewMem()
	mustClose(t, mustOpen(t, options("/data", fs)))
	before, err := directory{fs, "/data"}.read(completeFile)
	must(t, err)
	if want := options("/data", nil).label(); string(before) != want.text() || want.format != storage.Format {
		t.Errorf("the label of a directory with one log is %s", before)
	}
	e := mustOpenEngine(t, options("/data", fs))
	must(t, e.Close())
	if now, err := (directory{fs, "/data"}).read(completeFile); err != nil || string(now) != string(before) {
		t.Errorf("an engine makes that %s, %v", now, err)
	}
	e = mustOpenEngine(t, options("/data", fs))
	defer func() { must(t, e.Close()) }()
	mustClose(t, mustOpenLog(t, e, "orders"))
	l, err := e.directory.readLabel(completeFile)
	if err != nil || l.format != storage.FormatLogs || l.replica != 1 || len(l.members) != 3 {
		t.Errorf("with a named log it is %+v, %v", l, err)
	}
}

func TestADiskThatFailsFailsEveryLog(t *testing.T) {
	b := newBreakable(isSync, syscall.EIO)
	told := map[string]chan error{}
	listen := func(name string) func(error) {
		told[name] = make(chan error, 2)
		return func(err error) { told[name] <- err }
	}
	o := options("/data", b.fs)
	o.OnFatal = listen("engine")
	e := mustOpenEngine(t, o)
	var stores []*Store
	for _, name := range []string{"", "orders", "closed"} {
		s, err := e.OpenLog(Log{Name: name, OnFatal: listen(name)})
		must(t, err)
		stores = append(stores, s)
	}
	mustClose(t, stores[2])
	b.broken.Store(true)
	must(t, stores[0].Put(entry(1, "data")))
	if err := stores[0].Sync(); !errors.Is(err, storage.ErrFailed) {
		t.Fatalf("got %v", err)
	}
	for _, who := range []string{"engine", "", "orders"} {
		select {
		case err := <-told[who]:
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("%q is told %v", who, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%q is told nothing", who)
		}
	}
	if len(told["closed"]) > 0 {
		t.Error("a log that was closed is told of it")
	}
	if err := stores[1].Put(entry(1, "late")); !errors.Is(err, storage.ErrFailed) {
		t.Errorf("the other log goes on: %v", err)
	}
	if _, err := e.OpenLog(Log{Name: "new"}); !errors.Is(err, storage.ErrFailed) {
		t.Errorf("a log is opened: %v", err)
	}
	mustClose(t, stores[0])
	mustClose(t, stores[1])
	must(t, e.Close())
}

func TestAfterAFailureTheRecordsOfAllLogsAreRead(t *testing.T) {
	fs := logFiles(t, 3, "orders").mem(t)
	e := mustOpenEngine(t, options("/data", fs))
	must(t, e.db.Delete(keys(1).record(2), pebble.Sync))
	must(t, e.Close())
	f := filesOf(t, fs)
	f[faultFile] = []byte(noteFailed + " a sync\n")
	if _, err := OpenEngine(options("/data", f.mem(t))); !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "have no record") {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

// A log whose owner condemns it takes the others with it: see docs/adr/0029.
func TestADirectoryIsCondemnedWithAllItsLogs(t *testing.T) {
	fs := logFiles(t, 1, "orders").mem(t)
	e := mustOpenEngine(t, repairing(fs))
	a, b := mustOpenLog(t, e, ""), mustOpenLog(t, e, "orders")
	if err := b.Condemn("it is another log"); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatalf("got %v", err)
	}
	if err := a.Put(entry(9, "late")); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("the other log goes on: %v", err)
	}
	mustClose(t, a)
	mustClose(t, b)
	must(t, e.Close())
	e = mustOpenEngine(t, repairing(fs))
	defer func() { must(t, e.Close()) }()
	for _, got := range statuses(t, e, "", "orders") {
		if got != status.Recovering {
			t.Errorf("a log is %v", got)
		}
	}
}
