package measure_test

import (
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/measure"
)

func TestHistogramCountsEachValueUnderItsBound(t *testing.T) {
	h := measure.NewHistogram([]uint64{10, 20})
	for _, v := range []int64{-1, 0, 10, 11, 20, 21, 1000} {
		h.Observe(v)
	}
	if want := []uint64{3, 2, 2}; !slices.Equal(h.Counts(), want) || h.Sum() != 1062 {
		t.Errorf("counted %v, sum %d; want %v, 1062", h.Counts(), h.Sum(), want)
	}
}

func TestQuantileLiesInItsBucket(t *testing.T) {
	bounds := []uint64{10, 20, 40}
	for _, r := range []struct {
		q      float64
		counts []uint64
		want   float64
		known  bool
	}{
		{0.99, []uint64{0, 0, 0, 0}, 0, false},
		{0.50, []uint64{10, 0, 0, 0}, 5, true},
		{0.99, []uint64{50, 50, 0, 0}, 19.8, true},
		{0.50, []uint64{0, 0, 10, 0}, 30, true},
		{0.99, []uint64{0, 0, 0, 7}, 40, true},
		{0.99, []uint64{1, 2}, 0, false},
	} {
		if got, known := measure.Quantile(r.q, bounds, r.counts); got != r.want || known != r.known {
			t.Errorf("quantile %v of %v is %v, %v; want %v, %v", r.q, r.counts, got, known, r.want, r.known)
		}
	}
}

func TestEventsKeepTheLastOnesAndSayHowManyWereMissed(t *testing.T) {
	now := time.Unix(1, 0)
	events := measure.New(now).Events
	for range measure.MaxEvents + 10 {
		events.Note(measure.Event{At: now, Kind: measure.Recovered})
	}
	page, missed := events.After(3, 5)
	if missed != 7 || len(page) != 5 || page[0].Sequence != 11 || page[4].Sequence != 15 {
		t.Fatalf("missed %d, got %v", missed, page)
	}
	page, missed = events.After(measure.MaxEvents+8, 5)
	if missed != 0 || len(page) != 2 || page[1].Sequence != measure.MaxEvents+10 {
		t.Fatalf("missed %d, got %v", missed, page)
	}
	if page, missed = events.After(1<<64-1, 5); missed != 0 || len(page) != 0 {
		t.Fatalf("missed %d, got %v", missed, page)
	}
}

func TestProgressIsNotedOnceASecond(t *testing.T) {
	now := time.Unix(1, 0)
	events := measure.New(now).Events
	for i := range 25 {
		events.NoteProgress(now.Add(time.Duration(i)*100*time.Millisecond), measure.Progress{Total: 30, Done: uint64(i)})
	}
	if page, _ := events.After(0, 100); len(page) != 3 || page[1].Progress.Done != 10 {
		t.Errorf("noted %v", page)
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	m := measure.New(time.Unix(1, 0))
	if n := testing.AllocsPerRun(100, func() {
		m.Appends.Add(0, 1)
		m.AppendTime.Observe(12345)
		m.Batches.Observe(7)
		m.Waiting.Bytes.Set(9)
	}); n != 0 {
		t.Errorf("counting one append allocates %v times", n)
	}
}

// What an append costs more because it is counted: go test -bench . ./actors/measure
func BenchmarkCountingAnAppend(b *testing.B) {
	m := measure.New(time.Now())
	for b.Loop() {
		began := time.Now()
		m.Appends.Add(0, 1)
		m.Waiting.Bytes.Set(0)
		m.Searching.Bytes.Set(0)
		m.Batches.Observe(1)
		m.Writes.Add(int(measure.Granted), 1)
		m.AppendTime.Observe(int64(time.Since(began)))
	}
}
