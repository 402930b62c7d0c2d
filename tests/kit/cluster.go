// Package kit runs whole members under the seeded world: real actors, a disk in memory, a virtual clock.
package kit

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
)

// Name is what the member's root actor is called, on every node.
const Name = "quorumlog"

// Cluster is a set of members, one node each.
type Cluster struct {
	World   *actortest.World
	Members []*Member
	t       testing.TB
	auto    bool
	ids     []log.ReplicaID
	acked   []acknowledged
}

// Member is one member of a cluster.
type Member struct {
	ID     log.ReplicaID
	Node   *actortest.Node
	Store  *memory.Store
	Probe  *actortest.Probe // a client on the member's node
	Events []any            // what the member reported since its start
	// Wrap puts something between the replica and its disk, from the next start on. Nil puts nothing.
	Wrap func(storage.Store) storage.Store

	cluster *Cluster
	starts  int
	lives   uint64
}

// New makes a cluster of n members with EMPTY disks. None is started.
func New(t testing.TB, seed uint64, n int, autoInitialize bool) *Cluster {
	t.Helper()
	c := &Cluster{World: actortest.New(t, seed), t: t, auto: autoInitialize}
	for i := 1; i <= n; i++ {
		c.ids = append(c.ids, log.ReplicaID(i))
	}
	for _, id := range c.ids {
		m := &Member{ID: id, Node: c.World.Node(address(id)), cluster: c}
		m.Wipe()
		c.Members = append(c.Members, m)
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

func address(id log.ReplicaID) string { return fmt.Sprintf("node%d:7000", id) }

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

// Wipe gives a member that is not running an empty disk.
func (m *Member) Wipe() {
	m.lives++
	m.Store = memory.New(storage.Metadata{
		Cluster: "test", Replica: m.ID, Members: m.cluster.ids, Status: status.Empty,
		Incarnation: identity.Incarnation{Generation: 1, Disk: uint64(m.ID)<<32 | m.lives},
	})
}

// Start starts the member's process on its disk.
func (m *Member) Start() {
	meta := m.Store.Metadata()
	meta.Boot++
	if err := m.Store.SetMetadata(meta); err != nil {
		m.cluster.t.Fatal(err)
	}
	if err := m.Store.Sync(); err != nil {
		m.cluster.t.Fatal(err)
	}
	m.Events = nil
	m.Node.Spawn(Name, member.Props(m.config()))
	m.starts++
	m.Probe = m.Node.Probe(fmt.Sprintf("client%d", m.starts))
}

func (m *Member) config() member.Config {
	store := storage.Store(m.Store)
	if m.Wrap != nil {
		store = m.Wrap(m.Store)
	}
	peers := make(map[log.ReplicaID]*actor.PID)
	for _, id := range m.cluster.ids {
		peers[id] = actor.NewPID(address(id), Name+"/"+member.Replica)
	}
	return member.Config{
		Ensemble: ensemble.Ensemble{
			Self: m.ID, Members: m.cluster.ids, Clock: m.Node.Clock(), Random: m.Node.Random(),
			Patience: ensemble.Usual(), Log: zerolog.Nop(),
		},
		Peers: peers, Store: store, Cluster: identity.ClusterID{1}, Configuration: 1,
		AutoInitialize: m.cluster.auto, Report: func(e any) { m.Events = append(m.Events, e) },
	}
}

// Crash ends the member's process: what was not synced is lost.
func (m *Member) Crash() {
	m.Node.Crash()
	m.Store = m.Store.Crash(nil)
}

// Restart starts a new process after a Crash.
func (m *Member) Restart() {
	m.Node.Restart()
	m.Start()
}

// PID names one of the member's actors.
func (m *Member) PID(name string) *actor.PID { return m.Node.PID(Name + "/" + name) }

// Reported says whether the member reported this event since its start.
func (m *Member) Reported(event any) bool {
	for _, e := range m.Events {
		if e == event {
			return true
		}
	}
	return false
}

// Failure is the error with which the member reported that it is done for; nil if it did not.
func (m *Member) Failure() error {
	for _, e := range m.Events {
		if f, ok := e.(member.Failed); ok {
			return f.Err
		}
	}
	return nil
}

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
