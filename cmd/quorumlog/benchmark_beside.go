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
	for i, pause := range []time.Duration{besideSettles, 2 * besideSettles} {
		if i == 1 {
			b.mark()
		}
		select {
		case <-time.After(pause):
		case err := <-b.over:
			b.over <- err
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
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
