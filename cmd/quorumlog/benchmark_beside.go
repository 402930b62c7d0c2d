package main

import (
	"context"
	"time"
)

// besideLoad appends while something else is measured. A nil one does nothing.
type besideLoad struct {
	load  *appendLoad
	over  chan error
	count uint64 // acknowledged at the last mark
	at    time.Time
}

// How large its entries are, and how long it runs before it counts.
const (
	besideSize    = 128
	besideSettles = time.Second
)

// load begins to append, if it is asked for.
func (r *recovering) load(ctx context.Context) *besideLoad {
	if r.options.outstanding == 0 {
		return nil
	}
	b := &besideLoad{over: make(chan error, 1), load: &appendLoad{
		to: r.client, entries: newSource(r.options.fill, besideSize), outstanding: r.options.outstanding, batch: 1, duration: votesWithin, timeout: time.Minute,
	}}
	go func() { b.over <- b.load.run(ctx) }()
	return b
}

// settle lets the load find its pace, and then measures it for twice as long.
func (b *besideLoad) settle(ctx context.Context) error {
	if b == nil {
		return nil
	}
	if err := b.goOn(ctx, besideSettles); err != nil {
		return err
	}
	b.mark()
	return b.goOn(ctx, 2*besideSettles)
}

// watch measures the load as it is now, for as long as settle does.
func (b *besideLoad) watch(ctx context.Context) (float64, error) {
	if b == nil {
		return 0, nil
	}
	if err := b.settle(ctx); err != nil {
		return 0, err
	}
	return b.mark(), nil
}

// goOn lets the load run.
func (b *besideLoad) goOn(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause):
		return nil
	case err := <-b.over:
		b.over <- err
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// mark returns how many entries a second were acknowledged since the last mark.
func (b *besideLoad) mark() float64 {
	if b == nil {
		return 0
	}
	count, now := b.load.done.Load(), time.Now()
	rate := rateOf(count-b.count, now.Sub(b.at))
	b.count, b.at = count, now
	return rate
}

// end ends the load, waits for what was begun, and returns what became of it.
func (b *besideLoad) end() error {
	if b == nil {
		return nil
	}
	b.load.stop()
	return <-b.over
}
