// Package kit runs whole members under the seeded world, as package logtest does, and looks behind the scenes: it prepares
// disks, talks to coordinators and replicas, and plays members.
package kit

import (
	"fmt"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
)

// Name is what the member's root actor is called, on every node.
const Name = logtest.Name

// Cluster is a set of members, one node each.
type Cluster struct {
	*logtest.Cluster
	Members []*Member
	t       testing.TB
	acked   []acknowledged
}

// Member is one member of a cluster.
type Member struct {
	*logtest.Member
	Probe *actortest.Probe // a client on the member's node

	cluster *Cluster
	starts  int
}

// New makes a cluster of n members with EMPTY disks. None is started.
func New(t testing.TB, seed uint64, n int, autoInitialize bool) *Cluster {
	t.Helper()
	c := &Cluster{Cluster: logtest.New(t, seed, n), t: t}
	c.AutoInitialize = autoInitialize
	for _, m := range c.Cluster.Members {
		m.Failed = func(error) {} // the tests look at Failure, and crash it themselves
		c.Members = append(c.Members, &Member{Member: m, cluster: c})
	}
	return c
}

// Voting makes a cluster of n members whose disks are VOTING and empty, as `quorumlog initialize` leaves them, and starts it.
func Voting(t testing.TB, seed uint64, n int) *Cluster {
	t.Helper()
	c := Initialized(t, seed, n)
	c.Start()
	c.AwaitVoting(c.Members...)
	return c
}

// Member returns the member with this id.
func (c *Cluster) Member(id log.ReplicaID) *Member { return c.Members[id-1] }

// Start starts every member.
func (c *Cluster) Start() {
	for _, m := range c.Members {
		m.Start()
	}
}

// AwaitVoting runs the world until these members serve clients.
func (c *Cluster) AwaitVoting(members ...*Member) {
	c.t.Helper()
	c.World.Must(c.t, time.Minute, "the members vote", func() bool {
		for _, m := range members {
			if !m.Reported(member.Recovered{}) {
				return false
			}
		}
		return true
	})
}

// Start starts the member's process on its disk.
func (m *Member) Start() {
	m.cluster.t.Helper()
	m.Member.Start()
	m.starts++
	m.Probe = m.Node.Probe(fmt.Sprintf("client%d", m.starts))
}

// Crash ends the member's process: what was not synced is lost.
func (m *Member) Crash() { m.Kill() }

// Restart starts a new process after a Crash.
func (m *Member) Restart() {
	m.Node.Restart()
	m.Start()
}

// Twin is a second process of the member on a copy of its disk: see logtest.Member.Twin.
func (m *Member) Twin() *Member { return &Member{Member: m.Member.Twin(), cluster: m.cluster} }

// Inspect asks the member's replica how it is.
func (m *Member) Inspect() replica.Inspected {
	m.cluster.t.Helper()
	m.Probe.Request(m.PID(member.Replica), replica.Inspect{})
	return actortest.Await[replica.Inspected](m.cluster.t, m.Probe, time.Minute)
}

// Status is the status of the member's replica.
func (m *Member) Status() status.Status {
	m.cluster.t.Helper()
	return m.Inspect().Status
}
