package logtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
)

// Name is what a member's root actor is called, on every node. Clients talk to its child member.Gateway; see Member.PID.
const Name = "quorumlog"

// Member is one member of a cluster: a process on a disk.
type Member struct {
	// ID is the replica's.
	ID log.ReplicaID
	// Node is where its actors run. Its clock is set by Node.Skew and Node.Drift.
	Node *actortest.Node
	// Store is its disk. A Kill replaces it by what the crash leaves of it.
	Store *memory.Store
	// Wrap puts something between the process and its disk, from the next start on. nil puts nothing.
	Wrap func(storage.Store) storage.Store
	// CopyLimit is what its catch-ups may copy, from the next start on; see catchup.NewLimit. nil is no limit.
	CopyLimit *rate.Limiter
	// Alone has it started with a list of itself alone, from the next start on, as if the log had begun with it.
	Alone bool
	// Events is what the process reported since its start: member.Ready, member.Recovered, replica.StatusChanged and so on.
	Events []any
	// Failed is told when the process reports that it is done for, and why. It should Kill it, as every owner of a member
	// must; see member.Failed. Where it is nil, the process is killed, and the test fails, but for what FailDisk did.
	Failed func(err error)

	cluster *Cluster
	running bool
	torn    bool // the next sync of the disk ends the process
	broken  bool // the next sync of the disk fails
	life    int  // counts the starts
	joins   bool // it was not there when the log began
	disks   uint64
	twins   int
	client  *client // of this life; nil until it is needed
}

// Start starts the process on its disk. The member must not run.
func (m *Member) Start() {
	m.cluster.t.Helper()
	if !m.Node.Up() {
		m.Node.Restart()
	}
	meta := m.Store.Metadata()
	meta.Boot++
	if err := errors.Join(m.Store.SetMetadata(meta), m.Store.Sync()); err != nil {
		m.cluster.t.Fatalf("the disk of member %d: %v", m.ID, err)
	}
	m.life++
	m.Events, m.client, m.running, m.torn, m.broken = nil, nil, true, false, false
	m.Node.Spawn(Name, member.Props(m.config()))
}

func (m *Member) config() member.Config {
	c := m.cluster
	store := storage.Store(disk{m.Store, m})
	if m.Wrap != nil {
		store = m.Wrap(store)
	}
	peers := make(map[log.ReplicaID]*actor.PID)
	for _, id := range m.seeds() {
		peers[id] = actor.NewPID(Address(id), Name+"/"+member.Replica)
	}
	life := m.life
	return member.Config{
		Ensemble: ensemble.Ensemble{
			Self: m.ID, Members: m.seeds(), Clock: m.Node.Clock(), Random: m.Node.Random(), Patience: ensemble.Usual(), Log: zerolog.Nop(),
			CopyLimit: m.CopyLimit,
		},
		Others: peers, Store: store, Cluster: identity.ClusterID{1}, Configuration: m.list(), AutoInitialize: c.AutoInitialize,
		AutoElect: c.AutoElect, Memory: c.Memory,
		Report: func(event any) { m.reported(life, event) },
	}
}

// reported does what the owner of a process does.
func (m *Member) reported(life int, event any) {
	if life != m.life || !m.running {
		return // the last words of a process that was killed at this very step
	}
	m.Events = append(m.Events, event)
	f, failed := event.(member.Failed)
	switch {
	case !failed:
	case m.Failed != nil:
		m.Failed(f.Err)
	default:
		if !m.broken {
			m.cluster.t.Errorf("seed %d: member %d ended itself: %v", m.cluster.World.Seed(), m.ID, f.Err)
		}
		m.Kill()
	}
}

// Running is true from Start to Kill.
func (m *Member) Running() bool { return m.running }

// Kill ends the process as a power cut does: what was not synced is lost, and nobody is told. Every actor and probe on the
// node is gone. It may be called while one of its actors runs.
func (m *Member) Kill() { m.KillKeeping(nil) }

