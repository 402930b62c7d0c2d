package actortest

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Network carries the messages between the nodes. At first it is fast and without faults: 0.1 to 5 ms, in order.
//
// A message is lost where its link is cut when it is sent, or when it would arrive; and where the receiving node is down
// when it would arrive.
type Network struct {
	world    *World
	chance   *rand.Rand
	standard Quality
	links    map[path]Quality
	latest   map[path]time.Duration // the last arrival, which later messages do not overtake
	cut      map[path]bool
	isolated map[string]bool
	group    map[string]int // nil without a partition
	flying   int            // messages on their way
}

// Quality is how a link behaves.
type Quality struct {
	// Min and Max bound how long a message takes.
	Min, Max time.Duration
	// Tail is the probability that a message takes longer than Max, from 0 to 1: up to Longest, which is above Max. Each
	// doubling of the time is equally likely. Without Reorder later messages wait behind it.
	Tail float64
	// Longest is what a message of the Tail takes at most.
	Longest time.Duration
	// Drop is the probability that a message is lost, from 0 to 1; it is drawn for each copy.
	Drop float64
	// Duplicate is the probability that a message is sent twice, from 0 to 1.
	Duplicate float64
	// Reorder lets messages overtake each other. Without it a link is like a TCP stream.
	Reorder bool
}

type path struct{ from, to string }

func newNetwork(w *World) *Network {
	return &Network{
		world: w, chance: rand.New(rand.NewPCG(w.seed, 2)),
		standard: Quality{Min: 100 * time.Microsecond, Max: 5 * time.Millisecond},
		links:    map[path]Quality{}, latest: map[path]time.Duration{}, cut: map[path]bool{}, isolated: map[string]bool{},
	}
}

// Delay sets how long a message takes, on every link without a quality of its own.
func (n *Network) Delay(low, high time.Duration) { n.standard.Min, n.standard.Max = low, high }

// Tail sets the probability that a message takes longer than Delay says, and how long at most, on every link without a
// quality of its own.
func (n *Network) Tail(p float64, longest time.Duration) {
	n.standard.Tail, n.standard.Longest = p, longest
}

// Drop sets the probability that a message is lost, on every link without a quality of its own.
func (n *Network) Drop(p float64) { n.standard.Drop = p }

// Duplicate sets the probability that a message comes twice, on every link without a quality of its own.
func (n *Network) Duplicate(p float64) { n.standard.Duplicate = p }

// Reorder lets messages overtake each other, on every link without a quality of its own.
func (n *Network) Reorder(on bool) { n.standard.Reorder = on }

// Link gives the link from one address to another, one way, a quality of its own.
func (n *Network) Link(from, to string, q Quality) { n.links[path{from, to}] = q }

// Cut cuts the link from one address to another, one way.
func (n *Network) Cut(from, to string) { n.cut[path{from, to}] = true }

// Heal undoes Cut.
func (n *Network) Heal(from, to string) { delete(n.cut, path{from, to}) }

// Isolate cuts every link to and from an address, also to nodes that are made later.
func (n *Network) Isolate(address string) { n.isolated[address] = true }

// Join undoes Isolate.
func (n *Network) Join(address string) { delete(n.isolated, address) }

// Partition cuts every link between two groups. Addresses in no group are one more group. It replaces the partition
// before; without groups there is none.
func (n *Network) Partition(groups ...[]string) {
	n.group = map[string]int{}
	for i, g := range groups {
		for _, address := range g {
			n.group[address] = i + 1
		}
	}
}

// HealAll undoes every Cut, Isolate and Partition. Qualities stay.
func (n *Network) HealAll() {
	clear(n.cut)
	clear(n.isolated)
	n.group = nil
}

// Reaches is false where Cut, Isolate or Partition blocks the link from one address to another, one way. Whether anybody is
// there does not matter.
func (n *Network) Reaches(from, to string) bool { return !n.blocked(path{from, to}) }

// Flying counts the messages on their way.
func (n *Network) Flying() int { return n.flying }

func (n *Network) blocked(p path) bool {
	return n.cut[p] || n.isolated[p.from] || n.isolated[p.to] || n.group[p.from] != n.group[p.to]
}

// packet is a marshalled message.
type packet struct {
	Envelope
	kind   protoreflect.MessageType
	bytes  []byte // not nil
	header map[string]string
}

// send takes a message from an actor of one node to the PID of another.
func (n *Network) send(from *Node, to *actor.PID, message any) {
	w := n.world
	if from.life == nil {
		return // the last words of an actor on a node that has just crashed
	}
	header, body, sender := actor.UnwrapEnvelope(message)
	m, ok := body.(proto.Message)
	if !ok {
		w.fail(fmt.Errorf("%s sends %T to %s: between nodes only protobuf messages travel", from.address, body, where(to)))
		return
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		w.fail(fmt.Errorf("%s sends %T to %s: %w", from.address, body, where(to), err))
		return
	}
	p := &packet{bytes: b, kind: m.ProtoReflect().Type()}
	p.Envelope = Envelope{From: from.address, To: to.Address, Target: to.Id, Message: m}
	if sender != nil {
		p.Sender = sender.Id
	}
	p.keep(header)
	switch w.judge(&p.Envelope) {
	case Deliver:
		n.transmit(p, sender)
	case Hold:
		w.hold(p.Envelope, func() { n.transmit(p, sender) })
	case Drop:
	}
}

