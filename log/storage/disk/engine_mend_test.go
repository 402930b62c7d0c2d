package disk

import (
	"context"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// The tables of one log are damaged after the other: that log says so, and is mended, and the others notice nothing.
func TestRecordsOfOneLogAreMendedWhileTheOthersGoOn(t *testing.T) {
	const records = 200
	names := []string{"", "orders", "users"}
	original := logFiles(t, records, names[1:]...)
	seen := map[string]bool{}
	for table, data := range recordTables(original) {
		f := files{}
		for name, data := range original {
			f[name] = data
		}
		f.flip(table, len(data)/2)
		o := mending(f.crashable(t))
		e := mustOpenEngine(t, o)
		damaged := ""
		for _, name := range names {
			s := mustOpenLog(t, e, name)
			if mendRecords(t, s, records) {
				damaged += name + ";"
			}
			must(t, s.Put(entry(records+1, "more")))
			must(t, s.Sync())
			mustClose(t, s)
		}
		seen[damaged] = true
		must(t, e.db.Compact(context.Background(), []byte{0}, []byte{0xff}, false))
		must(t, e.Close())
	}
	if len(seen) != 3 || !seen[";"] || !seen["orders;"] || !seen["users;"] {
		t.Errorf("a table that was damaged has damaged these logs: %v", seen)
	}
}

// mendRecords reads a log, and mends what is damaged. It says whether something was.
func mendRecords(t *testing.T, s *Store, records int) (damaged bool) {
	t.Helper()
	for range 50 {
		n := 0
		err := s.Scan(log.Span(1, records), func(a log.Action) bool {
			n++
			if want := named(s.name, log.Position(n)); !a.Value.Equal(want.Value) {
				t.Errorf("the log %q has another record at %d", s.name, n)
			}
			return true
		})
		var d storage.Damage
		if !errors.As(err, &d) {
			must(t, err)
			if n != records {
				t.Errorf("the log %q has %d records", s.name, n)
			}
			return damaged
		}
		damaged = true
		var mended []log.Action
		for p := d.Range.First; p <= d.Range.Last; p++ {
			mended = append(mended, named(s.name, p))
		}
		must(t, s.Mend(mended...))
	}
	t.Fatalf("the log %q is damaged again and again", s.name)
	return false
}

func TestAScrubOfOneLogFindsItsOwnDamageOnly(t *testing.T) {
	f := logFiles(t, 200, "orders")
	for table, data := range recordTables(f) {
		f.flip(table, len(data)/2)
		break
	}
	_, stores := several(t, mending(f.crashable(t)), "", "orders")
	found := 0
	for _, s := range stores {
		c := &scrubber{clean: 1}
		damaged, ok := c.pass(context.Background(), s)
		if !ok {
			t.Fatalf("the log %q was not read to its end", s.name)
		}
		set, err := s.Damaged()
		must(t, err)
		if damaged != !set.Empty() {
			t.Errorf("the scrub of %q says %v, and damaged is %v", s.name, damaged, set)
		}
		if damaged {
			found++
		}
	}
	if found != 1 {
		t.Errorf("one table is damaged, and %d logs are", found)
	}
}

// What Pebble complains of fails the disk only if all logs have been read, and none of them explains it.
func TestAComplaintIsPutToAllLogs(t *testing.T) {
	for _, explains := range []int{-1, 0, 1, 2} {
		e, stores := several(t, mending(vfs.NewMem()), "", "a", "b")
		var scrubbers []*scrubber
		for _, s := range stores {
			c := &scrubber{again: make(chan errand, 1), clean: 1}
			s.scrubbing.Store(c)
			scrubbers = append(scrubbers, c)
		}
		if !e.bearable(storage.ErrCorrupt) {
			t.Fatal("it is not put to them")
		}
		for i, c := range scrubbers {
			must(t, e.fault.failed())
			c.report(stores[i], <-c.again, i == explains)
		}
		if err := e.fault.failed(); (err != nil) != (explains < 0) {
			t.Errorf("explained by log %d: %v", explains, err)
		}
	}
}

func TestAComplaintThatALogCannotBeReadForIsNotHeldAgainstTheOthers(t *testing.T) {
	e, stores := several(t, mending(vfs.NewMem()), "", "a")
	read, occupied := &scrubber{again: make(chan errand, 1), clean: 1}, &scrubber{again: make(chan errand), clean: 1}
	stores[0].scrubbing.Store(read)
	stores[1].scrubbing.Store(occupied)
	if !e.bearable(storage.ErrCorrupt) {
		t.Fatal("it is not put to them")
	}
	read.report(stores[0], <-read.again, false)
	must(t, e.fault.failed()) // Pebble complains again
}
