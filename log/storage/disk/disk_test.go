package disk

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/storagetest"
)

func TestDiskKeepsTheContract(t *testing.T) {
	storagetest.Run(t, func(t testing.TB) storagetest.Disk {
		return &plain{options(filepath.Join(t.(*testing.T).TempDir(), "data"), nil)}
	})
}

func TestDiskKeepsTheContractAcrossCrashes(t *testing.T) {
	storagetest.RunCrashes(t, func(testing.TB) storagetest.Disk { return newCrashable() })
}

// options are those of replica 1 of 3, which makes its directory.
func options(dir string, fs vfs.FS) Options {
	return Options{
		Dir: dir, FS: fs, Cluster: "test", Replica: 1, Members: []log.ReplicaID{1, 2, 3}, Create: true,
		Logger: zerolog.Nop(),
	}
}

func mustOpen(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustClose(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// plain is a directory of the operating system.
type plain struct{ options Options }

func (p *plain) Open(t testing.TB) storage.Store { return mustOpen(t, p.options) }

func (p *plain) Crash(t testing.TB, _ *rand.Rand) { t.Fatal("the operating system cannot be crashed") }

// crashable is a file system in memory that forgets what was not synced.
type crashable struct {
	fs    *vfs.MemFS
	store *Store
}

func newCrashable() *crashable { return &crashable{fs: vfs.NewCrashableMem()} }

func (c *crashable) options() Options { return options("/var/data", c.fs) }

func (c *crashable) Open(t testing.TB) storage.Store {
	c.store = mustOpen(t, c.options())
	return c.store
}

func (c *crashable) Crash(t testing.TB, random *rand.Rand) {
	after := c.fs.CrashClone(loss(random))
	mustClose(t, c.store) // what it writes now goes to the file system that is gone
	c.fs = after
}

func loss(random *rand.Rand) vfs.CrashCloneCfg {
	if random == nil {
		return vfs.CrashCloneCfg{}
	}
	return vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random}
}
