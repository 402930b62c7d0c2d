package process

import (
	"math/rand/v2"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// Network is what lies between the members of a cluster and their clients: hosts 1, 2, ... are those of the members, and
// host 0 is that of the test with all its clients.
type Network interface {
	// Set says how everything fares from one host to another from now on.
	Set(from, to int, q Quality)
	// Addresses are what the members tell each other, in the order of their ids.
	Addresses() []string
	// Launch starts a process of a member where that member lives.
	Launch(id int, command *exec.Cmd) error
	// Flags are what a member's serve needs besides the usual.
	Flags(id int) []string
	// Kind is for messages of tests.
	Kind() string
}

// Quality is how everything fares in one direction. The zero value is a perfect line.
type Quality struct {
	Cut    bool          // nothing arrives
	Loss   float64       // of packets; a stream of bytes has what was lost 200 ms later
	Twice  float64       // of packets; a stream of bytes has none
	Delay  time.Duration // of everything
	Jitter time.Duration // more delay, at random; it changes the order of packets
}

// resent is when TCP sends again what was lost, at the earliest.
const resent = 200 * time.Millisecond

func (q Quality) wait(random func() float64) time.Duration {
	return q.Delay + time.Duration(random()*float64(q.Jitter))
}

// NewNetworked makes a cluster of n members, each on a host of its own where this process may make some (namespaces of
// Linux, which nobody else sees). Elsewhere there is a proxy before every member. None is started.
func NewNetworked(t testing.TB, n int) *Cluster {
	t.Helper()
	seed := rand.Uint64()
	network, err := newHosts(t, n, seed)
	if err != nil {
		t.Logf("no hosts of their own: %v; proxies do what they can", err)
		network = newProxies(t, n, seed)
	}
	t.Logf("the network is made of %s, seed %d", network.Kind(), seed)
	return NewOn(t, network)
}

// NewOn makes a cluster of the members of a network. None is started.
func NewOn(t testing.TB, network Network) *Cluster {
	t.Helper()
	c := &Cluster{t: t, binary: Build(t), Dir: t.TempDir(), Addresses: network.Addresses(), Network: network,
		running: make(map[int]*Process)}
	c.list()
	return c
}

// Cut stops everything from one host to another, and not what comes back.
func (c *Cluster) Cut(from, to int) { c.Network.Set(from, to, Quality{Cut: true}) }

// CutOff stops everything between a host and these others.
func (c *Cluster) CutOff(host int, others ...int) {
	for _, other := range others {
		c.Cut(host, other)
		c.Cut(other, host)
	}
}

// Isolate stops everything between a member and all others, the clients too.
func (c *Cluster) Isolate(id int) {
	for _, other := range c.hosts() {
		if other != id {
			c.CutOff(id, other)
		}
	}
}

// hosts are those of the clients, and of all members.
func (c *Cluster) hosts() []int { return slices.Concat([]int{0}, c.ids) }

// Between gives all lines between members this quality, and those of the clients too.
func (c *Cluster) Between(q Quality) {
	for _, from := range c.hosts() {
		for _, to := range c.hosts() {
			if from != to {
				c.Network.Set(from, to, q)
			}
		}
	}
}

// Heal makes all lines perfect.
func (c *Cluster) Heal() { c.Between(Quality{}) }
