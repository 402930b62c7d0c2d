package disk

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

func TestNewDirectoryGetsAnEmptyReplica(t *testing.T) {
	o := options("/data", vfs.NewMem())
	o.Random = func() uint64 { return 42 }
	s := mustOpen(t, o)
	defer mustClose(t, s)
	m := s.Metadata()
	want := identity.Incarnation{Generation: 1, Disk: 42}
	if m.Status != status.Empty || m.Incarnation != want || m.Boot != 1 || m.Begin != 1 || m.Cluster != "test" || m.Replica != 1 ||
		!slices.Equal(m.Members, o.Members) {
		t.Errorf("got %+v", m)
	}
}

func TestEveryOpenCountsABootDurably(t *testing.T) {
	c := newCrashable()
	for boot := uint64(1); boot < 5; boot++ {
		s := c.Open(t)
		if got := s.Metadata().Boot; got != boot {
			t.Fatalf("boot %d counts as %d", boot, got)
		}
		c.Crash(t, nil)
	}
}

func TestNoDirectoryIsNotMadeUnasked(t *testing.T) {
	for _, change := range []func(*Options){
		func(o *Options) { o.Create = false },
		func(o *Options) { o.ReadOnly = true },
	} {
		o := options(filepath.Join(t.TempDir(), "data"), nil)
		change(&o)
		if _, err := Open(o); !errors.Is(err, storage.ErrNotFound) || !strings.Contains(err.Error(), o.Dir) {
			t.Errorf("got %v, want ErrNotFound with the path", err)
		}
		if _, err := os.Stat(o.Dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the directory was made: %v", err)
		}
	}
}

func TestDirectoryOfSomebodyElseIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	mustClose(t, mustOpen(t, options("/data", fs)))
	for want, change := range map[string]func(*Options){
		`cluster "test", not "other"`:    func(o *Options) { o.Cluster = "other" },
		`replica 1, not 2`:               func(o *Options) { o.Replica = 2 },
		`members [1 2 3], not [1 2 3 4]`: func(o *Options) { o.Members = []log.ReplicaID{1, 2, 3, 4} },
		`replica 1, not 3`:               func(o *Options) { o.Replica, o.ReadOnly = 3, true },
	} {
		o := options("/data", fs)
		change(&o)
		if _, err := Open(o); !errors.Is(err, storage.ErrForeign) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ErrForeign with %s", err, want)
		}
	}
	s := mustOpen(t, options("/data", fs))
	defer mustClose(t, s)
	if got := s.Metadata().Boot; got != 2 {
		t.Errorf("boot %d: a refused open has changed the disk", got)
	}
}

func TestDirectoryWithOtherFilesIsNotTouched(t *testing.T) {
	o := options(t.TempDir(), nil)
	must(t, os.WriteFile(filepath.Join(o.Dir, "thesis.tex"), []byte("years"), 0o644))
	if _, err := Open(o); !errors.Is(err, storage.ErrForeign) || !strings.Contains(err.Error(), "thesis.tex") {
		t.Errorf("got %v, want ErrForeign with the file", err)
	}
	if names, err := os.ReadDir(o.Dir); err != nil || len(names) != 1 {
		t.Errorf("the directory now has %v, %v", names, err)
	}
}

func TestAnotherPebbleDatabaseIsNotTouched(t *testing.T) {
	fs := vfs.NewMem()
	db, err := pebble.Open("/data", &pebble.Options{FS: fs, Logger: logger{logger: zerolog.Nop()}})
	must(t, err)
	must(t, db.Close())
	before := fs.String()
	if _, err := Open(options("/data", fs)); !errors.Is(err, storage.ErrForeign) {
		t.Errorf("got %v, want ErrForeign", err)
	}
	if after := fs.String(); after != before {
		t.Errorf("the directory changed from\n%s\nto\n%s", before, after)
	}
}

func TestDirectoryInUseIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := mustOpen(t, options(dir, nil))
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(dir, link))
	for _, name := range []string{dir, link, dir + "/../data"} {
		for _, readOnly := range []bool{false, true} {
			o := options(name, nil)
			o.ReadOnly = readOnly
			if _, err := Open(o); !errors.Is(err, storage.ErrInUse) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%s, read only %v: got %v, want ErrInUse with the directory", name, readOnly, err)
			}
		}
	}
	mustClose(t, s)
	mustClose(t, mustOpen(t, options(dir, nil)))
}

func TestNewerFormatIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	value, err := s.coder.encode(keys(0).key(metadataSpace), &messages.Metadata{Format: storage.FormatMembers + 1})
	must(t, err)
	must(t, s.db.Set(keys(0).key(metadataSpace), value, pebble.Sync))
	mustClose(t, s)
	if _, err := Open(options("/data", fs)); !errors.Is(err, storage.ErrNewerFormat) {
		t.Errorf("got %v, want ErrNewerFormat", err)
	}
}

