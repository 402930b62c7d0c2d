package disk

import (
	"fmt"
	"sync"

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
	if !s.readers.enter() {
		return storage.ErrClosed
	}
	defer s.readers.leave()
	if err := s.fault.failed(); err != nil {
		return err
	}
	if within.Empty() {
		return nil
	}
	err := s.iterate(recordKey(within.First), upperKey(within.Last), func(i *pebble.Iterator) error {
		return visitRecords(i, visit)
	})
	if err != nil {
		return fmt.Errorf("read positions %v: %w", within, s.fault.fail(err))
	}
	return nil
}

// visitRecords hands out records whose bytes are Pebble's until the next one.
func visitRecords(i *pebble.Iterator, visit func(log.Action) bool) error {
	for ok := i.First(); ok; ok = i.Next() {
		value, err := i.ValueAndErr()
		if err != nil {
			return err
		}
		a, err := decodeRecord(i.Key(), value)
		if err != nil || !visit(a) {
			return err
		}
	}
	return nil
}

// readers counts who reads beside the store's owner, because Pebble must not be closed before they are through.
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
