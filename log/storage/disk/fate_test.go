package disk

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// rotAtRest damages a table, where nothing at the start looks.
func rotAtRest(t *testing.T) *vfs.MemFS {
	t.Helper()
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	for p := log.Position(1); p < 100; p++ {
		must(t, s.Put(entry(p, strings.Repeat("x", 10_000))))
	}
	must(t, s.Learn(log.Span(1, 99)))
	must(t, s.db.Flush())
	mustClose(t, s)
	damageTables(t, fs)
	return fs
}

// damageTables damages every table: some may be left of a compaction, and not be read any more.
func damageTables(t *testing.T, fs *vfs.MemFS) {
	t.Helper()
	names, err := fs.List("/data")
	must(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, ".sst") {
			damage(t, fs, "/data", name)
		}
	}
}

func TestDamageThatIsFoundWhileOpenIsRepairedByTheNextStart(t *testing.T) {
	fs := vfs.NewMem()
	o := repairing(fs)
	o.Repair = false
	s := mustOpen(t, o)
	must(t, s.Put(entry(1, "data")))
	flip(t, s, keys(0).record(1)) // the tables are right, and no start looks at records
	if _, _, err := s.Get(1); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatalf("got %v, want ErrCorrupt", err)
	}
	mustClose(t, s)
	if _, err := Open(o); !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), faultFile) {
		t.Errorf("got %v, want ErrCorrupt and a way on", err)
	}
	mustReplace(t, fs, "damaged-1")
}

// Pebble may meet the damage by itself, while the directory is opened or after that: whoever meets it, it is repaired.
func TestDamagedTableIsRepairedWhoeverFindsIt(t *testing.T) {
	fs := rotAtRest(t)
	s := mustOpen(t, repairing(fs))
	if _, replaced := s.Replaced(); !replaced {
		if err := s.Scan(log.Span(1, 99), func(log.Action) bool { return true }); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatalf("got %v, want ErrCorrupt", err)
		}
		mustClose(t, s)
		mustReplace(t, fs, "damaged-1")
		return
	}
	mustClose(t, s)
}

func TestScrubFindsDamageThatNobodyReads(t *testing.T) {
	fs := vfs.NewMem()
	o := repairing(fs)
	s := mustOpen(t, o)
	must(t, s.Put(entry(1, "data")))
	flip(t, s, keys(0).record(1))
	mustClose(t, s)
	told := make(chan error, 1)
	o.Scrub, o.OnFatal = true, func(err error) { told <- err }
	s = mustOpen(t, o)
	if _, replaced := s.Replaced(); replaced { // it was faster than the rest of Open, which has repaired it
		mustClose(t, s)
		return
	}
	if err := <-told; !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
	mustClose(t, s)
	mustReplace(t, fs, "damaged-1")
}

func TestScrubOfASoundDiskReadsAllAndEnds(t *testing.T) {
	s := mustOpen(t, options("/data", vfs.NewMem()))
	defer mustClose(t, s)
	for p := log.Position(1); p <= 3*scrubKeys; p++ {
		must(t, s.Put(entry(p, "data")))
	}
	must(t, s.Put(entry(4*scrubKeys, strings.Repeat("x", scrubPortion))))
	portions := 0
	for from := []byte{0}; from != nil; portions++ {
		next, _, err := s.scrubFrom(from)
		must(t, err)
		from = next
	}
	if portions != 4 { // the first one is what is no record
		t.Errorf("read in %d portions, want 4", portions)
	}
}

func TestAfterAFailedSyncEverythingIsReadAgain(t *testing.T) {
	var failed atomic.Bool
	b := newBreakable(func(op errorfs.Op) bool { // not one that Pebble makes by itself, which no Sync would have to tell of
		return isSync(op) && strings.HasSuffix(op.Path, logSuffix) && failed.CompareAndSwap(false, true)
	}, syscall.EIO)
	s, _ := openTold(t, b.fs)
	for p := log.Position(1); p < 100; p++ {
		must(t, s.Put(entry(p, strings.Repeat("x", 10_000))))
	}
	must(t, s.Sync())
	must(t, s.db.Flush())
	must(t, s.Put(entry(100, "data")))
	b.broken.Store(true) // for one sync
	if err := s.Sync(); !errors.Is(err, storage.ErrFailed) {
		t.Fatalf("got %v, want ErrFailed", err)
	}
	mustClose(t, s)
	if n, err := (directory{b.fs, "/data"}).readNote(); err != nil || n.kind != noteFailed || !strings.Contains(n.text, "input/output") {
		t.Errorf("the note says %+v, %v", n, err)
	}
	o := repairing(b.fs)
	mustClose(t, mustOpen(t, o))
	if n, err := (directory{b.fs, "/data"}).readNote(); err != nil || n.kind != "" {
		t.Errorf("the note is still there: %+v, %v", n, err)
	}

	damageTables(t, b.mem) // the disk had lost what was synced, too
	must(t, directory{b.fs, "/data"}.leaveNote(syscall.EIO))
	mustReplace(t, b.fs, "damaged-1")
}

