package disk

import (
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// plan says how much a test tries. `make storage ROUNDS=n SEED=s` sets both.
type plan struct {
	rounds int
	long   bool // somebody asked for more than what fits every run
	seed   uint64
	random *rand.Rand
}

// planned returns the plan of a test, and prints its seed.
func planned(t *testing.T) plan {
	t.Helper()
	p := plan{rounds: 1, seed: rand.Uint64()}
	if n, err := strconv.Atoi(os.Getenv("QUORUMLOG_STORAGE_ROUNDS")); err == nil && n > 0 {
		p.rounds, p.long = n, true
	}
	if seed, err := strconv.ParseUint(os.Getenv("QUORUMLOG_STORAGE_SEED"), 10, 64); err == nil {
		p.seed = seed
	}
	t.Logf("seed %d, %d rounds", p.seed, p.rounds)
	p.random = rand.New(rand.NewPCG(p.seed, 0))
	return p
}

// each calls something before every operation that changes a file system, one at a time.
func (c *crashCounter) each(call func()) errorfs.Injector {
	return errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsRead {
			return nil
		}
		c.lock.Lock()
		defer c.lock.Unlock()
		c.count++
		call()
		return nil
	})
}

// countdown hits once, after so many tries.
type countdown struct {
	lock sync.Mutex
	left int
}

func (c *countdown) hit() bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.left--
	return c.left == 0
}

// over says whether it has hit.
func (c *countdown) over() bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.left <= 0
}

// crashable returns a file system with the files in /data, all of them synced, which can crash.
func (f files) crashable(t *testing.T) *vfs.MemFS {
	t.Helper()
	fs := vfs.NewCrashableMem()
	f.fill(t, fs)
	return fs
}
