package process

import (
	"testing"
	"time"
)

// partitions are ways in which a network of three members and their clients (0) breaks around the member that writes.
func partitions() []partition {
	return []partition{
		{"the writer is cut off", 6 * time.Second, func(c *Cluster, id, _, _ int) { c.Isolate(id) }},
		{"the writer is cut off from the members, not from the clients", 10 * time.Second, func(c *Cluster, id, a, b int) {
			c.CutOff(id, a, b)
		}},
		{"nothing that the writer says arrives", 6 * time.Second, func(c *Cluster, id, a, b int) {
			c.Cut(id, 0)
			c.Cut(id, a)
			c.Cut(id, b)
		}},
		{"nothing arrives at the writer", 6 * time.Second, func(c *Cluster, id, a, b int) {
			c.Cut(0, id)
			c.Cut(a, id)
			c.Cut(b, id)
		}},
		{"the clients alone do not reach the writer", 10 * time.Second, func(c *Cluster, id, _, _ int) { c.CutOff(0, id) }},
		{"the writer is the bridge between the others", time.Second, func(c *Cluster, _, a, b int) { c.CutOff(a, b) }},
		{"another one is the bridge", 10 * time.Second, func(c *Cluster, id, a, _ int) { c.CutOff(id, a) }},
		{"a follower is cut off", time.Second, func(c *Cluster, _, a, _ int) { c.Isolate(a) }},
	}
}

// partition is one of them, and within what time appends go on.
type partition struct {
	name   string
	within time.Duration
	part   func(c *Cluster, writer, a, b int)
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
	p.part(c.Cluster, id, id%3+1, (id+1)%3+1)
	c.counts["partitions"]++
	c.goesOn("in a network that is broken")
	c.pause()
	c.Heal()
	for id := range c.everyone() {
		c.votes(id)
	}
	c.goesOn("after all lines are well again")
}