// keep copies the header, where there is one.
func (p *packet) keep(h actor.ReadonlyMessageHeader) {
	if h != nil && h.Length() > 0 {
		p.header = h.ToMap()
	}
}

// transmit puts a message, and sometimes a copy, on its way.
func (n *Network) transmit(p *packet, sender *actor.PID) {
	q := n.quality(path{p.From, p.To})
	n.launch(p, sender, q)
	if n.happens(q.Duplicate) {
		n.note("twice", p)
		n.launch(p, sender, q)
	}
}

func (n *Network) launch(p *packet, sender *actor.PID, q Quality) {
	w, way := n.world, path{p.From, p.To}
	switch to := w.find(p.To); {
	case to == nil:
		n.note("no such node", p)
	case n.blocked(way):
		n.note("cut", p)
	case n.happens(q.Drop):
		n.note("dropped", p)
	default:
		at := w.now + n.takes(q)
		if !q.Reorder {
			at = max(at, n.latest[way])
			n.latest[way] = at
		}
		n.flying++
		w.events.add(&event{at: at, to: to, happen: func() { n.arrive(to, p, sender) }})
	}
}

// note traces what becomes of a message.
func (n *Network) note(what string, p *packet) {
	n.world.trace.add(line{n.world.now, what, p.from(), p.to(), p.Message}, p.bytes)
}

// takes draws how long a message is on its way.
func (n *Network) takes(q Quality) time.Duration {
	if q.Longest > q.Max && n.happens(q.Tail) {
		low := max(q.Max, time.Microsecond)
		low <<= n.chance.IntN(max(bits.Len64(uint64(q.Longest/low)), 1))
		return min(low+n.between(low), q.Longest)
	}
	return q.Min + n.between(q.Max-q.Min)
}

// between draws a time below d; 0 where there is none.
func (n *Network) between(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(n.chance.Int64N(int64(d)))
}

// arrive hands a fresh copy of the message to the node.
func (n *Network) arrive(to *Node, p *packet, sender *actor.PID) {
	n.flying--
	w := n.world
	if n.blocked(path{p.From, p.To}) {
		n.note("cut", p)
		return
	}
	if to.life == nil {
		n.note("node is down", p)
		return
	}
	m := p.kind.New().Interface()
	if err := proto.Unmarshal(p.bytes, m); err != nil {
		w.fail(fmt.Errorf("%T from %s: %w", p.Message, p.From, err))
		return
	}
	e := &actor.MessageEnvelope{Message: m}
	if sender != nil {
		e.Sender = actor.NewPID(sender.Address, sender.Id) // the original remembers an actor of the other node
	}
	for key, value := range p.header {
		e.SetHeader(key, value)
	}
	to.deliver(p.Target, e, p.bytes)
}

// deliver gives an actor of this node a message that was let through already.
func (n *Node) deliver(id string, e *actor.MessageEnvelope, marshalled []byte) {
	if m := n.life.mailboxes[id]; m != nil {
		m.accept(parcel{e, marshalled})
		return
	}
	process, _ := n.System.ProcessRegistry.GetLocal(id)
	n.world.as(n.life, func() { process.SendUserMessage(n.PID(id), e) })
}

func (n *Network) quality(p path) Quality {
	if q, ok := n.links[p]; ok {
		return q
	}
	return n.standard
}

// happens draws for a probability, and draws nothing where it is 0.
func (n *Network) happens(p float64) bool { return p > 0 && n.chance.Float64() < p }

// link stands for every actor of other nodes on one node.
type link struct{ node *Node }

// SendUserMessage sends over the network; or not at all over it, where the PID remembers a link of another node.
func (l link) SendUserMessage(to *actor.PID, message any) {
	from := l.node
	if a := from.world.acting; a != nil {
		from = a.node
	}
	if from.address != to.Address {
		from.world.Net.send(from, to, message)
		return
	}
	process, _ := from.System.ProcessRegistry.GetLocal(to.Id)
	process.SendUserMessage(to, message)
}

// SendSystemMessage loses the message: nobody may rely on Watch, Stop and Terminated between nodes.
func (l link) SendSystemMessage(to *actor.PID, message any) {
	w := l.node.world
	w.trace.note(w.now, "no system messages between nodes", party{node: l.node.address}, where(to), message)
}

// Stop loses the message too.
func (l link) Stop(to *actor.PID) { l.SendSystemMessage(to, &actor.Stop{}) }
