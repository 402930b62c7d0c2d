package disk

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// mending are the options of a store whose owner mends what is damaged.
func mending(fs vfs.FS) Options {
	o := options("/data", fs)
	o.Mend = true
	return o
}

const tabled = 600

// tabledFiles are a log of which all is in tables, and all but its end is learned.
func tabledFiles(t *testing.T) (files, []log.Action) {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	var all []log.Action
	for p := log.Position(1); p <= tabled; p++ {
		data := make([]byte, 10+(uint64(p)*7919)%900)
		for i := range data {
			data[i] = byte(uint64(i) * uint64(p) >> 3)
		}
		all = append(all, entry(p, string(data)))
		must(t, s.Put(all[p-1]))
		if p == tabled/2 {
			must(t, s.Sync())
			must(t, s.db.Flush())
		}
	}
	must(t, s.Learn(log.Span(1, tabled-20)))
	must(t, s.Sync())
	must(t, s.db.Flush())
	must(t, s.db.Compact(context.Background(), []byte{0}, []byte{0xff}, false))
	mustClose(t, s)
	return filesOf(t, fs), all
}

// recordTables are the tables of records. The few keys before them have tables of their own, which nobody can mend.
func recordTables(f files) files {
	tables := files{}
	for name, data := range f {
		if strings.HasSuffix(name, ".sst") && len(data) > 10_000 {
			tables[name] = data
		}
	}
	return tables
}

// TestDamagedRecordsAreMended flips one bit of a table after the other. Either a start or a read says that the directory is
// damaged, or the damaged records are written anew, and then nothing is wrong any more, compactions and starts included.
func TestDamagedRecordsAreMended(t *testing.T) {
	p := planned(t)
	original, all := tabledFiles(t)
	mended, failed, unseen := 0, 0, 0
	for name, data := range recordTables(original) {
		for range 60 * p.rounds {
			f := maps.Clone(original)
			f.flip(name, p.random.IntN(len(data)))
			switch n, err := mendAll(t, f.crashable(t), all, p.random); {
			case errors.Is(err, storage.ErrCorrupt):
				failed++
			case err != nil:
				t.Fatal(err)
			case n == 0:
				unseen++
			default:
				mended++
			}
		}
		t.Logf("%s with %d bytes: %d mended, %d ended the store, %d changed nothing", name, len(data), mended, failed, unseen)
	}
	if mended < 5*failed {
		t.Errorf("%d damages were mended, and %d ended the store", mended, failed)
	}
}

// mendAll reads the whole log and mends what is damaged, often in pieces and with a crash between them, until all of it is right.
func mendAll(t *testing.T, fs *vfs.MemFS, all []log.Action, random *rand.Rand) (mended int, err error) {
	s, err := Open(mending(fs))
	if err != nil {
		return 0, err
	}
	for {
		got, err := contentOf(s)
		var d storage.Damage
		if !errors.As(err, &d) {
			if err != nil {
				_ = s.Close()
				return mended, err
			}
			if !reflect.DeepEqual(got, unmarked(all)) {
				t.Fatalf("%d records are not what was written", len(got))
			}
			break
		}
		if mended++; mended > 40 {
			t.Fatalf("it is damaged again and again: %v", err)
		}
		set, err := s.Damaged()
		must(t, err)
		if last, _ := set.Last(); last > tabled-20 {
			t.Fatalf("%v are to be mended, and not all of it is learned", set)
		}
		if !set.Covers(d.Range) {
			t.Fatalf("%v are said to be damaged, not %v", set, d.Range)
		}
		piece := set.Runs()[0]
		if random.IntN(2) == 0 {
			piece.First += log.Position(random.Uint64N(piece.Len()))
			piece.Last = piece.First + log.Position(random.Uint64N(piece.Len()))
		}
		if err := s.Mend(all[piece.First-1 : piece.Last]...); err != nil {
			_ = s.Close()
			return mended, err
		}
		if random.IntN(2) == 0 {
			after := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
			mustClose(t, s)
			fs = after
			s = mustOpen(t, mending(fs))
		}
	}
	if mended > 0 {
		must(t, s.db.Compact(context.Background(), []byte{0}, []byte{0xff}, false))
	}
	mustClose(t, s)
	s = mustOpen(t, options("/data", fs)) // where damage would be the end
	defer mustClose(t, s)
	r, err := Check(s, nil)
	must(t, errors.Join(err, r.Damage))
	if !r.Missing.Empty() || r.Records != tabled {
		t.Fatalf("%d records, %v are missing", r.Records, r.Missing)
	}
	return mended, nil
}

// unmarked are records as Scan gives them.
func unmarked(all []log.Action) []log.Action {
	got := slices.Clone(all)
	for i := range got {
		got[i].Learned = got[i].Position <= tabled-20
	}
	return got
}

