package history

import (
	"slices"
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/log"
)

// Recorder writes a history down while it happens. Any goroutine may use it.
//
// No two calls or answers get the same time: of two of them the one that the Recorder hears of first is the earlier, by a
// nanosecond at least. So where one operation was over before another one began, the history says so.
type Recorder struct {
	mu      sync.Mutex
	clock   func() time.Duration
	last    time.Duration
	history History
}

// NewRecorder returns a Recorder that tells the time by a clock, which counts from the beginning of the history.
func NewRecorder(clock func() time.Duration) *Recorder {
	return &Recorder{clock: clock, last: -1}
}

// Begin records a call that is about to be made. The operation belongs to the Recorder until it has ended.
func (r *Recorder) Begin(o Operation) *Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	o.Call, o.Return, o.Outcome = r.now(), Never, Pending
	r.history.Operations = append(r.history.Operations, &o)
	return &o
}

// End records the answer to a call: change puts into the operation what the client was told, the outcome at least. It must
// not use the Recorder.
func (r *Recorder) End(o *Operation, change func(*Operation)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o.Return = r.now()
	change(o)
}

// Know records that a value is in the log, whoever says so.
func (r *Recorder) Know(at log.Position, v log.Value) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Known = append(r.history.Known, Record{at, v})
}

// History returns what was recorded so far. Later calls and answers do not change it.
func (r *Recorder) History() *History {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &History{Known: slices.Clone(r.history.Known), Operations: make([]*Operation, len(r.history.Operations))}
	for i, o := range r.history.Operations {
		clone := *o
		h.Operations[i] = &clone
	}
	return h
}

func (r *Recorder) now() time.Duration {
	r.last = max(r.clock(), r.last+1)
	return r.last
}
