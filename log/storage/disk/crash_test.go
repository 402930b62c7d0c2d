package disk

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/quorumlog/quorumlog/log"
)

// TestWhatWasSyncedSurvivesACrashAtEveryWrite crashes before each operation that changes the file system, in a run that
// has puts, syncs, a truncation, and flushes enough to write new logs into old ones.
func TestWhatWasSyncedSurvivesACrashAtEveryWrite(t *testing.T) {
	seed := rand.Uint64()
	for crashAt := 1; ; crashAt++ {
		random := rand.New(rand.NewPCG(seed, uint64(crashAt)))
		after, acknowledged := crashAtWrite(t, crashAt, random)
		if after == nil {
			t.Logf("crashed at %d operations", crashAt-1)
			return
		}
		s, err := Open(options("/var/data", after))
		if err != nil {
			t.Fatalf("seed %d, crash at operation %d: %v", seed, crashAt, err)
		}
		held := 0
		err = s.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
			held = int(a.Position)
			return true
		})
		if begin := s.Metadata().Begin; err != nil || held < acknowledged || begin != 1 && begin != truncateTo {
			t.Fatalf("seed %d, crash at operation %d: begins at %d and holds %d of %d, %v", seed, crashAt, begin, held, acknowledged, err)
		}
		mustClose(t, s)
	}
}

const truncateTo = 11

// crashAtWrite returns the file system that a crash before the n-th change left behind, and the highest position that was
// synced by then; nil if there are fewer changes.
func crashAtWrite(t *testing.T, n int, random *rand.Rand) (after *vfs.MemFS, acknowledged int) {
	c := newCrashable()
	mustClose(t, c.Open(t).(*Store))
	var counter crashCounter
	fs := errorfs.Wrap(c.fs, counter.at(n, func() { after = c.fs.CrashClone(loss(random)) }))
	s := mustOpen(t, options("/var/data", fs))
	synced := 0
	for p := 1; p <= 20; p++ {
		must(t, s.Put(entry(log.Position(p), strings.Repeat("x", 1000*p))))
		if p == truncateTo {
			must(t, s.Truncate(truncateTo))
		}
		must(t, s.Sync())
		if p%4 == 0 {
			must(t, s.db.Flush())
		}
		if !counter.reached(n) {
			synced = p
		}
	}
	s.reclaim.pending.Wait()
	mustClose(t, s)
	counter.lock.Lock() // what wrote last is over
	defer counter.lock.Unlock()
	return after, synced
}
