package disk

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/log/storage"
)

// fault is the one failure of a disk, and of all stores on it. It never heals: after a write or a sync that failed nobody knows what is on the
// disk, and a kernel may even report the next sync of the lost pages as a success.
//
// There are two degrees. A store that failed does nothing more for its callers. One that is frozen has also left Pebble
// standing where it was: no operation that would change the file system returns (see fence), as if the process had ended.
type fault struct {
	happened chan struct{} // closed by the failure
	frozen   chan struct{} // closed when Pebble stands still, with locks held, so that even its Close would not return
	freezing sync.Once
	dir      string // for people
	lock     sync.Mutex
	err      error
	tell     map[any]func(error) // by who is told
	note     func(error)         // makes a note of the failure for the next process
	noted    chan struct{}       // closed once that is done
}

// patience is how long a failed store waits in Close for a call of Pebble that runs, until it leaves it behind.
const patience = 5 * time.Second

func newFault(dir string) *fault {
	return &fault{dir: dir, happened: make(chan struct{}), frozen: make(chan struct{}), noted: make(chan struct{}), tell: map[any]func(error){}}
}

// arm has the failure told to somebody, and noted for whoever comes next. One that has happened is returned, and not told. What is nil
// is left as it is.
func (f *fault) arm(who any, tell, note func(error)) error {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.err == nil && tell != nil {
		f.tell[who] = tell
	}
	if f.err == nil && note != nil {
		f.note = note
	}
	return f.err
}

// disarm has somebody not told any more.
func (f *fault) disarm(who any) {
	f.lock.Lock()
	defer f.lock.Unlock()
	delete(f.tell, who)
}

// fail records the failure, unless there was one before, and returns the one that counts. The caller may hold locks of
// Pebble, so whoever is told is told on another goroutine.
func (f *fault) fail(err error) error {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.err == nil {
		f.err = classify(full(err, f.dir))
		close(f.happened)
		for _, tell := range f.tell {
			go tell(f.err)
		}
		go f.leaveNote(f.note, f.err)
	}
	return f.err
}

// leaveNote waits for nothing and nobody for it: the disk may hang.
func (f *fault) leaveNote(note func(error), err error) {
	defer close(f.noted)
	if note != nil {
		note(err)
	}
}

// awaitNote waits, but not for ever, until the note of a failure is left. After it the directory is not touched any more.
func (f *fault) awaitNote() bool {
	if f.failed() == nil {
		return true
	}
	select {
	case <-f.noted:
		return true
	case <-time.After(patience):
		return false
	}
}

// freeze records the failure, and keeps Pebble from the disk for ever.
func (f *fault) freeze(err error) {
	_ = f.fail(err) // no caller can use it
	f.freezing.Do(func() { close(f.frozen) })
}

func (f *fault) isFrozen() bool {
	select {
	case <-f.frozen:
		return true
	default:
		return false
	}
}

// await waits until done is closed. It gives up, and returns false, where the store has failed and done will not, or not
// soon, be closed.
func (f *fault) await(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-f.happened:
	}
	select {
	case <-done:
		return true
	case <-f.frozen:
		return false
	case <-time.After(patience):
		return false
	}
}

// failed returns the failure, or nil.
func (f *fault) failed() error {
	select {
	case <-f.happened:
		return f.err
	default:
		return nil
	}
}

// guard runs a call of Pebble. Where that panics, its locks are still held.
func (f *fault) guard(call func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			f.freeze(fmt.Errorf("pebble stopped: %v", r))
			err = f.failed()
		}
	}()
	return call()
}

// isFull says whether an error of the operating system means that there is no room.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// full says what to do about a directory that has no room. Any other error stays as it is.
func full(err error, dir string) error {
	if err == nil || errors.Is(err, storage.ErrFull) || !isFull(err) {
		return err
	}
	return fmt.Errorf("%w on %s: free some and start again; nothing acknowledged is lost: %w", storage.ErrFull, dir, err)
}

// classify says in the words of the contract what an error of Pebble, or of the operating system, means.
func classify(err error) error {
	switch {
	case errors.Is(err, storage.ErrCorrupt), errors.Is(err, storage.ErrFailed):
		return err
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
	default:
		return fmt.Errorf("%w: %w", storage.ErrFailed, err)
	}
}

// logger is Pebble's logger, and the end of the line for its fatal errors.
type logger struct {
	logger zerolog.Logger
	fault  *fault
}

func (l logger) Infof(format string, args ...any) {
	if e := l.logger.Debug(); e.Enabled() {
		e.Str("detail", fmt.Sprintf(format, args...)).Msg("pebble")
	}
}

func (l logger) Errorf(format string, args ...any) {
	l.logger.Warn().Str("detail", fmt.Sprintf(format, args...)).Msg("pebble")
}

// Fatalf never returns, as Pebble relies on: what comes after it would work on a state that is half changed. Therefore
// every call that can end here, or wait for what stands here, is made by a goroutine that can be left behind: Pebble's own,
// the worker, the reclaimer, the scrubber, one for each read.
func (l logger) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	for _, a := range args {
		if cause, ok := a.(error); ok {
			err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), cause)
		}
	}
	l.fault.freeze(err)
	select {}
}
