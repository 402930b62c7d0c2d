package storagetest

import (
	"errors"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

func readerSeesTheRecords(r *rig) {
	reader := r.store.Reader()
	r.put(entries(1, 5)...)
	r.learn(1, 5)
	r.truncate(2)
	var seen []log.Action
	r.must(reader.Scan(log.Span(1, 4), func(a log.Action) bool {
		a.Value.Data = slices.Clone(a.Value.Data)
		seen = append(seen, a)
		return true
	}))
	if want := entries(2, 4); !slices.EqualFunc(seen, want, same) {
		r.Errorf("got %+v, want %+v", seen, want)
	}
	r.must(reader.Scan(log.Range{}, func(log.Action) bool { r.Error("something is in an empty range"); return false }))
}

func readerEndsWhenToldTo(r *rig) {
	r.put(entries(1, 5)...)
	n := 0
	r.must(r.store.Reader().Scan(log.Span(1, 5), func(log.Action) bool { n++; return n < 2 }))
	if n != 2 {
		r.Errorf("visited %d records", n)
	}
}

// readerBesideItsStore has a goroutine read while records are written and dropped: it must see no gap.
func readerBesideItsStore(r *rig) {
	const last = 400
	reader, ended := r.store.Reader(), make(chan struct{})
	go func() {
		defer close(ended)
		for end := log.Position(0); end < last; {
			before := log.Position(0)
			err := reader.Scan(log.Range{First: 1, Last: last}, func(a log.Action) bool {
				if before > 0 && a.Position != before+1 || string(a.Value.Data) != "entry" {
					r.Errorf("%d with %q after %d", a.Position, a.Value.Data, before)
				}
				before = a.Position
				return true
			})
			if err != nil || before < end {
				r.Errorf("it reads up to %d, %v, and before that up to %d", before, err, end)
				return
			}
			end = before
		}
	}()
	for p := log.Position(1); p <= last; p += 4 {
		r.put(entries(p, p+3)...)
		if p > 20 {
			r.truncate(p - 20)
		}
	}
	<-ended
}

func readerOfAClosedStore(r *rig) {
	reader := r.store.Reader()
	r.put(entries(1, 2)...)
	r.must(r.store.Close())
	err := reader.Scan(log.Span(1, 2), func(log.Action) bool { r.Error("it reads on"); return true })
	if !errors.Is(err, storage.ErrClosed) {
		r.Errorf("got %v", err)
	}
}
