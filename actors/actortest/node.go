package actortest

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/timer"
)

// Node is one process of the world: an address and an actor system of its own.
type Node struct {
	// System is the actor system; Restart makes a new one.
	System *actor.ActorSystem

	world   *World
	address string
	life    *life // nil while the node is down
	random  *rand.Rand

	skew   time.Duration // of its clock
	pace   float64       // of its clock; 1 is that of virtual time
	since  time.Duration // virtual time when the pace was set
	before time.Duration // that its clock measured until then
}

// life is what a node loses when it crashes.
type life struct {
	node      *Node
	system    *actor.ActorSystem
	mailboxes map[string]*mailbox // of live actors
	timers    int                 // pending
	dead      bool
}

// Node returns the node with this address, and makes it when it is new.
func (w *World) Node(address string) *Node {
	if n := w.find(address); n != nil {
		return n
	}
	name := fnv.New64a()
	_, _ = io.WriteString(name, address) // a hash never fails
	n := &Node{world: w, address: address, pace: 1, random: rand.New(rand.NewPCG(w.seed, name.Sum64()))}
	w.nodes = append(w.nodes, n)
	n.start()
	return n
}

func (w *World) find(address string) *Node {
	for _, n := range w.nodes {
		if n.address == address {
			return n
		}
	}
	return nil
}

// Address is what the node's PIDs carry.
func (n *Node) Address() string { return n.address }

// Up is false from Crash to Restart.
func (n *Node) Up() bool { return n.life != nil }

// Root is the root context of the node's actor system.
func (n *Node) Root() *actor.RootContext { return n.System.Root }

// Clock is the node's clock: virtual, and the same before and after a restart.
func (n *Node) Clock() timer.Clock { return clock{n} }

// Random is the node's source of randomness, made from the world's seed and the address. It goes on after a restart.
func (n *Node) Random() timer.Random { return n.random }

// PID names an actor of this node. Nothing needs to run there yet.
func (n *Node) PID(name string) *actor.PID { return actor.NewPID(n.address, name) }

// Spawn starts an actor. A name that is taken, and a node that is down, fail the world.
func (n *Node) Spawn(name string, props *actor.Props) *actor.PID {
	n.world.helper()
	if n.life == nil {
		n.world.fail(fmt.Errorf("spawn %s/%s: %w", n.address, name, errDown))
		return n.PID(name)
	}
	var pid *actor.PID
	var err error
	n.world.as(n.life, func() { pid, err = n.System.Root.SpawnNamed(props, name) })
	if err != nil {
		n.world.fail(fmt.Errorf("spawn %s/%s: %w", n.address, name, err))
	}
	return pid
}

// Actors lists the live actors of the node by the ids of their PIDs, sorted, children included, probes not.
func (n *Node) Actors() []string {
	names := []string{}
	if n.life == nil {
		return names
	}
	for name, m := range n.life.mailboxes {
		if !m.probe {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Timers counts the pending timers of the node. Cancelled ones do not count.
func (n *Node) Timers() int {
	if n.life == nil {
		return 0
	}
	return n.life.timers
}

// Occupy keeps the actor of this node with that name from handling anything for d of virtual time, system messages included:
// it does what takes so long, such as to wait for a disk. Nothing happens where there is none.
func (n *Node) Occupy(name string, d time.Duration) {
	if n.life == nil || n.life.mailboxes[name] == nil {
		return
	}
	w, m := n.world, n.life.mailboxes[name]
	m.occupied++
	m.queued = false
	w.ready = slices.DeleteFunc(w.ready, func(r *mailbox) bool { return r == m })
	w.trace.note(w.now, "occupied", party{}, m.party, nil)
	w.events.add(&event{at: w.now + d, life: n.life, happen: func() {
		m.occupied--
		m.wake()
	}})
}

// Crash ends the node as a power cut does: its actors are gone without a word, with their mailboxes and timers, and so
// is what was on its way to them. What the node sent before still arrives. Nothing happens on a node that is down.
func (n *Node) Crash() {
	if n.life == nil {
		return
	}
	n.world.trace.note(n.world.now, "crash", party{}, party{node: n.address}, nil)
	n.end()
}

// Restart starts the node again, with a fresh actor system under the old address, and without any actor. A node that is
// up crashes first.
func (n *Node) Restart() {
	n.Crash()
	n.world.trace.note(n.world.now, "restart", party{}, party{node: n.address}, nil)
	n.start()
}

func (n *Node) end() {
	l, w := n.life, n.world
	if l == nil {
		return
	}
	l.dead, n.life = true, nil
	for name := range l.mailboxes { // so that no PID remembers them
		l.system.ProcessRegistry.Remove(n.PID(name))
	}
	w.events.drop(func(e *event) bool { return e.life == l })
	w.Net.flying -= w.events.drop(func(e *event) bool { return e.to == n })
	w.ready = slices.DeleteFunc(w.ready, func(m *mailbox) bool { return m.life == l })
}

func (n *Node) start() {
	l := &life{node: n, mailboxes: map[string]*mailbox{}}
	n.world.borrow()
	s := n.world.mold.cast(n.address)
	s.ProcessRegistry.RegisterAddressResolver(func(*actor.PID) (actor.Process, bool) { return link{n}, true })
	s.Root.WithSenderMiddleware(l.sends).WithSpawnMiddleware(l.roots)
	s.EventStream.Subscribe(l.observe)
	l.system, n.System, n.life = s, s, l
}

// sends marks what the root context sends as sent by this node.
func (l *life) sends(next actor.SenderFunc) actor.SenderFunc {
	return func(c actor.SenderContext, to *actor.PID, e *actor.MessageEnvelope) {
		l.node.world.as(l, func() { next(c, to, e) })
	}
}

// observe traces what reached nobody.
func (l *life) observe(x any) {
	if d, ok := x.(*actor.DeadLetterEvent); ok {
		l.node.world.trace.note(l.node.world.now, "nobody there", where(d.Sender), where(d.PID), d.Message)
	}
}

// roots spawns actors without a parent. It does not ask next, which forgets the guardian.
func (l *life) roots(actor.SpawnFunc) actor.SpawnFunc { return l.spawns(actor.DefaultSpawner) }

// spawns gives every actor that it spawns the world's mailbox, and its descendants too.
func (l *life) spawns(next actor.SpawnFunc) actor.SpawnFunc {
	return func(s *actor.ActorSystem, id string, props *actor.Props, parent actor.SpawnerContext) (*actor.PID, error) {
		var m *mailbox // stays nil where the props bring a mailbox of ours already
		ours := props.Clone(actor.WithSpawnMiddleware(l.spawns), actor.WithMailbox(func() actor.Mailbox {
			m = &mailbox{life: l, name: id, party: party{l.node.address, id}, since: idle}
			return m
		}))
		pid, err := next(s, id, ours, parent)
		if err == nil && m != nil {
			m.process, _ = s.ProcessRegistry.GetLocal(id)
			l.mailboxes[id] = m
		}
		return pid, err
	}
}

func (w *World) helper() {
	if w.t != nil {
		w.t.Helper()
	}
}
