package disk

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/storage"
)

func one(p log.Position) interval.Set { return interval.Of(log.Span(p, 1)) }

func TestCheckOfASoundDiskFindsNothing(t *testing.T) {
	s := mustOpen(t, options("/data", vfs.NewMem()))
	defer mustClose(t, s)
	for p := log.Position(1); p <= 3000; p++ {
		must(t, s.Put(entry(p, "data")))
	}
	must(t, s.Learn(log.Span(1, 2000)))
	must(t, s.Truncate(501))
	var done, total uint64
	r, err := Check(s, func(d, of uint64) {
		if d <= done && done != of || d > of {
			t.Errorf("progress went from %d to %d of %d", done, d, of)
		}
		done, total = d, of
	})
	if err != nil || r.Damage != nil || r.Begin != 501 || r.End != 3000 || r.Records != 2500 || r.Learned.Len() != 1500 ||
		!r.Holes.Empty() || !r.Corrupt.Empty() || !r.Missing.Empty() {
		t.Errorf("got %+v, %v", r, err)
	}
	if done != 2500 || total != 2500 {
		t.Errorf("progress ended at %d of %d", done, total)
	}
}

func TestCheckOfAnEmptyDiskFindsNothing(t *testing.T) {
	s := mustOpen(t, options("/data", vfs.NewMem()))
	defer mustClose(t, s)
	if r, err := Check(s, nil); err != nil || r.Begin != 1 || r.End != 0 || r.Records != 0 || r.Damage != nil {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestCheckReportsEveryDamagedRecordAndGoesOn(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	for _, p := range []log.Position{1, 2, 3, 5, 6, 7} {
		must(t, s.Put(entry(p, "data")))
	}
	must(t, s.Put(log.Action{Position: 8, Promised: 9}))
	must(t, s.Learn(log.Span(1, 3)))
	flip(t, s, keys(0).record(2))
	flip(t, s, keys(0).record(6))
	mustClose(t, s)
	s = mustOpen(t, Options{Dir: "/data", FS: fs, ReadOnly: true})
	defer mustClose(t, s)
	r, err := Check(s, nil)
	if err != nil || !errors.Is(r.Damage, storage.ErrCorrupt) || r.End != 8 || r.Records != 5 || !r.Holes.Equal(one(4)) ||
		!r.Corrupt.Equal(interval.Of(log.Span(2, 1), log.Span(6, 1))) || !r.Missing.Equal(one(2)) {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestCheckReportsADamagedFile(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	for p := log.Position(1); p < 100; p++ {
		must(t, s.Put(entry(p, strings.Repeat("x", 10_000))))
	}
	must(t, s.db.Flush())
	mustClose(t, s)
	damage(t, fs, "/data", ".sst")
	s = mustOpen(t, Options{Dir: "/data", FS: fs, ReadOnly: true})
	defer mustClose(t, s)
	if r, err := Check(s, nil); err != nil || !errors.Is(r.Damage, storage.ErrCorrupt) {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestSummaryDoesNotReadLearnedRecords(t *testing.T) {
	s := mustOpen(t, options("/data", vfs.NewMem()))
	defer mustClose(t, s)
	for p := log.Position(1); p <= 9; p++ {
		must(t, s.Put(entry(p, "data")))
	}
	must(t, s.Learn(log.Span(1, 4)))
	must(t, s.Learn(log.Span(6, 3)))
	for _, p := range []log.Position{1, 2, 4, 6, 8} {
		flip(t, s, keys(0).record(p)) // whoever reads it will notice
	}
	got, err := s.Summary()
	if err != nil || got.Learned.Len() != 7 || !got.Unlearned.Equal(interval.Of(log.Span(5, 1), log.Span(9, 1))) {
		t.Errorf("got %+v, %v", got, err)
	}
}
