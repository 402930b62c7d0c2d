package logtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
)

// Patience is how long the calls that must succeed are tried, in virtual time.
const Patience = time.Minute

// Cluster is a set of members of one log, each on a node of its own. Like its World it is for one goroutine.
type Cluster struct {
	// World is where the members live: the network, the filter, the schedule, nodes for your own actors.
	World *actortest.World
	// Members are in the order of their ids, which are 1, 2, 3 and so on.
	Members []*Member
	// AutoInitialize lets members with EMPTY disks begin a new log by themselves. New sets it; it counts at each start.
	AutoInitialize bool
	// Memory bounds what the members remember of sessions; the zero Memory is the usual one. It must not change.
	Memory replica.Memory
	// AutoElect has the members elect a writer by themselves, before a client asks. It counts at each start.
	AutoElect bool

	t        testing.TB
	random   *rand.Rand
	ids      []log.ReplicaID
	recorder *history.Recorder
	requests uint64 // that clients made
	sessions uint64 // of writers
}

// Start makes a cluster of n members, starts them on empty disks, and returns once all of them vote.
func Start(t testing.TB, seed uint64, n int) *Cluster {
	t.Helper()
	c := New(t, seed, n)
	c.Start()
	c.Require(status.Voting, Patience)
	return c
}

// New makes a cluster of n members with empty disks. None runs. Where the test fails, the status of every member is told,
// and the last steps of the world.
func New(t testing.TB, seed uint64, n int) *Cluster {
	t.Helper()
	c := &Cluster{
		World: actortest.New(t, seed), AutoInitialize: true, t: t, random: rand.New(rand.NewPCG(seed, 4)),
	}
	c.recorder = history.NewRecorder(c.World.Elapsed)
	for i := range n {
		c.ids = append(c.ids, log.ReplicaID(i+1))
	}
	for _, id := range c.ids {
		m := &Member{ID: id, Node: c.World.Node(Address(id)), cluster: c}
		m.Wipe()
		c.Members = append(c.Members, m)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.Report())
		}
	})
	return c
}

// Add makes one more member, with an empty disk. It does not run, and is no member of the log yet: have the log's members
// changed first.
func (c *Cluster) Add() *Member {
	id := log.ReplicaID(len(c.Members) + 1)
	m := &Member{ID: id, Node: c.World.Node(Address(id)), cluster: c, joins: true}
	m.Wipe()
	c.Members = append(c.Members, m)
	return m
}

// seeds is the list that the member is started with: those that the log began with, and itself.
func (m *Member) seeds() []log.ReplicaID {
	if m.Alone {
		return []log.ReplicaID{m.ID}
	}
	if m.joins {
		return append(slices.Clone(m.cluster.ids), m.ID)
	}
	return m.cluster.ids
}

// list is the hash of that list.
func (m *Member) list() uint64 {
	if m.Alone {
		return 1<<32 + uint64(m.ID)
	}
	if m.joins {
		return 1 + uint64(m.ID)
	}
	return 1
}

// Address is the address of a member's node.
func Address(id log.ReplicaID) string { return fmt.Sprintf("node%d:7000", id) }

// Member returns the member with this id.
func (c *Cluster) Member(id log.ReplicaID) *Member { return c.Members[id-1] }

// Gateway is whom clients of a member talk to, from any node: a new PID each time, because a PID is for one node only.
func (c *Cluster) Gateway(id log.ReplicaID) *actor.PID { return c.Member(id).PID(member.Gateway) }

// Start starts every member that does not run.
func (c *Cluster) Start() {
	for _, m := range c.Members {
		if !m.running {
			m.Start()
		}
	}
}

// Pass lets virtual time pass.
func (c *Cluster) Pass(d time.Duration) {
	c.t.Helper()
	c.World.Run(d)
}

// Require ends the test where not every member has this status, or a later one, within that much virtual time.
func (c *Cluster) Require(s status.Status, within time.Duration) {
	c.t.Helper()
	c.require(c.Members, s, within)
}

// Partition cuts these members off from all others, and from all nodes that are no members'. Among each other they still
// talk. It replaces the partition before.
func (c *Cluster) Partition(ids ...log.ReplicaID) {
	group := make([]string, len(ids))
	for i, id := range ids {
		group[i] = Address(id)
	}
	c.World.Net.Partition(group)
}

// Heal undoes every cut, partition and isolation.
func (c *Cluster) Heal() { c.World.Net.HealAll() }

// Recover heals the network and starts every member that does not run, and ends the test where they do not all vote within
// Patience. That is what the log promises where fewer than a quorum of the disks were lost at a time.
func (c *Cluster) Recover() {
	c.t.Helper()
	c.Heal()
	c.Start()
	c.Require(status.Voting, Patience)
}

// History is what the calls of members and writers did and were told so far, by package actors/actortest/history: each call is
// one of its Operations.
func (c *Cluster) History() *history.History { return c.recorder.History() }

// require runs the world until these members have a status, and ends the test where they do not within that much virtual time.
func (c *Cluster) require(members []*Member, s status.Status, within time.Duration) {
	c.t.Helper()
	deadline := c.World.Elapsed() + within
	for _, m := range members {
		switch err := c.World.Until(deadline-c.World.Elapsed(), func() bool { return m.has(s) }); {
		case c.World.Err() != nil:
			c.t.Fatal(c.World.Err())
		case err != nil:
			c.t.Fatalf("seed %d: %s, wanted %s within %v", c.World.Seed(), lacking(members, s), s, within)
		}
	}
}

// lacking tells what those members are that do not have a status.
func lacking(members []*Member, s status.Status) string {
	var all []string
	for _, m := range members {
		if !m.has(s) {
			all = append(all, fmt.Sprintf("member %d %s", m.ID, m.is()))
		}
	}
	return strings.Join(all, ", ")
}

// voting lists the members that serve clients.
func (c *Cluster) voting() []*Member {
	var all []*Member
	for _, m := range c.Members {
		if m.running && m.Reported(member.Recovered{}) {
			all = append(all, m)
		}
	}
	return all
}