// KillKeeping is Kill, but the oldest part of what was not synced is on the disk all the same; how much is drawn from
// random, nothing where it is nil.
func (m *Member) KillKeeping(random *rand.Rand) {
	m.running = false
	m.Node.Crash()
	m.Store = m.Store.Crash(random)
}

// Restart starts the process again, after a Kill where it runs.
func (m *Member) Restart() {
	m.cluster.t.Helper()
	if m.running {
		m.Kill()
	}
	m.Start()
}

// TearWrite lets the process end in the middle of its next sync: the oldest part of what it writes is on the disk then, and
// the rest is not.
func (m *Member) TearWrite() { m.torn = true }

// FailDisk lets the next sync of the disk fail, and with it the process.
func (m *Member) FailDisk() {
	m.broken = true
	m.Store.FailNext(memory.Sync, errBroken)
}

var errBroken = errors.New("the test breaks this disk")

// Wipe replaces the disk by an empty one, after a Kill where the process runs. The member comes back with Start, as the same
// member, and must recover.
func (m *Member) Wipe() { m.change(storage.Fresh) }

// Replace is Wipe as an operator does it who knows that the replica had data, and says so: never again does
// the member take part in beginning a new log.
func (m *Member) Replace() { m.change(storage.Replacement) }

// change gives the member another disk.
func (m *Member) change(format func(storage.Metadata, uint64) storage.Metadata) {
	if m.running {
		m.Kill()
	}
	m.disks++
	owner := storage.Metadata{Cluster: "test", Replica: m.ID, Members: m.seeds()}
	m.Store = memory.New(format(owner, uint64(m.ID)<<32|m.disks))
}

// Isolate cuts the member off from everybody.
func (m *Member) Isolate() { m.cluster.World.Net.Isolate(m.Node.Address()) }

// Rejoin undoes Isolate.
func (m *Member) Rejoin() { m.cluster.World.Net.Join(m.Node.Address()) }

// PID names one of the member's actors, such as member.Gateway, whom clients talk to. It is good for all lives of the
// process; use it on one node only.
func (m *Member) PID(name string) *actor.PID { return m.Node.PID(Name + "/" + name) }

// Reported says whether the process reported this event since its start.
func (m *Member) Reported(event any) bool {
	for _, e := range m.Events {
		if e == event {
			return true
		}
	}
	return false
}

// Failure is the error with which the process ended itself; nil if it did not.
func (m *Member) Failure() error {
	for _, e := range m.Events {
		if f, ok := e.(member.Failed); ok {
			return f.Err
		}
	}
	return nil
}

// Status is what the member's disk says. A member that is VOTING may still need a moment until it serves clients.
func (m *Member) Status() status.Status { return m.Store.Metadata().Status }

// Require ends the test where the member does not run with this status, or a later one, within that much virtual time.
// With VOTING it also serves clients then.
func (m *Member) Require(s status.Status, within time.Duration) {
	m.cluster.t.Helper()
	m.cluster.require([]*Member{m}, s, within)
}

// has says whether the member runs with this status, or a later one; with VOTING it also serves clients.
func (m *Member) has(s status.Status) bool {
	return m.running && m.Status() >= s && (s < status.Voting || m.Reported(member.Recovered{}))
}

// is tells the member's state, for a sentence that begins with its name.
func (m *Member) is() string {
	switch f := m.Failure(); {
	case m.running && m.Status() == status.Voting && !m.has(status.Voting):
		return "is VOTING, but does not serve clients yet"
	case m.running:
		return "is " + m.Status().String()
	case f != nil:
		return fmt.Sprintf("ended itself (%v)", f)
	}
	return "does not run"
}

// disk is a member's disk, which may be torn.
type disk struct {
	*memory.Store
	member *Member
}

// StartSync has the process end instead of the sync, where it was to.
func (d disk) StartSync() (wait func() error) {
	inner := d.Store.StartSync()
	return func() error {
		if m := d.member; m.torn && m.Store == d.Store {
			m.KillKeeping(m.cluster.random)
			return nil // the process is dead: nothing that it does now leaves it
		}
		return inner()
	}
}
