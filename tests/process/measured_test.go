package process

import (
	"slices"
	"testing"
	"time"
)

// What is promised of the processes that are killed, to clients that ask again.
const (
	soonestWriter = 3 * time.Second        // until an append is acknowledged after the writer was killed
	leastFelt     = 250 * time.Millisecond // without an acknowledgement, after a follower was killed
	watched       = 500 * time.Millisecond // for so long nothing else is done
)

func TestAppendsGoOnWithinThreeSecondsOfTheWritersEnd(t *testing.T) {
	c := startChaos(t) // it has the bound, and so has every other chaos
	c.rounds(5, func() {
		id := c.writer()
		c.kill(id)
		c.goesOn("without the writer")
		c.back(id)
	})
	c.finish()
}

// A busy machine makes gaps of its own, and more of them where no other follower can stand in for a slow one. So the time
// after each end is compared with the time after that, when the follower is just as gone; and once a gap may be the machine's.
func TestNoFollowersEndIsFelt(t *testing.T) {
	c := startChaos(t)
	const killed, gone = "a follower was killed", "a follower was gone for a while"
	c.rounds(4, func() {
		follower := c.writer()%3 + 1
		c.hit(killed)
		c.Kill(follower)
		c.counts["kills"]++
		<-time.After(watched)
		c.hit(gone)
		<-time.After(watched)
		c.hit("the follower was started again")
		c.back(follower)
	})
	found := gapsAfter(c.finish(), c.blows)
	most := max(leastFelt, 2*slices.Max(found[gone]))
	felt := slices.DeleteFunc(slices.Clone(found[killed]), func(gap time.Duration) bool { return gap <= most })
	if len(felt) > 1 {
		t.Errorf("after %d of %d ends of a follower no append was acknowledged for %v, at most %s", len(felt), len(found[killed]), felt, ms(most))
	}
}