func contentOf(s *Store) (got []log.Action, err error) {
	err = s.Scan(log.Span(1, tabled), func(a log.Action) bool {
		got = append(got, a)
		return true
	})
	return got, err
}

// TestWhatRotsBelowTheBeginOfTheLogIsCutOut damages a record that is truncated before anybody reads it: only compactions meet it.
func TestWhatRotsBelowTheBeginOfTheLogIsCutOut(t *testing.T) {
	const begin = tabled - 10
	f, _ := tabledFiles(t)
	for name, data := range recordTables(f) {
		f.flip(name, len(data)/2)
	}
	fs := f.crashable(t)
	s := mustOpen(t, mending(fs))
	c := &scrubber{again: make(chan errand, 1), clean: 1}
	s.scrubbing.Store(c)
	must(t, s.Truncate(begin))
	s.reclaim.pending.Wait()
	if err := s.db.Compact(context.Background(), []byte{0}, []byte{0xff}, false); err == nil {
		t.Fatal("no compaction came by what is damaged")
	}
	if damaged, ok := c.pass(context.Background(), s); damaged || !ok {
		t.Fatalf("a scrub came to its end: %v, and found damage: %v", ok, damaged)
	}
	c.report(s, <-c.again, false)
	must(t, s.db.Compact(context.Background(), []byte{0}, []byte{0xff}, false))
	mustClose(t, s)
	s = mustOpen(t, options("/data", fs))
	defer mustClose(t, s)
	if r, err := Check(s, nil); err != nil || r.Damage != nil || r.Begin != begin || r.Records != tabled-begin+1 {
		t.Errorf("%d records from %d on, %v, %v", r.Records, r.Begin, r.Damage, err)
	}
}

// TestAComplaintThatIsNotExplainedEndsTheStore has Pebble complain where nothing is damaged.
func TestAComplaintThatIsNotExplainedEndsTheStore(t *testing.T) {
	f, _ := tabledFiles(t)
	s := mustOpen(t, mending(f.crashable(t)))
	defer mustClose(t, s)
	c := &scrubber{clean: 1}
	c.report(s, errand{complaintTo(1), s.damage.cuts.Load() + 1}, false)
	must(t, s.fault.failed())
	c.report(s, errand{complaintTo(1), s.damage.cuts.Load()}, false)
	if err := s.fault.failed(); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("it goes on: %v", err)
	}
}

// complaintTo is one that so many logs are read for.
func complaintTo(logs int32) *complaint {
	c := &complaint{err: storage.ErrCorrupt}
	c.left.Store(logs)
	return c
}

// TestAReaderIsToldOfWhatIsCutOutBesideIt has records cut out after a reader has begun: it may have met a gap.
func TestAReaderIsToldOfWhatIsCutOutBesideIt(t *testing.T) {
	f, _ := tabledFiles(t)
	s := mustOpen(t, mending(f.crashable(t)))
	defer mustClose(t, s)
	var d storage.Damage
	err := s.Reader().Scan(log.Span(1, tabled), func(a log.Action) bool {
		if a.Position == 1 {
			must(t, s.cut(pebble.KeyRange{Start: keys(0).record(500), End: keys(0).record(501)}))
		}
		return a.Position < 300
	})
	if !errors.As(err, &d) {
		t.Errorf("it is told of nothing: %v", err)
	}
}

// TestTheRecordBeforeDamagedOnesIsNotLost mends the last record of a damaged run only: no other member has the first one.
func TestTheRecordBeforeDamagedOnesIsNotLost(t *testing.T) {
	f, all := tabledFiles(t)
	for name, data := range recordTables(f) {
		f.flip(name, len(data)/2)
	}
	fs := f.crashable(t)
	s := mustOpen(t, mending(fs))
	var d storage.Damage
	if _, err := contentOf(s); !errors.As(err, &d) || d.Range.Len() < 2 {
		t.Fatalf("the run %v is damaged, %v", d.Range, err)
	}
	must(t, s.Mend(all[d.Range.Last-1]))
	for _, when := range []string{"at once", "after a crash, mended again"} {
		a, is, err := s.Get(d.Range.First)
		if err != nil || !is || !a.Value.Equal(all[d.Range.First-1].Value) {
			t.Errorf("%s the record at %d is %v, %v, %v", when, d.Range.First, a, is, err)
		}
		after := fs.CrashClone(vfs.CrashCloneCfg{})
		mustClose(t, s)
		s = mustOpen(t, mending(after))
		set, err := s.Damaged() // the crash may have left what was mended before
		last, found := set.Last()
		if err != nil || !found {
			t.Fatalf("after the crash %v is damaged, %v", set, err)
		}
		must(t, s.Mend(all[last-1]))
	}
	mustClose(t, s)
}
