package disk

import (
	"context"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/log"
)

// reclaimer gives the bytes of a log's truncated records back to the system. Pebble would get to it by itself, but only once
// enough was written since.
type reclaimer struct {
	begins  chan log.Position // the newest begin that is to be seen to; the ones before it are contained in it
	pending sync.WaitGroup    // begins that are not seen to
	cancel  context.CancelFunc
	done    chan struct{}
}

func newReclaimer(db *pebble.DB, k keys, f *fault, l zerolog.Logger) *reclaimer {
	ctx, cancel := context.WithCancel(context.Background())
	r := &reclaimer{begins: make(chan log.Position, 1), cancel: cancel, done: make(chan struct{})}
	go r.run(ctx, func(begin log.Position) {
		err := f.guard(func() error { return db.Compact(ctx, k.record(0), k.record(begin), false) })
		if err != nil && ctx.Err() == nil {
			l.Warn().Err(err).Uint64("begin", uint64(begin)).Msg("truncated bytes were not given back")
		}
	})
	return r
}

func (r *reclaimer) run(ctx context.Context, compact func(log.Position)) {
	defer close(r.done)
	for {
		select {
		case begin := <-r.begins:
			compact(begin)
			r.pending.Done()
		case <-ctx.Done():
			return
		}
	}
}

// end ends it, and waits for that. A nil one was never begun.
func (r *reclaimer) end() {
	if r != nil {
		r.cancel()
		<-r.done
	}
}

// below asks for the bytes of every record below a position. Only one goroutine calls it.
func (r *reclaimer) below(begin log.Position) {
	select {
	case <-r.begins:
	default:
		r.pending.Add(1)
	}
	r.begins <- begin // has room: nobody else puts in
}
