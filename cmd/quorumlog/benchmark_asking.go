package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
)

// asking is a client that appends, one entry after the other, and goes on whatever becomes of one.
type asking struct {
	stop  context.CancelFunc
	over  chan struct{}
	heard chan time.Time // when the append began that was acknowledged last

	mu      sync.Mutex
	last    time.Time     // when an append was acknowledged last
	longest time.Duration // between two of them

	indeterminate, failed int // read them once it is over
}

// askingPatience is how long an append may not be acknowledged at all.
const askingPatience = 30 * time.Second

func ask(ctx context.Context, l *benchmarkLog) *asking {
	ctx, stop := context.WithCancel(ctx)
	a := &asking{stop: stop, over: make(chan struct{}), heard: make(chan time.Time, 1), last: time.Now()}
	go a.run(ctx, l.client)
	return a
}

func (a *asking) run(ctx context.Context, client *cluster.Client) {
	defer close(a.over)
	entry := make([]byte, 128)
	for ctx.Err() == nil {
		began := time.Now()
		switch _, err := client.Append(ctx, entry); {
		case err == nil:
			a.acknowledged(began)
		case ctx.Err() != nil:
		case errors.Is(err, cluster.ErrIndeterminate):
			a.indeterminate++
		default:
			a.failed++
		}
	}
}

func (a *asking) acknowledged(began time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.longest, a.last = max(a.longest, now.Sub(a.last)), now
	select {
	case <-a.heard: // whoever waits wants the last one
	default:
	}
	a.heard <- began
}

// untilOne waits until an append is acknowledged that began after since, and returns how long after that it was.
func (a *asking) untilOne(ctx context.Context, since time.Time) (time.Duration, error) {
	late := time.NewTimer(askingPatience)
	defer late.Stop()
	for {
		select {
		case began := <-a.heard:
			if began.After(since) {
				return time.Since(since), nil
			}
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-late.C:
			return 0, fmt.Errorf("%w: no append was acknowledged in %s", cluster.ErrNoQuorum, askingPatience)
		}
	}
}

// forget begins to look for the longest time between two acknowledgements.
func (a *asking) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.longest = 0
}

// longestUntilOne is the longest time between two acknowledgements, until one of an append that begins now.
func (a *asking) longestUntilOne(ctx context.Context) (time.Duration, error) {
	_, err := a.untilOne(ctx, time.Now())
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.longest, err
}

// end ends the client, and waits for that.
func (a *asking) end() {
	a.stop()
	<-a.over
}
