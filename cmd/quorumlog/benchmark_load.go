package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// target is what a load appends to: a *cluster.Client, or a *cluster.Writer.
type target interface {
	AppendBatch(ctx context.Context, entries [][]byte) (log.Position, error)
}

// appendLoad appends with so many goroutines, each of which waits for one append before it makes the next.
type appendLoad struct {
	to          target
	entries     *source
	outstanding int
	batch       int           // entries of one append; more than one is for filling a log, not for measuring
	count       uint64        // how many entries; 0: as many as there is time for
	duration    time.Duration // for how long; 0: until count is reached
	timeout     time.Duration // of one append

	began   time.Time
	took    time.Duration // until the last acknowledgement, once it is over
	next    atomic.Uint64 // entries that somebody appends
	done    atomic.Uint64 // entries that are acknowledged
	bytes   atomic.Uint64 // of those
	latency latencies     // each append
	stopped atomic.Bool   // nobody begins another append
}

// run appends until it has done all, the time is over, or it is stopped. What was begun then is waited for. It ends with
// the first error, or with that of the context.
func (l *appendLoad) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	l.began = time.Now()
	if l.duration > 0 {
		over := time.AfterFunc(l.duration, l.stop)
		defer over.Stop()
	}
	var workers sync.WaitGroup
	for range l.outstanding {
		workers.Go(func() {
			if err := safely(func() error { return l.work(ctx) }); err != nil {
				cancel(err)
			}
		})
	}
	workers.Wait()
	l.took = time.Since(l.began)
	return context.Cause(ctx)
}

// stop has the load end.
func (l *appendLoad) stop() { l.stopped.Store(true) }

// work appends one batch after the other.
func (l *appendLoad) work(ctx context.Context) error {
	batch := make([][]byte, 0, l.batch)
	for ctx.Err() == nil && !l.stopped.Load() {
		first := l.next.Add(uint64(l.batch)) - uint64(l.batch)
		if l.count > 0 && first >= l.count {
			return nil
		}
		batch = batch[:0]
		size := 0
		for i := first; i < first+uint64(l.batch) && (l.count == 0 || i < l.count); i++ {
			batch = append(batch, l.entries.at(i))
			size += len(batch[len(batch)-1])
		}
		began := time.Now()
		if err := l.append(ctx, batch); err != nil {
			return err
		}
		l.latency.add(time.Since(began))
		l.done.Add(uint64(len(batch)))
		l.bytes.Add(uint64(size))
	}
	return nil
}

// append waits while the member says that it is busy: the entries are not in the log then.
func (l *appendLoad) append(ctx context.Context, batch [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	for {
		_, err := l.to.AppendBatch(ctx, batch)
		if err == nil {
			return nil
		}
		if !errors.Is(err, cluster.ErrBusy) {
			return fmt.Errorf("append: %w", err)
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("append: %w", err)
		}
	}
}

// watched runs the load, and shows how far it is.
func (l *appendLoad) watched(ctx context.Context, bar *progress) error {
	over := make(chan error, 1)
	go func() { over <- l.run(ctx) }()
	tick := time.NewTicker(barPause)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case err := <-over:
			bar.end()
			return err
		case <-tick.C:
			elapsed := time.Since(began)
			bar.relabel(fmt.Sprintf("append %s/s ", thousands(rateOf(l.done.Load(), elapsed))))
			if l.count > 0 {
				bar.set(min(l.done.Load(), l.count))
			} else {
				bar.set(uint64(min(elapsed, l.duration).Seconds()))
			}
		}
	}
}

// bar begins to show how far the load is.
func (l *appendLoad) bar(p *program) *progress {
	if l.count > 0 {
		return p.progress("append", entriesUnit, l.count)
	}
	return p.progress("append", secondsUnit, uint64(l.duration.Seconds()))
}

// What the progress of a benchmark counts.
const (
	entriesUnit = "entries"
	secondsUnit = "seconds"
)

// relabel changes what stands before the bar.
func (g *progress) relabel(text string) {
	if g != nil {
		g.label = text
	}
}
