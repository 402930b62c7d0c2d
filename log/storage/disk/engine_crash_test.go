package disk

import (
	"fmt"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// TestWhatEachOfTwoLogsSyncedSurvivesACrashAtEveryChange has two goroutines write two logs of one directory, and crashes before each
// change of the file system: what each had acknowledged by then must be there, and of the rest a prefix, whatever became of the other's.
func TestWhatEachOfTwoLogsSyncedSurvivesACrashAtEveryChange(t *testing.T) {
	c := crasher{T: t, plan: planned(t)}
	names := []string{"", "orders"}
	for range c.rounds {
		fs := vfs.NewCrashableMem()
		e := mustOpenEngine(t, options("/var/data", fs))
		mustClose(t, mustOpenLog(t, e, "orders"))
		must(t, e.Close())
		works := []*work{{last: 12}, {last: 13}}
		var counter crashCounter
		e = mustOpenEngine(t, options("/var/data", inject(fs, counter.each(func() {
			c.points++
			before := []uint64{works[0].acknowledged.Load(), works[1].acknowledged.Load()}
			for _, kept := range []int{0, 1 + c.random.IntN(99)} {
				c.clones++
				c.mustHoldAll(fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: c.random}), names, works, before)
			}
		}))))
		stores := []*Store{mustOpenLog(t, e, ""), mustOpenLog(t, e, "orders")}
		var done sync.WaitGroup
		for i, s := range stores {
			done.Go(func() {
				if err := works[i].do(s); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		for _, s := range stores {
			s.reclaim.pending.Wait()
			mustClose(t, s)
		}
		must(t, e.Close())
	}
	t.Logf("%d points, %d crashes", c.points, c.clones)
}

func (c *crasher) mustHoldAll(fs *vfs.MemFS, names []string, works []*work, acknowledged []uint64) {
	c.Helper()
	e, err := OpenEngine(options("/var/data", fs))
	if err != nil {
		c.Fatalf("seed %d, point %d: %v", c.seed, c.points, err)
	}
	for i, name := range names {
		s := mustOpenLog(c, e, name)
		if wrong := works[i].wrong(s, acknowledged[i]); wrong != "" {
			c.Fatalf("seed %d, point %d: the log %q: %s", c.seed, c.points, name, wrong)
		}
		mustClose(c, s)
	}
	must(c, e.Close())
}

// A log is there from the moment that it was opened for the first time, and older programs are kept out by then; before that it is new.
func TestACrashWhileALogIsMadeLeavesTheWholeLogOrNone(t *testing.T) {
	p := planned(t)
	fs := vfs.NewCrashableMem()
	mustClose(t, mustOpen(t, options("/data", fs)))
	var counter crashCounter
	made, crashes, without := 0, 0, 0
	e := mustOpenEngine(t, options("/data", inject(fs, counter.each(func() {
		crashes++
		after := fs.CrashClone(loss(p.random))
		if mustHaveLogs(t, after, made) == made {
			without++
		}
	}))))
	for i := range 3 {
		s := mustOpenLog(t, e, fmt.Sprint("log-", i))
		must(t, s.Put(entry(1, s.name)))
		must(t, s.Sync())
		counter.lock.Lock() // no crash is under way
		made++
		counter.lock.Unlock()
		mustClose(t, s)
	}
	must(t, e.Close())
	if without == 0 || without == crashes {
		t.Errorf("of %d crashes %d came before a log was there", crashes, without)
	}
}

// mustHaveLogs opens what a crash has left, in which so many logs were made and written to. It returns how many there are. It is called
// on the goroutine that the store waits for, so it ends in any case.
func mustHaveLogs(t *testing.T, fs *vfs.MemFS, made int) (known int) {
	t.Helper()
	e, err := OpenEngine(options("/data", fs))
	if err != nil {
		t.Errorf("with %d logs made: %v", made, err)
		return 0
	}
	known = len(e.Logs())
	l, err := e.directory.readLabel(completeFile)
	must(t, err)
	if known < made || known > 0 && l.format != storage.FormatLogs {
		t.Errorf("%d of %d logs are there, and the label has format %d", known, made, l.format)
	}
	for i := range 3 {
		s := mustOpenLog(t, e, fmt.Sprint("log-", i))
		if m := s.Metadata(); m.Status != status.Empty || i < made && len(scanned(t, s)) != 1 {
			t.Errorf("log %d of %d that were made is %+v, and has %v", i, made, m, scanned(t, s))
		}
		mustClose(t, s)
	}
	must(t, e.Close())
	return known
}

// A repair that is cut off, and gone on with, must not forget a log on the way.
func TestAReplacementThatIsCutOffForgetsNoLog(t *testing.T) {
	p := planned(t)
	original := logFiles(t, 1, "orders")
	for _, kind := range []string{"log", "label"} {
		f := files{}
		for name, data := range original {
			f[name] = data
		}
		kinds[kind](t, f)
		fs := f.crashable(t)
		var counter crashCounter
		crashes := 0
		o := repairing(inject(fs, counter.each(func() {
			crashes++
			e := mustOpenEngine(t, repairing(fs.CrashClone(loss(p.random))))
			if got := statuses(t, e, "orders", "")[0]; got != status.Recovering {
				t.Errorf("%s, crash %d: the log is %v", kind, crashes, got)
			}
			must(t, e.Close())
		})))
		must(t, mustOpenEngine(t, o).Close())
		t.Logf("%s: %d crashes", kind, crashes)
	}
}
