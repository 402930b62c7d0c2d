package disk

import (
	"errors"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// repairing are the options of a replica whose directory may be replaced.
func repairing(fs vfs.FS) Options {
	o := options("/data", fs)
	o.Repair = true
	return o
}

// kinds are the kinds of files of a directory, each with how to damage it so that Open notices.
var kinds = map[string]func(t *testing.T, f files){
	"log":      func(t *testing.T, f files) { f.flip(f.logs()[len(f.logs())-1], 40) },
	"manifest": func(t *testing.T, f files) { f.flip(f.named(t, "MANIFEST"), 20) },
	"options":  func(t *testing.T, f files) { f.flip(f.named(t, "OPTIONS"), 20) },
	"marks":    func(t *testing.T, f files) { f[marksFile] = make([]byte, len(f[marksFile])) },
	"label":    func(t *testing.T, f files) { f.flip(completeFile, len(labelHead)+3) },
	"marker": func(_ *testing.T, f files) {
		maps.DeleteFunc(f, func(name string, _ []byte) bool { return strings.HasPrefix(name, "marker.manifest") })
	},
	"table": func(t *testing.T, f files) { delete(f, f.table(t)) },
	"noted": func(t *testing.T, f files) { f[faultFile] = []byte("corrupt a table is damaged\n") },
}

func (f files) flip(name string, at int) {
	f[name] = slices.Clone(f[name])
	f[name][at] ^= 4
}

func (f files) named(t *testing.T, prefix string) string {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if strings.HasPrefix(name, prefix) {
			return name
		}
	}
	t.Fatalf("no file %s", prefix)
	return ""
}

func (f files) table(t *testing.T) string {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if strings.HasSuffix(name, ".sst") {
			return name
		}
	}
	t.Fatal("no table")
	return ""
}

// mustReplace opens a damaged directory, and looks whether a new one has taken its place.
func mustReplace(t *testing.T, fs vfs.FS, aside string) {
	t.Helper()
	s := mustOpen(t, repairing(fs))
	defer mustClose(t, s)
	r, replaced := s.Replaced()
	if !replaced || r.Aside != "/data/"+aside || r.Why == "" {
		t.Fatalf("got %+v, %v", r, replaced)
	}
	m := s.Metadata()
	if m.Status != status.Recovering || m.Incarnation.Generation < 2 || m.Begin != 1 || len(scanned(t, s)) > 0 {
		t.Errorf("the new replica is %+v", m)
	}
}

func scanned(t *testing.T, s *Store) (held []log.Position) {
	t.Helper()
	must(t, s.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
		held = append(held, a.Position)
		return true
	}))
	return held
}

func TestDamagedDirectoryIsKeptAsideAndReplaced(t *testing.T) {
	original := closedFiles(t)
	for kind, damage := range kinds {
		f := maps.Clone(original)
		damage(t, f)
		fs := f.mem(t)
		mustReplace(t, fs, "damaged-1")
		found := "before Pebble opened it"
		if kind == "label" || kind == "table" {
			found = "late"
		}
		for name, data := range f {
			kept, err := fs.UnsafeGetFileDataBuffer(filepath.Join("/data/damaged-1", name))
			if name != faultFile && name != lockFile && found != "late" && (err != nil || !slices.Equal(kept, data)) {
				t.Errorf("%s: %s is not kept as it was: %v", kind, name, err)
			}
		}
	}
}

// What its owner knows of a disk counts as what the disk says of itself.
func TestCondemnedDirectoryIsKeptAsideAndReplaced(t *testing.T) {
	f := closedFiles(t)
	fs := f.mem(t)
	s := mustOpen(t, repairing(fs))
	if err := s.Condemn("a quorum has learned something else"); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatalf("got %v", err)
	}
	mustClose(t, s)
	o := repairing(fs)
	o.Repair = false
	if _, err := Open(o); !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "something else") {
		t.Errorf("unasked it is opened: %v", err)
	}
	mustReplace(t, fs, "damaged-1")
}

func TestReplacedDirectoryIsAnOrdinaryOneFromThenOn(t *testing.T) {
	f := closedFiles(t)
	kinds["log"](t, f)
	fs := f.mem(t)
	mustReplace(t, fs, "damaged-1")
	s := mustOpen(t, repairing(fs))
	defer mustClose(t, s)
	if r, replaced := s.Replaced(); replaced || s.Metadata().Boot != 2 {
		t.Errorf("replaced again: %+v, boot %d", r, s.Metadata().Boot)
	}
}

func TestDamageIsNotTouchedUnasked(t *testing.T) {
	original := closedFiles(t)
	for kind, damage := range kinds {
		f := maps.Clone(original)
		damage(t, f)
		fs := f.mem(t)
		before := fs.String()
		for _, readOnly := range []bool{false, true} {
			o := repairing(fs)
			o.Repair, o.ReadOnly = readOnly, readOnly
			if kind == "noted" && readOnly {
				continue // what is there can be read
			}
			if _, err := Open(o); !errors.Is(err, storage.ErrCorrupt) {
				t.Errorf("%s, read only %v: got %v, want ErrCorrupt", kind, readOnly, err)
			}
		}
		if names, err := fs.List("/data"); err != nil || !slices.Contains(names, completeFile) || slices.Contains(names, "damaged-1") {
			t.Errorf("%s: the directory changed from\n%s\nto\n%s", kind, before, fs)
		}
	}
}

