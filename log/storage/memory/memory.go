// Package memory is a disk that lives in memory: the engine of tests and simulations.
//
// It keeps two states, the one that a crash leaves behind and the one that a reader sees, and the changes that lie
// between them. The end of a sync repeats on the first those that came before its begin; a crash forgets them, or all but
// the oldest.
package memory

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/invariant"
	"github.com/quorumlog/quorumlog/log/storage"
)

// Operation is what a fault of FailNext hits.
type Operation uint8

// The operations. A sync fails at its end. A Close that has something to sync counts as a Sync.
const (
	Change Operation = iota // Put, Learn, Truncate, SetMetadata
	Sync                    // the wait of StartSync
	Read                    // Get, Scan, Summary
)

// Store is a storage.Store in memory. Like every Store it is used by one goroutine at a time, in Crash and FailNext too.
type Store struct {
	live state // changed with the lock held, for its Reader

	lock     sync.Mutex // over the rest: a sync may end on another goroutine
	durable  state
	syncing  []change            // covered by the sync that runs
	unsynced []change            // the later ones
	next     map[Operation]error // faults that wait
	failure  error               // what every call but Close returns, once set
	closed   bool
	damaged  interval.Set // of what has rotted, what was found, and is learned
	suspects interval.Set // of what has rotted, what readers found
}

var _ storage.Store = (*Store)(nil)

// New returns a disk with nothing but the metadata on it, which are durable. A Begin of 0 counts as 1.
func New(m storage.Metadata) *Store {
	m = own(m)
	m.Begin = max(m.Begin, 1)
	return from(state{metadata: m})
}

func from(s state) *Store {
	return &Store{live: s, durable: s.clone(), next: map[Operation]error{}}
}

// Crash returns the disk as the next process finds it: what was synced, and with a source of randomness also the oldest
// few of the other changes, at random. It is also the way to open a disk again after Close. The store itself can be used
// no more; faults and failures are not inherited.
func (s *Store) Crash(random *rand.Rand) *Store {
	s.lock.Lock()
	defer s.lock.Unlock()
	after := s.durable.clone()
	if random != nil {
		lost := slices.Concat(s.syncing, s.unsynced)
		for _, c := range lost[:random.IntN(len(lost)+1)] {
			c(&after)
		}
	}
	s.closed = true
	return from(after)
}

// Copy returns a second disk with what is durable on this one, as somebody gets it who copies a directory in use. The store
// goes on.
func (s *Store) Copy() *Store {
	s.lock.Lock()
	defer s.lock.Unlock()
	return from(s.durable.clone())
}

// FailNext makes the next operation of one sort fail with an error that wraps err: a failed Read is storage.ErrCorrupt,
// the others are storage.ErrFailed. The operation has no effect.
func (s *Store) FailNext(op Operation, err error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.next[op] = err
}

// Condemn fails the store for what its owner knows of it.
func (s *Store) Condemn(why string) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.failure == nil {
		s.failure = fmt.Errorf("%w: %s", storage.ErrCorrupt, why)
	}
	return s.failure
}

// Metadata returns what the replica keeps about itself.
func (s *Store) Metadata() storage.Metadata { return own(s.live.metadata) }

// SetMetadata replaces it.
func (s *Store) SetMetadata(m storage.Metadata) error {
	invariant.Hold(m.Begin == s.live.metadata.Begin, "metadata begin at %d, but the log at %d", m.Begin, s.live.metadata.Begin)
	m = own(m)
	return s.change(func(s *state) { s.metadata = m })
}

// Summary returns the positions that are on disk.
func (s *Store) Summary() (storage.Summary, error) {
	if err := s.enter(Read); err != nil {
		return storage.Summary{}, fmt.Errorf("summarize the log: %w", err)
	}
	return s.live.summary(), nil
}

// Put writes records, all or none of them.
func (s *Store) Put(actions ...log.Action) error {
	for _, a := range actions {
		invariant.Hold(a.Position >= s.live.metadata.Begin, "record at %d, but the log begins at %d", a.Position, s.live.metadata.Begin)
	}
	actions = slices.Clone(actions)
	return s.change(func(s *state) { s.put(actions) })
}

// Learn marks every position of the range as learned.
func (s *Store) Learn(r log.Range) error {
	return s.change(func(s *state) { s.learn(r) })
}

// SetCheckpoint replaces the checkpoint.
func (s *Store) SetCheckpoint(c storage.Checkpoint) error {
	c.Table = slices.Clone(c.Table)
	return s.change(func(s *state) { s.checkpoint = c })
}

// Checkpoint returns the checkpoint.
func (s *Store) Checkpoint() (storage.Checkpoint, error) {
	if err := s.enter(Read); err != nil {
		return storage.Checkpoint{}, fmt.Errorf("read the checkpoint: %w", err)
	}
	c := s.live.checkpoint
	c.Table = slices.Clone(c.Table)
	return c, nil
}

