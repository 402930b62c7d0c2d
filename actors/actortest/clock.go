package actortest

import (
	"container/heap"
	"fmt"
	"math"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// clock is the timer.Clock of one node.
type clock struct{ node *Node }

// Now is the beginning of the world, plus virtual time as the node's clock measures it, plus the node's skew.
func (c clock) Now() time.Time { return beginning.Add(c.node.measured() + c.node.skew) }

// After never fires on a node that is down, or that crashes before.
func (c clock) After(d time.Duration, to *actor.PID, message any) func() {
	w, l := c.node.world, c.node.life
	if l == nil || l.dead {
		return func() {}
	}
	l.timers++
	e := &event{at: w.now + scaled(max(d, 0), 1/c.node.pace), life: l}
	e.happen = func() {
		l.timers--
		w.trace.note(w.now, "timer", party{node: c.node.address}, party{node: to.Id}, message)
		l.system.Root.Send(to, message)
	}
	w.events.add(e)
	return func() {
		if w.events.remove(e) {
			l.timers--
		}
	}
}

// beginning is the first moment of every world.
var beginning = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Skew sets how far the node's Now is ahead of virtual time, or behind. It may be set at any time: then the clock jumps.
// Timers do not change.
func (n *Node) Skew(d time.Duration) { n.skew = d }

// Drift sets how much faster than virtual time the node's clock runs, Now and timers, the pending ones too: 0.1 is a
// tenth too fast, -0.5 half as fast as it should be. It holds from now on, also after a restart; what Now is ahead or
// behind already stays. A rate below -0.999 fails the world.
func (n *Node) Drift(rate float64) {
	n.world.helper()
	if !(rate >= slowest) {
		n.world.fail(fmt.Errorf("the clock of %s cannot drift by %v, which is below %v", n.address, rate, slowest))
		return
	}
	n.before, n.since = n.measured(), n.world.now
	old := n.pace
	n.pace = 1 + rate
	for _, e := range n.world.events.heap {
		if e.life != nil && e.life == n.life {
			e.at = n.world.now + scaled(e.at-n.world.now, old/n.pace)
		}
	}
	heap.Init(&n.world.events.heap)
}

// slowest is the lowest rate of Drift.
const slowest = -0.999

// measured is how much time has passed by the node's clock.
func (n *Node) measured() time.Duration { return n.before + scaled(n.world.now-n.since, n.pace) }

// scaled is exact where the factor is 1, and never more than a century, so that no sum of times overflows.
func scaled(d time.Duration, factor float64) time.Duration {
	const century = 100 * 365 * 24 * time.Hour
	if factor == 1 {
		return d
	}
	return time.Duration(math.Min(float64(d)*factor, float64(century)))
}