func TestNewerDatabaseFormatIsRefused(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "data"), nil)
	mustClose(t, mustOpen(t, o))
	f, err := os.Create(filepath.Join(o.Dir, "marker.format-version.999999.999"))
	must(t, err)
	must(t, f.Close())
	if _, err := Open(o); !errors.Is(err, storage.ErrNewerFormat) {
		t.Errorf("got %v, want ErrNewerFormat", err)
	}
}

func TestLostMetadataAreCorruptionAndNotANewReplica(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	must(t, s.db.Delete(keys(0).key(metadataSpace), pebble.Sync))
	mustClose(t, s)
	if _, err := Open(options("/data", fs)); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

func TestReadOnlyChangesNothing(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	must(t, s.Put(entry(1, "data")))
	mustClose(t, s)
	before := fs.String()
	s = mustOpen(t, Options{Dir: "/data", FS: fs, ReadOnly: true})
	if _, found, err := s.Get(1); !found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	if err := s.Put(entry(2, "data")); err == nil || errors.Is(err, storage.ErrFailed) {
		t.Errorf("put: got %v, want a refusal that is no failure", err)
	}
	if got := s.Metadata().Boot; got != 1 {
		t.Errorf("boot %d, want 1", got)
	}
	mustClose(t, s)
	if after := fs.String(); after != before {
		t.Errorf("the directory changed from\n%s\nto\n%s", before, after)
	}
}

func TestCrashWhileCreatingLeavesADirectoryToBeMade(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for crashAt := 1; ; crashAt++ {
		c := newCrashable()
		after, operations := crashDuring(c, crashAt, random)
		if operations < crashAt {
			break // the whole creation is done before the crash
		}
		s, err := Open(options("/var/data", after))
		if err != nil {
			t.Fatalf("seed %d, crash at operation %d of the file system: %v", seed, crashAt, err)
		}
		if m := s.Metadata(); m.Status != status.Empty || m.Cluster != "test" || m.Begin != 1 {
			t.Fatalf("seed %d, crash at operation %d: got %+v", seed, crashAt, m)
		}
		mustClose(t, s)
	}
}

// crashDuring makes a data directory, and returns what is left of the file system when it crashes before the n-th
// operation that changes it. It also returns the number of operations.
func crashDuring(c *crashable, n int, random *rand.Rand) (after *vfs.MemFS, operations int) {
	var counter crashCounter
	s, err := Open(options("/var/data", inject(c.fs, counter.at(n, func() { after = c.fs.CrashClone(loss(random)) }))))
	if err != nil {
		panic(err)
	}
	made := counter.operations()
	if err := s.Close(); err != nil {
		panic(err)
	}
	return after, made
}

func TestInitializeMakesAnEmptyReplicaVote(t *testing.T) {
	fs := vfs.NewMem()
	for name, prepare := range map[string]func(Options){
		"/new":   func(Options) {},
		"/empty": func(o Options) { mustClose(t, mustOpen(t, o)) },
	} {
		o := options(name, fs)
		prepare(o)
		o.Create = false
		must(t, Initialize(o))
		s := mustOpen(t, o)
		if m := s.Metadata(); m.Status != status.Voting || m.Incarnation.Generation != 1 {
			t.Errorf("%s: got %+v", name, m)
		}
		mustClose(t, s)
	}
}

func TestInitializeRefusesAllButEmpty(t *testing.T) {
	for _, not := range []status.Status{status.Starting, status.Recovering, status.Voting} {
		fs := vfs.NewMem()
		s := mustOpen(t, options("/data", fs))
		m := s.Metadata()
		m.Status = not
		must(t, s.SetMetadata(m))
		mustClose(t, s)
		if err := Initialize(options("/data", fs)); err == nil || !strings.Contains(err.Error(), not.String()) {
			t.Errorf("got %v, want a refusal that names %v", err, not)
		}
		s = mustOpen(t, options("/data", fs))
		if got := s.Metadata(); got.Status != not || got.Boot != 2 {
			t.Errorf("the refused one left %+v", got)
		}
		mustClose(t, s)
	}
}

func TestNumbersOfTheSchemaAreOurs(t *testing.T) {
	for ours, theirs := range map[log.Kind]messages.Kind{
		log.NOP: messages.Kind_KIND_NOP, log.Append: messages.Kind_KIND_APPEND, log.Truncate: messages.Kind_KIND_TRUNCATE,
	} {
		if messages.Kind(ours) != theirs {
			t.Errorf("kind %v is %d, not %d", ours, ours, theirs)
		}
	}
	for ours, theirs := range map[status.Status]messages.Status{
		status.Empty: messages.Status_STATUS_EMPTY, status.Starting: messages.Status_STATUS_STARTING,
		status.Recovering: messages.Status_STATUS_RECOVERING, status.Voting: messages.Status_STATUS_VOTING,
	} {
		if messages.Status(ours) != theirs {
			t.Errorf("status %v is %d, not %d", ours, ours, theirs)
		}
	}
}
