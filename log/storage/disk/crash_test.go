package disk

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/quorumlog/quorumlog/log"
)

const truncateTo = 11

// work puts, syncs, learns, truncates and flushes, enough to write new logs into old ones. What it has put at a position
// depends on the position alone. It returns at the first error.
type work struct {
	last         log.Position
	acknowledged atomic.Uint64 // the last position whose sync has returned
}

func (w *work) do(s *Store) error {
	for p := log.Position(1); p <= w.last; p++ {
		if p < s.Metadata().Begin {
			continue
		}
		if err := w.at(s, p); err != nil {
			return err
		}
		w.acknowledged.Store(uint64(p))
		if p%4 == 0 {
			if err := s.worker.do(s.db.Flush); err != nil {
				return s.fault.fail(err)
			}
		}
	}
	return nil
}

func (w *work) at(s *Store, p log.Position) error {
	if err := s.Put(worked(p)); err != nil {
		return err
	}
	if p == truncateTo {
		if err := s.Truncate(truncateTo); err != nil {
			return err
		}
	}
	m := s.Metadata()
	m.Promised = log.Proposal(p)
	return errors.Join(s.Learn(log.Range{First: p, Last: p}), s.SetMetadata(m), s.Sync())
}

func worked(p log.Position) log.Action {
	return entry(p, strings.Repeat(string(rune('a'+p%26)), 1000*int(p)))
}

// wrong says what a store has lost, or has otherwise than it was written; nothing where it has all that was acknowledged.
func (w *work) wrong(s *Store, acknowledged uint64) string {
	next, fault := s.Metadata().Begin, ""
	err := s.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
		want := worked(a.Position)
		want.Learned = a.Learned
		if a.Position != next || !a.Value.Equal(want.Value) || a.Promised != want.Promised {
			fault = fmt.Sprintf("at %d, where %d is next, is not what was written", a.Position, next)
		}
		next++
		return fault == ""
	})
	m, held := s.Metadata(), uint64(next-1)
	switch {
	case err != nil || fault != "":
		return fmt.Sprintf("%v %s", err, fault)
	case held < acknowledged || uint64(m.Promised) < acknowledged || held > uint64(w.last):
		return fmt.Sprintf("holds %d and promises %d, of %d acknowledged", held, m.Promised, acknowledged)
	case m.Begin != 1 && m.Begin != truncateTo || acknowledged >= truncateTo && m.Begin != truncateTo:
		return fmt.Sprintf("begins at %d, %d acknowledged", m.Begin, acknowledged)
	}
	return ""
}

// crasher crashes a store before each operation that changes the file system, with none, some and all of what was not
// synced kept, and looks what is left; and crashes some of those looks as well.
type crasher struct {
	*testing.T
	plan
	points, clones, nested int
}

// TestWhatWasSyncedSurvivesACrashAtEveryChange tries every k of "crash before the k-th change" in one run.
func TestWhatWasSyncedSurvivesACrashAtEveryChange(t *testing.T) {
	c := crasher{T: t, plan: planned(t)}
	for range c.rounds {
		fs := vfs.NewCrashableMem()
		mustClose(t, mustOpen(t, options("/var/data", fs)))
		w := &work{last: 20}
		c.run(fs, func(before uint64) { c.look(fs, w, before) }, w)
	}
	t.Logf("%d points, %d crashes there, and %d in the recoveries after them", c.points, c.clones, c.nested)
}

func (c *crasher) run(fs *vfs.MemFS, crash func(acknowledged uint64), w *work) {
	var counter crashCounter
	s := mustOpen(c, options("/var/data", inject(fs, counter.each(func() {
		c.points++
		crash(w.acknowledged.Load())
	}))))
	must(c, w.do(s))
	s.reclaim.pending.Wait()
	mustClose(c, s)
}

// look crashes with each share of what was not synced: none, some, all.
func (c *crasher) look(fs *vfs.MemFS, w *work, acknowledged uint64) {
	for _, kept := range []int{0, 1 + c.random.IntN(99), 100} {
		c.clones++
		after := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: c.random})
		if c.random.IntN(100) == 0 {
			c.again(after, w, acknowledged)
			continue
		}
		c.mustHold(after, w, acknowledged, fmt.Sprintf("%d%% kept", kept))
	}
}

// again crashes a recovery from a crash, at each of its changes.
func (c *crasher) again(fs *vfs.MemFS, w *work, acknowledged uint64) {
	var counter crashCounter
	s, err := Open(options("/var/data", inject(fs, counter.each(func() {
		c.nested++
		c.mustHold(fs.CrashClone(loss(c.random)), w, acknowledged, "in a recovery")
	}))))
	if err != nil {
		c.Fatalf("seed %d, point %d: %v", c.seed, c.points, err)
	}
	mustClose(c, s)
}

func (c *crasher) mustHold(fs *vfs.MemFS, w *work, acknowledged uint64, how string) {
	c.Helper()
	s, err := Open(options("/var/data", fs))
	if err != nil {
		c.Fatalf("seed %d, point %d, %s: %v", c.seed, c.points, how, err)
	}
	defer mustClose(c, s)
	if wrong := w.wrong(s, acknowledged); wrong != "" {
		c.Fatalf("seed %d, point %d, %s: %s", c.seed, c.points, how, wrong)
	}
}

// A process that is killed leaves what it wrote to the system. Whoever reads that answers by it, so it must be durable
// by then: Pebble writes it into a table before it has opened.
func TestWhatAnOpenedStoreShowsSurvivesACrash(t *testing.T) {
	mem := vfs.NewCrashableMem()
	writes := make(chan struct{}, 1000)
	s := mustOpen(t, options("/var/data", inject(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if isWrite(op) && strings.HasSuffix(op.Path, logSuffix) {
			writes <- struct{}{}
		}
		return nil
	}))))
	must(t, s.Put(entry(1, "synced")))
	must(t, s.Sync())
	for len(writes) > 0 {
		<-writes
	}
	must(t, s.Put(entry(2, "not synced")))
	must(t, s.Put(entry(3, strings.Repeat("x", 200_000)))) // fills the block of the log that has the one before
	<-writes
	<-writes // the first one is done
	s.fault.freeze(errors.New("the process is killed"))
	mustClose(t, s)
	must(t, s.directory.remove(faultFile)) // whoever is killed leaves no note

	s = mustOpen(t, options("/var/data", mem))
	shown := len(scanned(t, s))
	after := mem.CrashClone(vfs.CrashCloneCfg{})
	mustClose(t, s)
	s = mustOpen(t, options("/var/data", after))
	defer mustClose(t, s)
	if held := len(scanned(t, s)); shown < 2 || held != shown {
		t.Errorf("%d records were shown, and %d are left", shown, held)
	}
}