func TestFullDiskSaysWhatToDoAndGoesOnOnceThereIsRoom(t *testing.T) {
	b := newBreakable(isWrite, syscall.ENOSPC)
	s, told := openTold(t, b.fs)
	must(t, s.Put(entry(1, "data")))
	must(t, s.Sync())
	b.broken.Store(true)
	must(t, s.Put(entry(2, "data")))
	err := s.Sync()
	const next = "no space left on /data: free some and start again; nothing acknowledged is lost"
	if !errors.Is(err, storage.ErrFull) || !errors.Is(err, storage.ErrFailed) || !strings.Contains(err.Error(), next) {
		t.Errorf("got %v", err)
	}
	if err := <-told; !errors.Is(err, storage.ErrFull) {
		t.Errorf("OnFatal was told %v", err)
	}
	mustClose(t, s)
	if _, err := Open(repairing(b.fs)); !errors.Is(err, storage.ErrFull) || !strings.Contains(err.Error(), next) {
		t.Errorf("while it is full: %v", err)
	}
	b.broken.Store(false)
	s = mustOpen(t, repairing(b.fs))
	defer mustClose(t, s)
	if _, replaced := s.Replaced(); replaced || !slices.Contains(scanned(t, s), 1) || s.engine.note.kind != "" {
		t.Errorf("replaced %v, holds %v, note %+v", replaced, scanned(t, s), s.engine.note)
	}
}

func TestSlowDiskOnlySlows(t *testing.T) {
	const slow = time.Second
	var isSlow atomic.Bool
	fs := inject(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if isSync(op) && isSlow.Load() {
			<-time.After(slow)
		}
		return nil
	}))
	s, told := openTold(t, fs)
	isSlow.Store(true)
	must(t, s.Put(entry(1, "data")))
	began := time.Now()
	must(t, s.Sync())
	if took := time.Since(began); took < slow {
		t.Errorf("it took %v", took)
	}
	isSlow.Store(false)
	mustClose(t, s)
	if len(told) > 0 {
		t.Errorf("it failed: %v", <-told)
	}
}

func TestOlderDamagedDirectoriesGoOnceTheReplicaVotes(t *testing.T) {
	o := repairing(nil)
	o.Dir = filepath.Join(t.TempDir(), "data")
	mustClose(t, mustOpen(t, o))
	for range 3 { // damaged again and again, before it had recovered
		must(t, os.Remove(filepath.Join(o.Dir, marksFile)))
		mustClose(t, mustOpen(t, o))
	}
	asides := func() []string {
		names, err := filepath.Glob(filepath.Join(o.Dir, asidePrefix+"*"))
		must(t, err)
		return names
	}
	if names := asides(); len(names) != 3 {
		t.Errorf("got %v, want all: one of them may be all that is left of the log", names)
	}
	s := mustOpen(t, o)
	m := s.Metadata()
	m.Status = status.Voting
	must(t, s.SetMetadata(m))
	mustClose(t, s)
	mustClose(t, mustOpen(t, o))
	if names := asides(); len(names) != 1 || filepath.Base(names[0]) != "damaged-3" {
		t.Errorf("got %v, want the newest", names)
	}
}

func TestDirectoryWithNothingButDamagedOnesIsNoNewOne(t *testing.T) {
	f := closedFiles(t)
	kinds["log"](t, f)
	fs := f.mem(t)
	mustReplace(t, fs, "damaged-1")
	names, err := fs.List("/data")
	must(t, err)
	for _, name := range names {
		if name != "damaged-1" {
			must(t, fs.Remove("/data/"+name))
		}
	}
	s := mustOpen(t, options("/data", fs)) // repair or not: there is nothing to repair
	defer mustClose(t, s)
	if got := s.Metadata().Status; got != status.Recovering {
		t.Errorf("it is %v, but the replica had data", got)
	}
}
