package disk

import (
	"context"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// scrubber reads all that is kept, once after each start, and compares its checksums. A table that was damaged is found
// within minutes then, and not when its positions are next read, which may be when they are needed to replace another
// replica.
type scrubber struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// How much is read at once, and how long the disk is left to others after it: 60 MiB/s at most. An iterator keeps what it
// reads from being deleted, so each lives for one portion only.
const (
	scrubPortion = 1 << 20
	scrubPause   = 16 * time.Millisecond
	scrubKeys    = 4096
)

func newScrubber(db *pebble.DB, f *fault, wanted bool) *scrubber {
	ctx, cancel := context.WithCancel(context.Background())
	s := &scrubber{cancel: cancel, done: make(chan struct{})}
	if !wanted {
		close(s.done)
		return s
	}
	go func() {
		defer close(s.done)
		s.run(ctx, func(from []byte) (next []byte, err error) {
			err = f.guard(func() error { next, err = scrub(db, from); return err })
			if err != nil {
				err = f.fail(fmt.Errorf("scrub the disk: %w", err))
			}
			return next, err
		})
	}()
	return s
}

// end ends it, and waits for that. A nil one was never begun.
func (s *scrubber) end() {
	if s != nil {
		s.cancel()
		<-s.done
	}
}

func (s *scrubber) run(ctx context.Context, scrub func(from []byte) (next []byte, err error)) {
	again := time.NewTimer(0)
	defer again.Stop()
	for from := []byte{0}; ; {
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
		next, err := scrub(from)
		if err != nil || next == nil {
			return
		}
		from = next
		again.Reset(scrubPause)
	}
}

// scrub reads a portion, and returns the key where the next one begins; nil at the end.
func scrub(db *pebble.DB, from []byte) (next []byte, err error) {
	err = iterate(db, from, []byte{recordSpace + 1}, func(i *pebble.Iterator) error {
		bytes, keys := 0, 0
		for ok := i.First(); ok; ok = i.Next() {
			if bytes > scrubPortion || keys > scrubKeys {
				next = append(next, i.Key()...)
				return nil
			}
			value, err := i.ValueAndErr()
			if err != nil {
				return err
			}
			if _, err := unseal(i.Key(), value); err != nil {
				return err
			}
			bytes, keys = bytes+len(value), keys+1
		}
		return nil
	})
	return next, err
}
