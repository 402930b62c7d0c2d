package disk

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log"
)

// flushed is a store with so many flushes, each of which has records above those before it, and what a replica changes with them.
func flushed(t *testing.T, flushes int) *Store {
	t.Helper()
	s := mustOpen(t, options("data", vfs.NewMem()))
	t.Cleanup(func() { mustClose(t, s) })
	for i := range flushes {
		p := log.Position(i + 1)
		must(t, s.Put(entry(p, fmt.Sprint("entry ", p))))
		must(t, s.Learn(log.Range{First: p, Last: p}))
		must(t, s.Sync())
		must(t, s.db.Flush())
	}
	return s
}

func TestRecordsAreInTablesOfTheirOwn(t *testing.T) {
	s := flushed(t, 3)
	levels, err := s.db.SSTables()
	must(t, err)
	records := 0
	for _, tables := range levels {
		for _, table := range tables {
			first, last := table.Smallest.UserKey, table.Largest.UserKey
			if (first[0] == recordSpace) != (last[0] == recordSpace) {
				t.Errorf("a table reaches from %x to %x", first, last)
			}
			if first[0] == recordSpace {
				records++
			}
		}
	}
	if records != 3 {
		t.Errorf("%d tables hold the records of 3 flushes", records)
	}
}

func TestRecordsBesideEachOtherAreNotCompacted(t *testing.T) {
	const flushes = compactAt * 3 / 4
	if m := flushed(t, flushes).db.Metrics(); m.Compact.DefaultCount > 0 {
		t.Errorf("after %d flushes there are %d compactions", flushes, m.Compact.DefaultCount)
	}
}

func TestRecordsOfEachLogAreInTablesOfTheirOwn(t *testing.T) {
	e, stores := several(t, options("data", vfs.NewMem()), "", "a", "b")
	for range 3 {
		for _, s := range stores {
			must(t, s.Put(entry(s.metadata.Begin, "data")))
			must(t, s.Learn(log.Span(1, 1)))
			must(t, s.Sync())
		}
		must(t, e.db.Flush())
	}
	must(t, e.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false))
	levels, err := e.db.SSTables()
	must(t, err)
	logs := map[string]int{}
	for _, tables := range levels {
		for _, table := range tables {
			first, last := spaceOf(table.Smallest.UserKey), spaceOf(table.Largest.UserKey)
			if first != last {
				t.Errorf("a table reaches from %x to %x", table.Smallest.UserKey, table.Largest.UserKey)
			}
			logs[first]++
		}
	}
	if len(logs) != 4 {
		t.Errorf("the tables are %v", logs)
	}
}

// spaceOf tells the records of each log from all else.
func spaceOf(key []byte) string {
	for k := range keys(3) {
		if key[0] >= recordSpace && string(key[:headOf(key)]) == string(k.key(recordSpace)) {
			return fmt.Sprint("records of ", k)
		}
	}
	return "small"
}
