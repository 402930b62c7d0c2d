package catchup

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/measure"
)

// Progress tells the parent how far it is: each time that something is learned, and every second.
type Progress struct {
	Total, Done, Bytes uint64        // positions missing at the start, positions learned or truncated since, bytes copied since
	Elapsed            time.Duration // since it started
	Rate               uint64        // bytes a second, since it started
	// Left is how long it takes until everything is learned, at the speed at which positions were copied so far or, where that is
	// less, at the limit; 0 while none was copied, and a hundred years at most.
	Left time.Duration
}

// progressDue is the time to tell the parent how far it is, though nothing was learned.
type progressDue struct{}

const (
	progressEvery = time.Second
	maxLeft       = 100 * 365 * 24 * time.Hour
)

// progress is what a catch-up knows of how far it is.
type progress struct {
	started time.Time
	known   bool   // total is set
	total   uint64 // positions that were missing at first
	left    uint64 // positions that are missing
	copied  uint64 // positions that were copied, or settled by a quorum; what was truncated took no time
	bytes   uint64 // of these
	cancel  func() // progressDue
}

func (c *catchup) began(ctx actor.Context) {
	c.progress.started = c.Clock.Now()
	c.progress.cancel = c.Clock.After(progressEvery, ctx.Self(), progressDue{})
}

// stillAt tells the parent how far the catch-up is while nothing is learned: the time that is left grows then.
func (c *catchup) stillAt(ctx actor.Context) {
	c.progress.cancel = c.Clock.After(progressEvery, ctx.Self(), progressDue{})
	if c.progress.known {
		c.tell(ctx)
	}
}

// report tells the parent how far the catch-up is, if something was learned.
func (c *catchup) report(ctx actor.Context, left uint64) {
	p := &c.progress
	switch {
	case !p.known:
		p.known, p.total = true, left
	case left >= p.left:
		return
	}
	p.left = left
	c.tell(ctx)
}

// over keeps how long the catch-up took, for whoever looks on: one that had something to do.
func (c *catchup) over() {
	p, now := c.progress, c.Clock.Now()
	if p.total == 0 || c.Quiet {
		return
	}
	took := now.Sub(p.started)
	c.Measures.Catchups.Observe(int64(took))
	c.Measures.Events.Note(measure.Event{At: now, Kind: measure.CaughtUp, Progress: measure.Progress{
		Total: p.total, Done: p.total, Bytes: p.bytes, Elapsed: took, Rate: speed(p.bytes, took),
	}})
}

func (c *catchup) tell(ctx actor.Context) {
	if c.Quiet {
		return
	}
	p := c.progress
	told := Progress{Total: p.total, Done: p.total - p.left, Bytes: p.bytes, Elapsed: c.Clock.Now().Sub(p.started)}
	told.Rate = speed(p.bytes, told.Elapsed)
	if p.copied > 0 {
		each := told.Elapsed.Seconds() / float64(p.copied)
		if c.limited() {
			each = max(each, (perRecord+float64(p.bytes)/float64(p.copied))/float64(c.CopyLimit.Limit()))
		}
		told.Left = seconds(each * float64(p.left))
	}
	ctx.Send(ctx.Parent(), told)
}

// speed is how many bytes a second that is; 0 where no time has passed.
func speed(bytes uint64, in time.Duration) uint64 {
	if in <= 0 {
		return 0
	}
	return uint64(float64(bytes) / in.Seconds())
}

// seconds is so long, but at most maxLeft.
func seconds(n float64) time.Duration {
	if n >= maxLeft.Seconds() {
		return maxLeft
	}
	return time.Duration(n * float64(time.Second))
}
