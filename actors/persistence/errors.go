package persistence

import (
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/log"
)

// ErrFenced: the actor was activated elsewhere. The events are not in its journal, and never will be. The error is a *FencedError.
var ErrFenced = errors.New("another activation of the actor writes")

// ErrOrder: what was written before is not in the journal, or was never answered. The error is an *OrderError. Activate the
// actor again.
var ErrOrder = errors.New("the journal has another index")

// ErrTooLarge: the events of one call, or a snapshot, have more than 1 MiB. Nothing was written.
var ErrTooLarge = errors.New("too large for one entry of the log")

// ErrUnknown: nobody answered in time, and the events may be in the journal, or come to be. Activate the actor again: it begins with
// what is.
var ErrUnknown = errors.New("outcome unknown")

// errPassed is the ErrUnknown of whoever waited while the log was truncated above what the keeper had read. What is asked anew is
// answered.
var errPassed = fmt.Errorf("%w: the log was truncated before it could be read", ErrUnknown)

// FencedError says who writes.
type FencedError struct {
	Owner      string       // the persistence id
	Activation log.Position // that was fenced; 0 where it never was the one that writes
	By         string       // where the newer activation runs, as it said
	Newer      log.Position // its position
}

// Error implements error.
func (e *FencedError) Error() string {
	return fmt.Sprintf("%s: %q was activated at position %d of the log, by %q: end this one", ErrFenced, e.Owner, e.Newer, e.By)
}

// Is says that it is an ErrFenced.
func (e *FencedError) Is(target error) bool { return target == ErrFenced }

// OrderError says where the journal would have had a gap.
type OrderError struct {
	Owner string // the persistence id
	Index uint64 // of the first event that was to be written
}

// Error implements error.
func (e *OrderError) Error() string {
	return fmt.Sprintf("%s: what %q wrote as %d does not come next: activate it again", ErrOrder, e.Owner, e.Index)
}

// Is says that it is an ErrOrder.
func (e *OrderError) Is(target error) bool { return target == ErrOrder }
