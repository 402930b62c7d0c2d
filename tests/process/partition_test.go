package process

import (
	"testing"
	"time"
)

// partitions are ways in which a network of three or four members and their clients (0) breaks around the member that writes.
func partitions() []partition {
	return []partition{
		{"the writer is cut off", 6 * time.Second, func(c *Cluster, id int, _ ...int) { c.Isolate(id) }},
		{"the writer is cut off from the members, not from the clients", 10 * time.Second, func(c *Cluster, id int, others ...int) {
			c.CutOff(id, others...)
		}},
		{"nothing that the writer says arrives", 6 * time.Second, func(c *Cluster, id int, others ...int) {
			for _, other := range append(others, 0) {
				c.Cut(id, other)
			}
		}},
		{"nothing arrives at the writer", 6 * time.Second, func(c *Cluster, id int, others ...int) {
			for _, other := range append(others, 0) {
				c.Cut(other, id)
			}
		}},
		{"the clients alone do not reach the writer", 10 * time.Second, func(c *Cluster, id int, _ ...int) { c.CutOff(0, id) }},
		{"the writer is the bridge between the others", time.Second, func(c *Cluster, _ int, others ...int) { c.CutOff(others[0], others[1]) }},
		{"another one is the bridge", 10 * time.Second, func(c *Cluster, id int, others ...int) { c.CutOff(id, others[0]) }},
		{"a follower is cut off", time.Second, func(c *Cluster, _ int, others ...int) { c.Isolate(others[0]) }},
	}
}

// partition is one of them, and within what time appends go on.
type partition struct {
	name   string
	within time.Duration
	part   func(c *Cluster, writer int, others ...int)
}

func TestAppendsGoOnWhicheverWayTheNetworkBreaks(t *testing.T) {
	alongside(t)
	c := startChaosOf(t, NewNetworked(t, 3))
	for _, p := range partitions() {
		c.bounds[p.name] = p.within
		c.part(p)
	}
	c.finish()
}

// everyNetwork is all ways to make one.
func everyNetwork() map[string]func(testing.TB, int, uint64) (Network, error) {
	return map[string]func(testing.TB, int, uint64) (Network, error){
		"of namespaces": newHosts,
		"of proxies":    func(t testing.TB, n int, seed uint64) (Network, error) { return newProxies(t, n, seed), nil },
	}
}

// part breaks the network for a while.
func (c *chaos) part(p partition) {
	c.t.Helper()
	id := c.writer()
	c.hit("%s", p.name)
	p.part(c.Cluster, id, c.others(id)...)
	c.counts["partitions"]++
	c.goesOn("in a network that is broken")
	c.pause()
	c.Heal()
	for id := range c.everyone() {
		c.votes(id)
	}
	c.goesOn("after all lines are well again")
}
