package history_test

import (
	"sync"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

// standing is a clock that stands still.
func standing() time.Duration { return 5 }

func TestWhatWasOverBeforeACallWasOverEarlier(t *testing.T) {
	r := history.NewRecorder(standing)
	a := r.Begin(history.Operation{Kind: history.Append})
	r.End(a, func(o *history.Operation) { o.Outcome = history.Succeeded })
	b := r.Begin(history.Operation{Kind: history.Append})
	if a.Return >= b.Call {
		t.Errorf("one was over at %d, and the next began at %d", a.Return, b.Call)
	}
}

func TestAHistoryDoesNotChangeWhenMoreHappens(t *testing.T) {
	r := history.NewRecorder(standing)
	o := r.Begin(history.Operation{Kind: history.Append})
	h := r.History()
	r.Know(1, log.Value{Kind: log.NOP})
	r.End(o, func(o *history.Operation) { o.Outcome = history.Succeeded })
	r.Begin(history.Operation{Kind: history.Read})
	if len(h.Operations) != 1 || h.Operations[0].Return != history.Never || len(h.Known) != 0 {
		t.Errorf("the history has changed: %v, %v", h.Operations, h.Known)
	}
}

func TestManyMayRecordAtOnce(t *testing.T) {
	const recorders, each = 8, 100
	r := history.NewRecorder(standing)
	var all sync.WaitGroup
	for range recorders {
		all.Go(func() {
			for range each {
				r.End(r.Begin(history.Operation{Kind: history.Elect}), func(o *history.Operation) { o.Outcome = history.Rejected })
			}
		})
	}
	all.Wait()
	if got := r.History().Count(history.Elect, history.Rejected); got != recorders*each {
		t.Errorf("want %d operations, got %d", recorders*each, got)
	}
}
