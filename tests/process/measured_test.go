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

// A busy machine makes gaps of its own: they are measured, with nobody killed, between the kills.
func TestNoFollowersEndIsFelt(t *testing.T) {
	c := startChaos(t)
	const quiet, killed = "nobody was killed", "a follower was killed"
	c.rounds(6, func() {
		c.hit(quiet)
		<-time.After(watched)
		follower := c.writer()%3 + 1
		c.hit(killed)
		c.Kill(follower)
		c.counts["kills"]++
		<-time.After(watched)
		c.hit("the follower was started again")
		c.back(follower)
	})
	h := c.finish()
	found := gapsAfter(h, c.blows)
	usual, felt := slices.Max(found[quiet]), slices.Max(found[killed])
	if felt > max(leastFelt, 2*usual) {
		t.Errorf("after a follower was killed, no append was acknowledged for %s; %s at most where nobody was", ms(felt), ms(usual))
	}
}
