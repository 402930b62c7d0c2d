package disk

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// Engine is an open data directory. It holds one or more logs, which share its database and its fate:
//
//	Engine   the lock, the label, the marks, Pebble, the one failure      ── OpenLog ──▶ Store, Store, ...
//	Store    a log's metadata, records, syncs, damage, and what works on them in the background
//
// All logs write to one write-ahead log. The syncs that wait of several become one of the disk's. A directory that is
// damaged is replaced with all its logs, and a disk that fails fails all of them.
//
// Its methods may be called on any goroutine. Each of its stores is used by one goroutine at a time, as ever.
type Engine struct {
	options     Options
	directory   directory
	fault       *fault
	worker      *worker // opens and closes the database, and writes the files beside it
	lock        io.Closer
	marks       *marks
	db          *pebble.DB
	label       label
	ours        bool // the directory is known to be the one that the options mean
	note        note // what the last process said of the disk
	replacement Replacement

	logs   sync.Mutex // held while logs are opened and closed, and over what follows
	roster roster
	loaded map[string]*Store // those that nobody has opened yet, as they were found
	open   map[string]*Store
	failed []*Store // those that were closed after a failure: something of them may still run
	closed bool

	working atomic.Pointer[[]*Store] // those that are open, for Pebble's goroutines
	turn    chan struct{}            // has one: whoever takes it may scrub
}

// Log says which log of a directory is meant, and what is its own.
type Log struct {
	Name    string          // empty: the log without a name, which every directory has; else as storage.CheckName wants it
	Members []log.ReplicaID // whom the log was begun with, in order; nil: those of the Options
	OnFatal func(error)     // is Options.OnFatal for this log; nil: nobody is told but the next caller
}

// OpenEngine opens the data directory, or makes it, as Open does, and holds its lock until Close. No log is open then. Its options are
// those of all logs in it; Options.OnFatal is called once where the disk fails, whichever logs are open.
//
// With Options.Repair a directory that is damaged is replaced. Each log that was in it begins as one that had data (see
// storage.Replacement), whenever it is opened.
//
// Its errors are those of Open.
func OpenEngine(o Options) (*Engine, error) {
	return repaired(o, func() (*Engine, error) {
		e, err := mount(o)
		if err != nil {
			return nil, err
		}
		if err := e.fault.arm(e, o.OnFatal, e.leaveNote); err != nil {
			return nil, e.giveUp(fmt.Errorf("open %s: %w", o.Dir, err))
		}
		return e, nil
	})
}

// OpenLog opens a log, and makes one that is not there yet (Options.Create), EMPTY and on a disk that was never seen before. One that
// exists gets its count of boots raised. Both are durable when it returns.
//
// The error wraps storage.ErrLogName, ErrLogOpen, ErrTooManyLogs; ErrNotFound where it may not be made; ErrForeign where the log was begun
// with others; ErrClosed; or the failure of the disk, which fails all logs: storage.ErrFailed or ErrCorrupt.
func (e *Engine) OpenLog(l Log) (*Store, error) {
	e.logs.Lock()
	defer e.logs.Unlock()
	s, err := e.openLog(l)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", titleOf(l.Name), full(err, e.options.Dir))
	}
	return s, nil
}

func (e *Engine) openLog(l Log) (*Store, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	if e.open[l.Name] != nil {
		return nil, fmt.Errorf("%w: close it first", storage.ErrLogOpen)
	}
	s, err := e.take(l)
	if err != nil {
		return nil, err
	}
	s.become(l)
	if err := s.options.compareMembers(s.metadata, e.directory.path); err != nil {
		e.loaded[l.Name] = s // as it was: nothing is changed
		return nil, err
	}
	if err := s.boot(func() error { return e.fault.arm(s, l.OnFatal, nil) }); err != nil {
		e.failed = append(e.failed, s)
		return nil, err
	}
	e.open[l.Name] = s
	e.publish()
	return s, nil
}

