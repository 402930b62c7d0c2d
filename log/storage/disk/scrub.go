package disk

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
)

// scrubber reads all that is kept, once after each start, and compares its checksums. A table that was damaged is found
// within minutes then, and not when its positions are next read, which may be when they are needed to replace another
// replica.
type scrubber struct {
	cancel context.CancelFunc
	done   chan struct{}
	again  chan complaint // why everything is to be read once more
	clean  log.Position   // below it what was truncated is cut out
}

// complaint is damage that Pebble has met in the background.
type complaint struct {
	err  error
	cuts uint64 // that had begun by then
}

// How much is read at once, and how long the disk is left to others after it: 60 MiB/s at most. An iterator keeps what it
// reads from being deleted, so each lives for one portion only.
const (
	scrubPortion = 1 << 20
	scrubPause   = 16 * time.Millisecond
	scrubKeys    = 4096
)

func (s *Store) newScrubber() *scrubber {
	ctx, cancel := context.WithCancel(context.Background())
	c := &scrubber{cancel: cancel, done: make(chan struct{}), again: make(chan complaint, 1), clean: 1}
	if !s.options.Scrub {
		close(c.done)
		return c
	}
	s.scrubbing.Store(c)
	go func() {
		defer close(c.done)
		for again := (complaint{}); ; {
			damaged, ok := c.pass(ctx, s)
			if ok && !damaged {
				c.unexplained(s, again)
			}
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
	ok = c.run(ctx, func(from []byte) (next []byte, err error) {
		var last log.Position
		if kept := recordKey(log.Position(s.kept.Load())); from[0] == recordSpace && bytes.Compare(from, kept) < 0 {
			from = kept
		}
		cuts := s.damage.cuts.Load()
		err = s.fault.guard(func() error { next, last, err = scrub(s.db, from); return err })
		if err == nil {
			return next, nil
		}
		if s.mendable(err) && cuts != s.damage.cuts.Load() { // the owner was told by somebody else, and mends it: read once more
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
	if !s.mendable(err) || from[0] != recordSpace {
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
	return upperKey(r.Last), true
}

// unexplained handles a complaint after a pass that found nothing. What Pebble has met may be cut out by now, or truncated: no read
// comes by that any more, but a compaction does, so it is cut out as well. Else the store fails.
func (c *scrubber) unexplained(s *Store, why complaint) {
	if why.err == nil || why.cuts != s.damage.cuts.Load() {
		return
	}
	if begin := log.Position(s.kept.Load()); c.clean < begin {
		c.clean = begin
		truncated := pebble.KeyRange{Start: recordKey(0), End: recordKey(begin)}
		if err := s.fault.guard(func() error { return s.cut(truncated) }); err == nil {
			return
		}
	}
	_ = s.fault.fail(fmt.Errorf("pebble works in the background: %w", why.err)) // the failure is kept
}

// rescrub has everything read again, since Pebble has met damage. It says whether that will be.
func (s *Store) rescrub(why error) bool {
	c := s.scrubbing.Load()
	if c == nil {
		return false
	}
	select {
	case c.again <- complaint{why, s.damage.cuts.Load()}:
	default: // it will be, for another reason
	}
	return true
}

// end ends it, and waits for that. A nil one was never begun.
func (c *scrubber) end() {
	if c != nil {
		c.cancel()
		<-c.done
	}
}

// run calls scrub for one portion after the other, and says whether it came to the end.
func (c *scrubber) run(ctx context.Context, scrub func(from []byte) (next []byte, err error)) bool {
	again := time.NewTimer(0)
	defer again.Stop()
	for from := []byte{0}; ; {
		select {
		case <-again.C:
		case <-ctx.Done():
			return false
		}
		next, err := scrub(from)
		if err != nil || next == nil {
			return err == nil
		}
		from = next
		again.Reset(scrubPause)
	}
}

// scrub reads a portion, and returns the key where the next one begins, nil at the end, and the last position whose record was right.
// Records are apart from all else, which nobody else can give again.
func scrub(db *pebble.DB, from []byte) (next []byte, last log.Position, err error) {
	to := []byte{recordSpace + 1}
	if from[0] < recordSpace {
		to = []byte{recordSpace}
		next = to
	}
	err = iterate(db, from, to, func(i *pebble.Iterator) error {
		size, keys := 0, 0
		for ok := i.First(); ok; ok = i.Next() {
			if size > scrubPortion || keys > scrubKeys {
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
			size, keys = size+len(value), keys+1
			if i.Key()[0] == recordSpace {
				last, _ = position(i.Key()) // a key of another length has no checksum that is right
			}
		}
		return nil
	})
	return next, last, err
}
