package process

import (
	"testing"
	"time"
)

func TestAppendsGoOnAfterConnectionsEndInTheMiddleOfAFrame(t *testing.T) {
	alongside(t)
	network := newProxies(t, 3, 1)
	c := startChaosOf(t, NewOn(t, network))
	for range 3 {
		id := c.anyone()
		const what = "connections were reset in the middle of a frame"
		c.hit(what)
		c.bounds[what] = 2 * time.Second
		network.Reset(id)
		c.goesOn("after " + what)
		for id := range c.everyone() {
			c.votes(id)
		}
	}
	c.finish()
}

func TestAppendsGoOnAfterConnectionsAreHalfOpen(t *testing.T) {
	alongside(t)
	network := newProxies(t, 3, 1)
	c := startChaosOf(t, NewOn(t, network))
	const what = "connections were left half open"
	id := c.writer()
	c.hit(what)
	c.bounds[what] = 6 * time.Second
	network.HalfOpen(id)
	c.goesOn("after " + what)
	c.votes(id)
	c.finish()
}

func TestAppendsGoOnOnLinesThatLoseDelayDoubleAndReorder(t *testing.T) {
	for name, network := range everyNetwork() {
		t.Run(name, func(t *testing.T) {
			alongside(t)
			members, err := network(t, 3, 1)
			if err != nil {
				t.Skip(err)
			}
			c := startChaosOf(t, NewOn(t, members))
			c.bounds["all lines were disturbed"] = 3 * time.Second
			c.disturb()
			c.finish()
		})
	}
}
