package disk

import (
	"fmt"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log/storage"
)

// complaint is damage that Pebble has met in the background, in the tables of a log that nobody knows. All logs that are open are read
// for it; where none of them explains it, the disk fails.
type complaint struct {
	err       error
	left      atomic.Int32 // logs that have not been read for it
	explained atomic.Bool  // or is met again, and then complained of again
}

// errand is what a scrubber is to read everything for once more.
type errand struct {
	why  *complaint
	cuts uint64 // that had begun in the log by then
}

// listener is told what Pebble meets that is nobody's call.
func (e *Engine) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if e.bearable(err) {
				return // Pebble tries again, at level 0 at once, and above it in a while: once all that is known is mended, at the latest
			}
			_ = e.fault.fail(err) // the failure is kept
			if e.fault.isFrozen() {
				select {} // Pebble tries again at once, for ever, also what can only fail since the directory is somebody else's
			}
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			if !e.options.Mend { // else whoever reads is told by the read
				_ = e.fault.fail(fmt.Errorf("%w: %s: %w", storage.ErrCorrupt, info.Path, info.Details))
			}
		},
	}
}

// mendable says whether the failure of a read may be one that leaves the disk as it is.
func (e *Engine) mendable(err error) bool {
	return e.options.Mend && !e.options.ReadOnly && e.fault.failed() == nil && isCorrupt(err)
}

// bearable says whether a failure of Pebble's own may be of records that are damaged: some are known to be, or all are read again.
func (e *Engine) bearable(err error) bool {
	if !e.mendable(err) {
		return false
	}
	var scrubbing []*scrubber
	var cuts []uint64
	for _, s := range e.inUse() {
		if !s.damage.set().Empty() {
			return true
		}
		if c := s.scrubbing.Load(); c != nil {
			scrubbing, cuts = append(scrubbing, c), append(cuts, s.damage.cuts.Load())
		}
	}
	why := &complaint{err: err}
	why.left.Store(int32(len(scrubbing)))
	for i, c := range scrubbing {
		select {
		case c.again <- errand{why, cuts[i]}:
		default: // it is read again for another reason
			why.dismiss()
		}
	}
	return len(scrubbing) > 0
}

// dismiss is for a log that cannot tell.
func (c *complaint) dismiss() {
	c.explained.Store(true)
	c.left.Add(-1)
}

// answer is for a log that was read, and says whether it explains what Pebble has met. It says whether no log does.
func (c *complaint) answer(explains bool) (unexplained bool) {
	if explains {
		c.explained.Store(true)
	}
	return c.left.Add(-1) == 0 && !c.explained.Load()
}

// inUse are the stores that are open. Any goroutine may ask.
func (e *Engine) inUse() []*Store {
	if working := e.working.Load(); working != nil {
		return *working
	}
	return nil
}