// Get returns the record of one position.
func (s *Store) Get(p log.Position) (log.Action, bool, error) {
	if err := s.enter(Read); err != nil {
		return log.Action{}, false, fmt.Errorf("read position %d: %w", p, err)
	}
	if err := s.sound(log.Range{First: p, Last: p}); err != nil {
		return log.Action{}, false, fmt.Errorf("read position %d: %w", p, err)
	}
	a, found := s.live.get(p)
	return a, found, nil
}

// Scan calls visit for the records in the range.
func (s *Store) Scan(r log.Range, visit func(log.Action) bool) error {
	if err := s.enter(Read); err != nil {
		return fmt.Errorf("read positions %v: %w", r, err)
	}
	if r.Empty() {
		return nil
	}
	from, _ := s.live.find(r.First)
	for at := from; at < len(s.live.records) && s.live.records[at].Position <= r.Last; at++ {
		p := s.live.records[at].Position
		if s.live.rotten.Contains(p) {
			err := s.sound(log.Range{First: p, Last: p})
			return fmt.Errorf("read positions %v: %w", r, err)
		}
		if !visit(s.live.record(at)) {
			return nil
		}
	}
	return nil
}

// Truncate moves Begin to a higher position and drops everything below it. A position that is not higher changes nothing.
func (s *Store) Truncate(begin log.Position) error {
	return s.change(func(s *state) {
		if begin > s.metadata.Begin {
			s.truncate(begin)
		}
	})
}

// StartSync begins to make every change before it durable. Before wait is called nothing is.
func (s *Store) StartSync() (wait func() error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if !s.closed && s.failure == nil {
		invariant.Hold(len(s.syncing) == 0, "a sync of %d changes runs when the next one begins", len(s.syncing))
		s.syncing, s.unsynced = s.unsynced, s.syncing
	}
	return s.endSync
}

func (s *Store) endSync() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.endedSync()
}

// endedSync is endSync with the lock held.
func (s *Store) endedSync() error {
	if err := s.entered(Sync); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if len(s.syncing) > 0 {
		s.durable.age++
	}
	for _, c := range s.syncing {
		c(&s.durable)
	}
	clear(s.syncing)
	s.syncing = s.syncing[:0]
	return nil
}

// Sync makes every change before it durable.
func (s *Store) Sync() error { return s.StartSync()() }

// Age is how many syncs made changes durable.
func (s *Store) Age() uint64 {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.durable.age
}

// Grow makes the disk at least that old, as if it had seen so many syncs. It is for a test that makes a disk that another
// one was before.
func (s *Store) Grow(age uint64) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.durable.age = max(s.durable.age, age)
}

// Close makes every change durable, unless the store failed before. A second Close does nothing.
func (s *Store) Close() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	defer func() { s.closed = true }()
	if s.closed || s.failure != nil {
		return nil
	}
	s.syncing, s.unsynced = append(s.syncing, s.unsynced...), nil
	return s.endedSync()
}

// Reader returns a reader for other goroutines.
func (s *Store) Reader() storage.Reader { return reader{s} }

type reader struct{ store *Store }

// Scan calls visit for the records in the range, as of one moment.
func (r reader) Scan(within log.Range, visit func(log.Action) bool) error {
	records, err := r.store.copied(within)
	var damage storage.Damage
	if err != nil && !errors.As(err, &damage) {
		return fmt.Errorf("read positions %v: %w", within, err)
	}
	for _, a := range records {
		if !visit(a) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("read positions %v: %w", within, err)
	}
	return nil
}

// copied returns the records in a range.
func (s *Store) copied(within log.Range) ([]log.Action, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	err := s.entered(Read)
	if err != nil || within.Empty() {
		return nil, err
	}
	if first, found := s.live.rotten.Intersect(within).First(); found {
		bad := log.Range{First: first, Last: first}
		s.suspects.Add(bad)
		within.Last, err = first-1, damageOf(bad)
	}
	from, _ := s.live.find(within.First)
	to := from
	for to < len(s.live.records) && s.live.records[to].Position <= within.Last {
		to++
	}
	return slices.Clone(s.live.records[from:to]), err
}

func (s *Store) change(c change) error {
	if err := s.enter(Change); err != nil {
		return fmt.Errorf("change the log: %w", err)
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	c(&s.live)
	s.unsynced = append(s.unsynced, c)
	return nil
}

// enter returns why an operation cannot be done. A fault that waits for it happens now, and for good.
func (s *Store) enter(op Operation) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.entered(op)
}

// entered is enter with the lock held.
func (s *Store) entered(op Operation) error {
	if s.closed {
		return storage.ErrClosed
	}
	if err := s.next[op]; err != nil && s.failure == nil {
		s.failure = fmt.Errorf("%w: %w", kindOf(op), err)
	}
	return s.failure
}

func kindOf(op Operation) error {
	if op == Read {
		return storage.ErrCorrupt
	}
	return storage.ErrFailed
}

// own copies what a caller might change later.
func own(m storage.Metadata) storage.Metadata {
	m.Members, m.Configuration.Members = slices.Clone(m.Members), slices.Clone(m.Configuration.Members)
	m.Known, m.Heard, m.Founders = slices.Clone(m.Known), slices.Clone(m.Heard), slices.Clone(m.Founders)
	return m
}
