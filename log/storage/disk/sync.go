package disk

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// running is a sync that runs, or ran.
type running struct {
	done chan struct{} // closed once err is set; never where the disk hangs
	err  error
}

// Age is how many syncs made changes durable since the disk was made.
func (s *Store) Age() uint64 { return s.age.Load() }

// Sync makes every change before it durable, and waits for that.
func (s *Store) Sync() error { return s.StartSync()() }

// StartSync begins to make every change before it durable, with one sync of Pebble's write-ahead log: that of the disk's
// age, which is written behind the changes. The worker only puts that into the log. It does not wait for the disk, so that
// later changes, which it makes too, go on.
func (s *Store) StartSync() (wait func() error) {
	err := s.enter()
	if err == nil && s.unsynced {
		err = s.startSync()
	}
	if r := s.running; err == nil && r != nil {
		return func() error { return s.wait(r) }
	}
	return func() error { return err }
}

func (s *Store) startSync() error {
	b, err := s.batch(func(b *pebble.Batch) error { return s.setAge(b, s.syncs+1) })
	if err == nil {
		err = s.worker.do(func() error { return s.db.ApplyNoSyncWait(b, pebble.Sync) })
	}
	if err != nil {
		return fmt.Errorf("sync: %w", s.fault.fail(err))
	}
	s.syncs++
	s.unsynced = false
	s.running = &running{done: make(chan struct{})}
	go s.finish(b, s.syncs, s.running)
	return nil
}

// finish waits for Pebble, on a goroutine of its own: one that can be left behind, see logger.Fatalf.
func (s *Store) finish(b *pebble.Batch, age uint64, r *running) {
	defer close(r.done)
	if r.err = s.fault.guard(b.SyncWait); r.err != nil {
		return
	}
	s.age.Store(age)
	r.err = b.Close()
}

// wait returns once a sync is done, or the store has failed.
func (s *Store) wait(r *running) error {
	select {
	case <-r.done:
		if r.err == nil {
			return nil
		}
		return fmt.Errorf("sync: %w", s.fault.fail(r.err))
	case <-s.fault.happened:
		return fmt.Errorf("sync: %w", s.fault.failed())
	}
}

// syncAll makes every change durable, whether a sync of it has begun or not.
func (s *Store) syncAll() error {
	if s.unsynced {
		if err := s.startSync(); err != nil {
			return err
		}
	}
	if s.running == nil {
		return nil
	}
	return s.wait(s.running)
}