func TestDamagedDirectoryOfSomebodyElseIsNotReplaced(t *testing.T) {
	for kind, damage := range kinds {
		f := closedFiles(t)
		damage(t, f)
		fs := f.mem(t)
		o := repairing(fs)
		o.Replica = 2
		_, err := Open(o)
		if !errors.Is(err, storage.ErrForeign) {
			t.Errorf("%s: got %v, want ErrForeign", kind, err)
		}
		mustBeThere(t, fs)
	}
}

func mustBeThere(t *testing.T, fs *vfs.MemFS) {
	t.Helper()
	if names, err := fs.List("/data"); err != nil || !slices.Contains(names, completeFile) || slices.Contains(names, "damaged-1") {
		t.Errorf("the directory has %v, %v", names, err)
	}
}

func TestDirectoryThatNobodyCanBeKnownToOwnIsNotReplaced(t *testing.T) {
	for _, kind := range []string{"log", "manifest", "options", "marks", "marker", "table"} {
		f := closedFiles(t)
		kinds[kind](t, f)
		kinds["label"](t, f)
		fs := f.mem(t)
		if _, err := Open(repairing(fs)); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("%s: got %v, want ErrCorrupt", kind, err)
		}
		mustBeThere(t, fs)
	}
}

func TestNewerFormatIsNotReplaced(t *testing.T) {
	f := closedFiles(t)
	l := options("/data", nil).label()
	l.format = storage.FormatLogs + 1
	f[completeFile] = []byte(l.text())
	kinds["log"](t, f) // a newer program may write other marks
	fs := f.mem(t)
	if _, err := Open(repairing(fs)); !errors.Is(err, storage.ErrNewerFormat) {
		t.Errorf("got %v, want ErrNewerFormat", err)
	}
	mustBeThere(t, fs)
}

// A system that refuses to read may do it the next time: no such error is damage, whatever it stops.
func TestRefusalOfTheSystemReplacesNothing(t *testing.T) {
	original := closedFiles(t)
	for _, refusal := range []error{syscall.EIO, syscall.EACCES, syscall.EMFILE, syscall.ENOMEM} {
		for n := 1; ; n++ {
			fs := original.mem(t)
			c := countdown{left: n}
			o := repairing(inject(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind.ReadOrWrite() == errorfs.OpIsRead && c.hit() {
					return refusal
				}
				return nil
			})))
			s, err := Open(o)
			if err == nil {
				err = s.Close() // Pebble goes on reading after Open, and may meet the error only here
			}
			if !c.over() {
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%v at each of %d reads", refusal, n-1)
				break
			}
			if errors.Is(err, storage.ErrCorrupt) || errors.Is(err, storage.ErrForeign) {
				t.Fatalf("%v at read %d is %v", refusal, n, err)
			}
			mustBeThere(t, fs)
		}
	}
}

func TestDirectoryInUseIsNotReplaced(t *testing.T) {
	fs := closedFiles(t).mem(t)
	s := mustOpen(t, repairing(fs))
	defer mustClose(t, s)
	if _, err := Open(repairing(fs)); !errors.Is(err, storage.ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
	mustBeThere(t, fs)
}

// TestReplacementSurvivesACrashAtEveryChange crashes before each change that a repair makes, and crashes the repair that
// comes after it as well.
func TestReplacementSurvivesACrashAtEveryChange(t *testing.T) {
	p := planned(t)
	for kind, damage := range kinds {
		if !p.long && kind != "log" && kind != "label" && kind != "noted" { // found before Pebble opens the directory, and after
			continue
		}
		f := closedFiles(t)
		damage(t, f)
		crashes := 0
		for range p.rounds {
			fs := f.crashable(t)
			after, n := crashEverywhere(t, repairing(fs), fs, p.random)
			crashes += n
			if !p.long {
				after = after[:min(len(after), 1)]
			}
			for _, c := range after {
				_, n := crashEverywhere(t, repairing(c), c, p.random)
				crashes += n
			}
		}
		t.Logf("%s: %d crashes", kind, crashes)
	}
}

// crashEverywhere opens a directory once, and returns what a crash before each of its changes would have left behind: of
// all of them one in a hundred, so that the test ends.
func crashEverywhere(t *testing.T, o Options, fs *vfs.MemFS, random *rand.Rand) (after []*vfs.MemFS, n int) {
	t.Helper()
	var counter crashCounter
	o.FS = inject(fs, counter.each(func() {
		n++
		c := fs.CrashClone(loss(random))
		mustBeReplaced(t, c)
		if random.IntN(100) == 0 {
			after = append(after, fs.CrashClone(loss(random)))
		}
	}))
	s := mustOpen(t, o)
	mustClose(t, s)
	return after, n
}

// mustBeReplaced opens what a crash has left of a directory that was being replaced.
func mustBeReplaced(t *testing.T, fs *vfs.MemFS) {
	t.Helper()
	s, err := Open(repairing(fs))
	if err != nil {
		t.Fatalf("%v\n%s", err, fs)
	}
	defer mustClose(t, s)
	if m := s.Metadata(); m.Status != status.Recovering || m.Incarnation.Generation < 2 {
		t.Fatalf("a repair that was cut off leaves %+v", m)
	}
	_, asides, err := s.directory.list()
	must(t, err)
	if len(asides) == 0 {
		t.Fatalf("nothing is kept:\n%s", fs)
	}
	if whole, err := s.directory.asideOf(asides[0]).has(completeFile); err != nil || !whole {
		t.Fatalf("what is kept has no label, %v:\n%s", err, fs)
	}
}
