package discovery

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/log"
)

// Directory is what a source said last of each member. A member that it does not name any more stays where it was: a source that
// lost what it knew is no reason to forget.
type Directory struct {
	source Source
	log    zerolog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	told   chan struct{} // closed once the source said something
	first  sync.Once

	mu     sync.Mutex
	places Places
}

// How long a source that failed is left alone, and how long Close waits for it.
const (
	retryFirst    = 100 * time.Millisecond
	retryMost     = 5 * time.Second
	closePatience = 3 * time.Second
)

// Follow follows a source until Close.
func Follow(source Source, logger zerolog.Logger) *Directory {
	d := &Directory{source: source, log: logger, told: make(chan struct{}), places: make(Places)}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.keep("where the members are is not known anew", func(ctx context.Context) error { return source.Watch(ctx, d.found) })
	return d
}

// Announce makes known where a member is, until Close.
func (d *Directory) Announce(own Place) {
	d.keep("where this member is cannot be made known", func(ctx context.Context) error { return d.source.Announce(ctx, own) })
}

// Resolve returns where a member was said to be, the first one to be tried first; nothing where that was never said.
func (d *Directory) Resolve(id log.ReplicaID) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.places[id])
}

// Told is closed once the source said something.
func (d *Directory) Told() <-chan struct{} { return d.told }

// All returns every place that is known.
func (d *Directory) All() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for _, id := range slices.Sorted(maps.Keys(d.places)) {
		all = append(all, d.places[id]...)
	}
	return all
}

// Close takes back what was announced, and ends. A source that does not return is left behind after 3 s.
func (d *Directory) Close() {
	d.cancel()
	ended := make(chan struct{})
	go func() {
		d.work.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(closePatience):
		d.log.Warn().Msg("the discovery did not end in time")
	}
}

// found takes in what the source says, as far as it is possible.
func (d *Directory) found(said Places) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(said)) {
		one := make(Places)
		for _, address := range said[id] {
			one.Add(Place{id, address})
		}
		known := d.places[id]
		if len(one[id]) == 0 || slices.Equal(one[id], known) || known == nil && len(d.places) >= MaxMembers {
			continue
		}
		d.places[id] = one[id]
		d.log.Info().Uint16("replica", uint16(id)).Strs("at", one[id]).Msg("a member is said to be here")
	}
	d.first.Do(func() { close(d.told) })
}

// keep does something until Close, again after each fault. A fault is logged unless it is the one before.
func (d *Directory) keep(fault string, do func(context.Context) error) {
	d.work.Go(func() {
		said, pause := "", retryFirst
		for d.ctx.Err() == nil {
			began := time.Now()
			err := do(d.ctx)
			if d.ctx.Err() != nil {
				return
			}
			if time.Since(began) > retryMost {
				said, pause = "", retryFirst
			}
			if err != nil && err.Error() != said {
				said = err.Error()
				d.log.Warn().Err(err).Msg(fault)
			}
			select {
			case <-time.After(pause):
			case <-d.ctx.Done():
			}
			pause = min(2*pause, retryMost)
		}
	})
}