// Logs returns the names of the logs in the directory, but for the one without a name, in the order in which they were made.
func (e *Engine) Logs() []string {
	e.logs.Lock()
	defer e.logs.Unlock()
	return append([]string(nil), e.roster.names...)
}

// Replaced says whether OpenEngine has just put this directory in place of a damaged one.
func (e *Engine) Replaced() (Replacement, bool) { return e.replacement, e.replacement.Aside != "" }

// Close lets the directory go. Its stores are to be closed before: while one is open it is refused (storage.ErrLogOpen). A second Close
// does nothing.
func (e *Engine) Close() error {
	e.logs.Lock()
	defer e.logs.Unlock()
	if len(e.open) > 0 {
		return fmt.Errorf("close the disk: %w: close the %d logs that are open", storage.ErrLogOpen, len(e.open))
	}
	if e.closed {
		return nil
	}
	e.closed = true
	if e.fault.failed() != nil {
		e.abandon()
		return nil // the failure was returned, or told to OnFatal, when it happened
	}
	e.letStoresGo()
	err := e.worker.do(func() error { return errors.Join(e.db.Close(), e.marks.close()) })
	e.worker.stop()
	if err = errors.Join(err, e.lock.Close()); err != nil {
		return fmt.Errorf("close the disk: %w", classify(full(err, e.options.Dir)))
	}
	return nil
}

// enter returns why no log can be opened any more.
func (e *Engine) enter() error {
	if e.closed {
		return storage.ErrClosed
	}
	return e.fault.failed()
}

// release is told that a store was closed, and whether nothing of it runs any more.
func (e *Engine) release(s *Store, ended bool) {
	e.logs.Lock()
	defer e.logs.Unlock()
	delete(e.open, s.name)
	if !ended {
		e.failed = append(e.failed, s)
	}
	e.fault.disarm(s)
	e.publish()
}

// publish tells Pebble's goroutines which logs are open.
func (e *Engine) publish() {
	working := make([]*Store, 0, len(e.open))
	for _, s := range e.open {
		working = append(working, s)
	}
	e.working.Store(&working)
}

// abandon lets the directory of a disk go that failed, or was never opened, without making anything durable. Errors are
// of no use any more. It says whether Pebble has ended; else nobody in this process may use the directory again.
func (e *Engine) abandon() bool {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.letGo()
	}()
	gone := e.fault.await(ended)
	if !gone {
		e.fault.freeze(errors.New("pebble does not end")) // or it could write to a directory that is somebody else's by now
	}
	gone = e.fault.awaitNote() && gone
	_ = e.lock.Close()
	return gone
}

// letGo waits until nothing runs any more, and closes what was open. It may never return.
func (e *Engine) letGo() {
	e.letStoresGo()
	e.worker.stop()
	<-e.worker.done
	if e.db != nil && !e.fault.isFrozen() {
		_ = e.fault.guard(e.db.Close)
	}
	if e.marks != nil && !e.fault.isFrozen() { // or a call that never returns may still use them
		_ = e.marks.close()
	}
}

func (e *Engine) letStoresGo() {
	for _, s := range e.loaded {
		s.letGo()
	}
	for _, s := range e.open { // one whose engine ends with it
		s.letGo()
	}
	for _, s := range e.failed {
		s.letGo()
	}
}

// giveUp abandons a directory that could not be opened, and returns why.
func (e *Engine) giveUp(err error) error {
	if gone := e.abandon(); gone && e.ours && errors.Is(err, storage.ErrCorrupt) {
		return damagedError{err}
	}
	return err
}

// leaveNote tells the next engine on the directory what this one failed of. It is worth a try, no more.
func (e *Engine) leaveNote(why error) {
	if e.options.ReadOnly {
		return
	}
	if err := e.directory.leaveNote(why); err != nil {
		e.options.Logger.Warn().Err(err).Msg("what the disk failed of could not be written down")
	}
}
