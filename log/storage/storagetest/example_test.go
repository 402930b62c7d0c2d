package storagetest_test

import (
	"math/rand/v2"
	"testing"

	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/log/storage/storagetest"
)

// disk is where the stores of an engine live: of yours, instead of memory's.
type disk struct{ store *memory.Store }

func (d *disk) Open(testing.TB) storage.Store {
	d.store = d.store.Crash(nil)
	return d.store
}

func (d *disk) Crash(_ testing.TB, random *rand.Rand) { d.store = d.store.Crash(random) }

// A new engine is tested like this. Nothing is printed: what it does not keep is told to the test.
func Example() {
	tests := func(t *testing.T) {
		disks := func(testing.TB) storagetest.Disk {
			return &disk{memory.New(storage.Metadata{Cluster: "test", Replica: 1})}
		}
		storagetest.Run(t, disks)
		storagetest.RunCrashes(t, disks)
	}
	_ = tests // in a test file: func TestMine(t *testing.T)
}
