package catchup

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/time/rate"

	"github.com/quorumlog/quorumlog/log"
)

// A catch-up in the background, a recovery's or a follower's, asks for no more than the member's limit allows, so that the healthy
// members keep their network and their disks to themselves. An election, and a client who wants to read what was acknowledged,
// must not wait for that: they are few, and what they lack is little. How large an answer is shows when it comes: the next request waits until all before it is paid for.

const (
	// perRecord is what a record counts besides its bytes.
	perRecord = 16
	// paceLook is how often a catch-up that waits looks at the limit, at least: it may have changed.
	paceLook = 100 * time.Millisecond
	// paceRest is the shortest wait: a nanosecond that is still to be paid for is not worth a timer of its own.
	paceRest = time.Millisecond
	// burst is what the largest answer counts.
	burst = log.MaxRunBytes + perRecord*log.MaxCopy
	// unlimited is a limit that nobody reaches. It is not rate.Inf, with which a limiter loses count of what was paid.
	unlimited rate.Limit = 1 << 50
)

// paceDue is the time to ask again whether there is room below the limit.
type paceDue struct{}

// NewLimit returns a limit of what the catch-ups of one member copy, in bytes a second; 0 and below is no limit. Any goroutine
// may change it with SetLimit.
func NewLimit(bytesPerSecond int64) *rate.Limiter {
	return rate.NewLimiter(limit(bytesPerSecond), burst)
}

// SetLimit changes a limit at a time of the member's clock, for catch-ups that run, too: they notice it within a tenth of a
// second.
func SetLimit(l *rate.Limiter, now time.Time, bytesPerSecond int64) {
	l.SetLimitAt(now, limit(bytesPerSecond))
}

func limit(bytesPerSecond int64) rate.Limit {
	if bytesPerSecond <= 0 {
		return unlimited
	}
	return rate.Limit(bytesPerSecond)
}

func (c *catchup) limited() bool {
	return c.Background && c.CopyLimit != nil && c.CopyLimit.Limit() < unlimited
}

// room is how many chunks may be out at once. Under a limit it is one: how large it is shows only when it comes, and the next one
// waits until it is paid for.
func (c *catchup) room() int {
	if c.limited() {
		return 1
	}
	return maxAsked
}

// mayAsk says whether all that was copied is paid for. If not, paceDue comes.
func (c *catchup) mayAsk(ctx actor.Context) bool {
	if !c.limited() {
		return true
	}
	now := c.Clock.Now()
	r := c.CopyLimit.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait <= 0 {
		return true
	}
	r.CancelAt(now)
	c.pause = c.Clock.After(min(max(wait, paceRest), paceLook), ctx.Self(), paceDue{})
	return false
}

// charge counts what was copied.
func (c *catchup) charge(actions []log.Action) {
	if !c.limited() {
		return
	}
	n := perRecord * len(actions)
	for _, a := range actions {
		n += len(a.Value.Data)
	}
	c.CopyLimit.ReserveN(c.Clock.Now(), min(n, burst))
}
