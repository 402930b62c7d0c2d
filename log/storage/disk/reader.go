package disk

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// Reader returns a reader for other goroutines.
func (s *Store) Reader() storage.Reader { return reader{s} }

// reader uses of the store only what does not change once it is open.
type reader struct{ store *Store }

// Scan calls visit for the records in the range, as of one moment.
func (r reader) Scan(within log.Range, visit func(log.Action) bool) error {
	s := r.store
	if err := s.fault.failed(); err != nil {
		return err
	}
	if within.Empty() {
		return nil
	}
	t, cuts, damaged := tracker{next: within.First}, s.damage.cuts.Load(), s.damage.set() // in this order: see cut
	err := s.walk(sound(damaged, within), func(i *pebble.Iterator) error {
		return s.visit(i, func(a log.Action) bool { return t.visited(visit(a), a.Position) })
	})
	if errors.Is(err, storage.ErrClosed) {
		return err
	}
	switch {
	case err != nil:
		err = s.suspected(t.next, err)
	case cuts != s.damage.cuts.Load():
		err = storage.Damage{Range: within, Err: fmt.Errorf("%w: records were mended while they were read", storage.ErrCorrupt)}
	case !t.ended:
		err = damageIn(damaged, within) // as it was then: what is mended since was not read
	}
	if err != nil {
		return fmt.Errorf("read positions %v: %w", within, err)
	}
	return nil
}

// visit hands out records whose bytes are Pebble's until the next one, and none once the store has failed.
func (s *Store) visit(i *pebble.Iterator, visit func(log.Action) bool) error {
	for ok := i.First(); ok && s.fault.failed() == nil; ok = i.Next() {
		value, err := i.ValueAndErr()
		if err != nil {
			return err
		}
		a, err := decodeRecord(i.Key(), value)
		if err != nil || !visit(a) {
			return err
		}
	}
	return s.fault.failed()
}

// aside has a goroutine of its own read, one that can be left behind, and waits for it. A read ends nowhere in Fatalf, but
// it takes Pebble's lock, at the latest when it lets the last iterator of an old state go; and a Pebble that was frozen
// may hold that for ever. Whoever reads is an actor, which has to end after a failure.
//
// Where the store fails, the read is waited for no longer than the patience, so that it does not use what is the caller's any more
// when this returns: it ends at its next record. A read that hangs is not left before the store fails.
func (s *Store) aside(read func() error) error {
	if !s.readers.enter() {
		return storage.ErrClosed
	}
	ended := make(chan outcome, 1)
	go func() {
		defer s.readers.leave()
		var o outcome
		defer func() {
			o.panicked = recover()
			ended <- o
		}()
		o.err = read()
		o.returned = true
	}()
	select {
	case o := <-ended:
		return o.use()
	case <-s.fault.happened:
	}
	select {
	case o := <-ended:
		return o.use()
	case <-time.After(patience):
		return s.fault.failed()
	}
}

// outcome is how a read has ended.
type outcome struct {
	err      error
	returned bool
	panicked any
}

// use ends the caller's goroutine as the other one's: what is read is handed to the caller's functions there.
func (o outcome) use() error {
	switch {
	case o.panicked != nil:
		panic(o.panicked)
	case !o.returned:
		runtime.Goexit()
	}
	return o.err
}

// readers counts who reads, because Pebble must not be closed before they are through.
type readers struct {
	lock   sync.Mutex
	inside int
	shut   bool
	gone   chan struct{} // closed once it is shut and nobody is inside
}

func newReaders() *readers { return &readers{gone: make(chan struct{})} }

func (r *readers) enter() bool {
	r.lock.Lock()
	defer r.lock.Unlock()
	if !r.shut {
		r.inside++
	}
	return !r.shut
}

func (r *readers) leave() {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.inside--; r.shut && r.inside == 0 {
		close(r.gone)
	}
}

// close lets nobody in any more. A second close does nothing.
func (r *readers) close() {
	r.lock.Lock()
	defer r.lock.Unlock()
	if !r.shut && r.inside == 0 {
		close(r.gone)
	}
	r.shut = true
}
