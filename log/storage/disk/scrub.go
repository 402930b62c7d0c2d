package disk

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
)

// scrubber reads all that is kept of a log, once after each start, and compares its checksums. A table that was damaged is found
// within minutes then, and not when its positions are next read, which may be when they are needed to replace another
// replica.
type scrubber struct {
	cancel context.CancelFunc
	done   chan struct{}
	again  chan errand  // why everything is to be read once more
	clean  log.Position // below it what was truncated is cut out
}

// How much is read at once, and how long the disk is left to others before it: 60 MiB/s at most, of all logs together. An iterator keeps
// what it reads from being deleted, so each lives for one portion only.
const (
	scrubPortion = 1 << 20
	scrubPause   = 16 * time.Millisecond
	scrubKeys    = 4096
)

func (s *Store) newScrubber() *scrubber {
	ctx, cancel := context.WithCancel(context.Background())
	c := &scrubber{cancel: cancel, done: make(chan struct{}), again: make(chan errand, 1), clean: 1}
	if !s.options.Scrub {
		close(c.done)
		return c
	}
	s.scrubbing.Store(c)
	go func() {
		defer close(c.done)
		for again := (errand{}); ; {
			damaged, ok := c.pass(ctx, s)
			c.report(s, again, damaged || !ok)
			if !ok || !s.options.Mend {
				return
			}
			select {
			case again = <-c.again:
			case <-ctx.Done():
				return
			}
		}
	}()
	return c
}

// pass reads everything once. It says whether something was damaged that may be mended, and whether it came to its end.
func (c *scrubber) pass(ctx context.Context, s *Store) (damaged, ok bool) {
	ok = c.run(ctx, s, func(from []byte) (next []byte, err error) {
		var last log.Position
		if kept := s.keys.record(log.Position(s.kept.Load())); s.keys.isRecord(from) && bytes.Compare(from, kept) < 0 {
			from = kept
		}
		cuts := s.damage.cuts.Load()
		err = s.fault.guard(func() error { next, last, err = s.scrubFrom(from); return err })
		if err == nil {
			return next, nil
		}
		if s.engine.mendable(err) && cuts != s.damage.cuts.Load() { // the owner was told by somebody else, and mends it: read once more
			return from, nil
		}
		if after, found := s.skip(from, last, err); found {
			damaged = true
			return after, nil
		}
		return nil, s.fault.fail(fmt.Errorf("scrub the disk: %w", err))
	})
	return damaged, ok
}

// skip returns where to go on behind records that are damaged, which are suspected now.
func (s *Store) skip(from []byte, last log.Position, err error) (next []byte, found bool) {
	if !s.engine.mendable(err) || !s.keys.isRecord(from) {
		return nil, false
	}
	if at, err := position(from); last == 0 && err == nil {
		last = at - 1
	}
	r, found, failed := s.extent(last + 1)
	if !found || failed != nil {
		return nil, false
	}
	s.damage.suspect(r.First, err)
	return s.keys.above(r.Last), true
}

// report says what a pass means for the complaint that it was made for, if there was one. Where no log explains that, the disk fails.
func (c *scrubber) report(s *Store, again errand, damaged bool) {
	if again.why == nil {
		return
	}
	explains := damaged || again.cuts != s.damage.cuts.Load() || c.cutTruncated(s)
	if again.why.answer(explains) {
		_ = s.fault.fail(fmt.Errorf("pebble works in the background: %w", again.why.err)) // the failure is kept
	}
}

// cutTruncated cuts out what was truncated. No read comes by that any more, but a compaction does, and may have met damage there.
// It says whether there was something to be cut out.
func (c *scrubber) cutTruncated(s *Store) bool {
	begin := log.Position(s.kept.Load())
	if c.clean >= begin {
		return false
	}
	c.clean = begin
	truncated := pebble.KeyRange{Start: s.keys.record(0), End: s.keys.record(begin)}
	return s.fault.guard(func() error { return s.cut(truncated) }) == nil
}

// end ends it, and waits for that. A nil one was never begun.
func (c *scrubber) end() {
	if c != nil {
		c.cancel()
		<-c.done
	}
}

// run calls scrub for one portion after the other, and says whether it came to the end. The logs take turns.
func (c *scrubber) run(ctx context.Context, s *Store, scrub func(from []byte) (next []byte, err error)) bool {
	for from, _ := s.keys.small(); ; {
		if !await(ctx, s.engine.turn) {
			return false
		}
		next, err := scrub(from)
		<-s.engine.turn
		if err != nil || next == nil {
			return err == nil
		}
		from = next
	}
}

// await takes the turn to read a portion, and leaves the disk its pause before it. It says whether to go on.
func await(ctx context.Context, turn chan struct{}) bool {
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	pause := time.NewTimer(scrubPause)
	defer pause.Stop()
	select {
	case <-pause.C:
		return true
	case <-ctx.Done():
		<-turn
		return false
	}
}

// scrubFrom reads a portion, and returns the key where the next one begins, nil at the end, and the last position whose record was right.
// Records are apart from all else, which nobody else can give again.
func (s *Store) scrubFrom(from []byte) (next []byte, last log.Position, err error) {
	records := s.keys.isRecord(from)
	_, to := s.keys.small()
	if records {
		to = s.keys.end(recordSpace)
	} else {
		next = s.keys.record(0)
	}
	err = iterate(s.db, from, to, func(i *pebble.Iterator) error {
		size, read := 0, 0
		for ok := i.First(); ok; ok = i.Next() {
			if size > scrubPortion || read > scrubKeys {
				next = bytes.Clone(i.Key())
				return nil
			}
			value, err := i.ValueAndErr()
			if err != nil {
				return err
			}
			if _, err := unseal(i.Key(), value); err != nil {
				return err
			}
			size, read = size+len(value), read+1
			if records {
				last, _ = position(i.Key()) // a key of another length has no checksum that is right
			}
		}
		return nil
	})
	return next, last, err
}
