package process

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
)

// appendTimeout is the deadline of every append of a load.
const appendTimeout = 10 * time.Second

// Load is workers that append, each one entry after the other, and remember what became of each.
type Load struct {
	client       *cluster.Client
	began        time.Time
	acknowledged atomic.Int64
	over         chan struct{} // closed when no worker is to begin another append
	stop         func()        // closes over
	workers      sync.WaitGroup

	mu      sync.Mutex
	history History // of the workers that have ended
}

// StartLoad starts a load. It ends with the test, if Stop has not ended it before.
func StartLoad(t testing.TB, client *cluster.Client, workers int) *Load {
	over := make(chan struct{})
	l := &Load{client: client, began: time.Now(), over: over, stop: sync.OnceFunc(func() { close(over) })}
	ctx, cancel := context.WithCancel(context.Background())
	for worker := range workers {
		l.workers.Go(func() { l.work(ctx, worker+1) })
	}
	t.Cleanup(func() {
		cancel()
		l.Stop()
	})
	return l
}

// Acknowledged is how many appends were acknowledged so far.
func (l *Load) Acknowledged() int64 { return l.acknowledged.Load() }

// Since is the time since the load began.
func (l *Load) Since() time.Duration { return time.Since(l.began) }

// Stop lets every worker finish what it has begun, and returns all that was seen.
func (l *Load) Stop() History {
	l.stop()
	l.workers.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.history)
}

// Finish is Stop, and one more append that is tried until it is acknowledged. Everything at or below its position is
// decided then, once and for all.
func (l *Load) Finish(ctx context.Context) (History, error) {
	history := l.Stop()
	for sequence := 1; ; sequence++ {
		last := l.append(ctx, 0, sequence)
		history = append(history, last)
		if last.Outcome == Acknowledged || ctx.Err() != nil {
			return history, last.Err
		}
	}
}

func (l *Load) work(ctx context.Context, worker int) {
	var mine History
	for sequence := 1; !l.stopped(); sequence++ {
		mine = append(mine, l.append(ctx, worker, sequence))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.history = append(l.history, mine...)
}

func (l *Load) stopped() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

func (l *Load) append(ctx context.Context, worker, sequence int) Operation {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	o := Operation{Worker: worker, Sequence: sequence, Call: l.Since()}
	o.Position, o.Err = l.client.Append(ctx, []byte(o.Entry()))
	o.Return, o.Outcome = l.Since(), outcome(o.Err)
	if o.Outcome == Acknowledged {
		l.acknowledged.Add(1)
	}
	return o
}

// outcome says what an error means: after any but ErrIndeterminate, the entry is not in the log.
func outcome(err error) Outcome {
	switch {
	case err == nil:
		return Acknowledged
	case errors.Is(err, cluster.ErrIndeterminate):
		return Indeterminate
	}
	return Failed
}
