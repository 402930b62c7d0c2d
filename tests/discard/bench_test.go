// Package discard claims that whoever no longer wants a result gets rid of the work: an actor that is poisoned ends, with
// all its children and timers, wherever it is. In Mesos a discarded recovery could wait for ever (MESOS-5626).
package discard

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a node with a replica, a network and nothing else, as the third member of a cluster; the actor that is to be
// discarded runs there, as a child of an actor that listens.
type bench struct {
	*testing.T
	cluster *kit.Cluster
	node    *actortest.Node
	store   *memory.Store
	holding []string       // names of messages that are held on their way to or from the node
	heard   map[string]int // messages that came to the node, by name
	told    []any          // what the subject told its parent

	ensemble *ensemble.Ensemble
	parent   *actor.PID
	actors   []string // on the node, without the subject
	timers   int      // of the world, without the subject
}

// setup is how a bench begins.
type setup struct {
	local  status.Status    // of the third replica
	peers  [2]status.Status // of the others
	absent bool             // nobody else is there
	shared []log.Action     // records of the others
	higher bool             // the others have promised a proposal that is higher than any that this replica takes first
	hold   []string         // messages that are held on their way to or from the node, from the start of the subject on
}

// spawn asks the parent for the subject.
type spawn struct{ producer actor.Producer }

func newBench(t *testing.T, seed uint64, s setup) *bench {
	t.Helper()
	b := &bench{T: t, cluster: kit.New(t, seed, 3, false), heard: map[string]int{}}
	b.cluster.World.Filter(b.judge)
	b.node = b.cluster.Member(3).Node
	for i, m := range b.cluster.Members[:2] {
		m.Prepare(func(meta *storage.Metadata) {
			meta.Status = s.peers[i]
			if s.higher {
				meta.Promised, meta.Highest = log.NewProposal(900, 1), log.NewProposal(900, 1)
			}
		}, s.shared...)
		m.Start()
	}
	if s.absent {
		b.cluster.World.Net.Isolate(b.node.Address())
	}
	b.settle(s)
	b.holding = s.hold
	return b
}

// settle starts the replica, the network and their parent, and lets everybody find each other.
func (b *bench) settle(s setup) {
	m := b.cluster.Member(3)
	m.Prepare(func(meta *storage.Metadata) { meta.Status, meta.Boot = max(s.local, status.Empty), 1 })
	b.store = m.Store
	b.parent = b.node.Spawn(kit.Name, actor.PropsFromFunc(b.receive))
	b.cluster.World.Run(5 * time.Second)
	b.actors, b.timers = b.node.Actors(), b.cluster.World.Timers()
	clear(b.heard)
}

func (b *bench) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		b.start(ctx)
	case spawn:
		b.child(ctx, "subject", m.producer)
	default:
		b.told = append(b.told, m)
	}
}

// start starts what the subject talks to.
func (b *bench) start(ctx actor.Context) {
	ids := []log.ReplicaID{1, 2, 3}
	b.ensemble = &ensemble.Ensemble{
		Self: 3, Members: ids, Clock: b.node.Clock(), Random: b.node.Random(), Patience: ensemble.Usual(), Log: zerolog.Nop(),
		Measures: measure.New(b.node.Clock().Now()),
	}
	b.ensemble.Replica = b.child(ctx, member.Replica, replica.New(replica.Config{
		Store: b.store, Cluster: identity.ClusterID{1}, Configuration: 1, Members: ids,
		Clock: b.node.Clock(), Random: b.node.Random(), Log: zerolog.Nop(),
	}))
	b.ensemble.Peers = map[log.ReplicaID]*actor.PID{3: b.ensemble.Replica}
	for _, m := range b.cluster.Members[:2] {
		b.ensemble.Peers[m.ID] = m.PID(member.Replica)
	}
	b.ensemble.Network = b.child(ctx, member.Network, network.New(network.Config{Ensemble: b.ensemble}))
}

func (b *bench) child(ctx actor.Context, name string, producer actor.Producer) *actor.PID {
	pid, err := ctx.SpawnNamed(b.ensemble.Props(producer), name)
	if err != nil {
		b.Errorf("spawn %s: %v", name, err)
	}
	return pid
}

// judge holds what is to be held, and counts what comes to the node.
func (b *bench) judge(e actortest.Envelope) actortest.Verdict {
	name := string(e.Message.ProtoReflect().Descriptor().Name())
	here := b.node.Address()
	if (e.From == here || e.To == here) && slices.Contains(b.holding, name) {
		return actortest.Hold
	}
	if e.To == here {
		b.heard[name]++
	}
	return actortest.Deliver
}

// run starts the subject.
func (b *bench) run(producer actor.Producer) {
	b.node.Root().Send(b.parent, spawn{producer})
}

func (b *bench) subject() *actor.PID { return b.node.PID(kit.Name + "/subject") }

// firstChild is one of the subject's children; nil if it has none.
func (b *bench) firstChild() *actor.PID {
	for _, name := range b.node.Actors() {
		if strings.HasPrefix(name, b.subject().Id+"/") {
			return b.node.PID(name)
		}
	}
	return nil
}

// discard poisons the subject.
func (b *bench) discard() { b.node.Root().Poison(b.subject()) }

// heldHere counts messages of a name that are held.
func (b *bench) heldHere(name string) int {
	n := 0
	for _, e := range b.cluster.World.Held() {
		if string(e.Message.ProtoReflect().Descriptor().Name()) == name {
			n++
		}
	}
	return n
}

// expectGone fails the test unless the node is as it was before the subject: at once, and also when late answers come.
func (b *bench) expectGone(when string) {
	b.Helper()
	b.cluster.World.Run(20 * time.Millisecond)
	b.expectSame(when)
	b.holding = nil
	b.cluster.World.Release(nil)
	b.cluster.World.Run(30 * time.Second)
	b.expectSame(when + ", and late answers came")
}

func (b *bench) expectSame(when string) {
	b.Helper()
	if now := b.node.Actors(); !slices.Equal(now, b.actors) {
		b.Fatalf("seed %d, discarded %s: there is still %q", b.cluster.World.Seed(), when, left(now, b.actors))
	}
	if now := b.cluster.World.Timers(); now != b.timers {
		b.Fatalf("seed %d, discarded %s: %d timers, and %d before", b.cluster.World.Seed(), when, now, b.timers)
	}
}

func left(now, before []string) string {
	return strings.Join(slices.DeleteFunc(now, func(name string) bool { return slices.Contains(before, name) }), " ")
}

// reach runs the world until the subject is where it is to be discarded.
func (b *bench) reach(where string, there func() bool) {
	b.Helper()
	b.cluster.World.Must(b.T, time.Minute, where, there)
}
