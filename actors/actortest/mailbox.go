package actortest

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
)

// mailbox is an actor.Mailbox that waits for the world to choose it, and then hands over one message.
type mailbox struct {
	life    *life
	name    string
	party   party
	process actor.Process // what the registry knows the actor by
	invoker actor.MessageInvoker

	system    []any
	user      []parcel
	suspended bool
	occupied  int  // how often, see Node.Occupy
	queued    bool // in World.ready
	probe     bool
	stopped   bool

	since   time.Duration // when it got something to do; idle while it has nothing
	drawing uint64        // of ranks
	rank    rank
}

const idle = time.Duration(-1)

// parcel is a message in a mailbox. What came over the network keeps the bytes that it was unmarshalled from, for the trace.
type parcel struct {
	message    any
	marshalled []byte
}

// Panic is what is known about an actor that panicked.
type Panic struct {
	// Node is the address of the actor's node.
	Node string
	// Actor is the id of the actor's PID.
	Actor string
	// Message is what the actor was handling.
	Message any
	// Reason is what it panicked with.
	Reason any
	// Stack is where.
	Stack string
}

// Error tells all of it.
func (p Panic) Error() string {
	return fmt.Sprintf("actor %s/%s panicked on %T: %v\n%s", p.Node, p.Actor, p.Message, p.Reason, p.Stack)
}

// RegisterHandlers, Start and UserMessageCount are called by protoactor.
func (m *mailbox) RegisterHandlers(i actor.MessageInvoker, _ actor.Dispatcher) {
	m.invoker = i
	m.wake()
}

func (m *mailbox) Start() {}

func (m *mailbox) UserMessageCount() int { return len(m.user) }

// PostUserMessage is where every message to an actor of this node goes through.
func (m *mailbox) PostUserMessage(message any) {
	if m.foreign() { // a PID that was used on two nodes remembers the first one's actor
		m.life.node.world.Net.send(m.life.node.world.acting.node, actor.NewPID(m.life.node.address, m.name), message)
		return
	}
	for _, one := range unpack(message) {
		m.PostUserMessage(one)
	}
	if m.life.node.world.passes(m, message) {
		m.accept(parcel{message: message})
	}
}

// PostSystemMessage takes what protoactor tells an actor of this node.
func (m *mailbox) PostSystemMessage(message any) {
	w := m.life.node.world
	if m.foreign() {
		w.trace.note(w.now, "no system messages between nodes", party{node: w.acting.node.address}, m.party, message)
		return
	}
	if m.life.dead {
		return
	}
	m.system = append(m.system, message)
	m.wake()
}

// accept queues a message that was let through.
func (m *mailbox) accept(p parcel) {
	if m.life.dead || m.stopped {
		w := m.life.node.world
		w.trace.note(w.now, "lost, the actor is gone", party{}, m.party, actor.UnwrapEnvelopeMessage(p.message))
		return
	}
	m.user = append(m.user, p)
	m.wake()
}

// foreign tells whether the sender belongs to another node.
func (m *mailbox) foreign() bool {
	a := m.life.node.world.acting
	return a != nil && a.node != m.life.node
}

func (m *mailbox) wake() {
	runnable := len(m.system) > 0 || !m.suspended && len(m.user) > 0
	if m.invoker == nil || m.queued || m.life.dead || m.occupied > 0 || !runnable {
		return
	}
	w := m.life.node.world
	m.queued = true
	if m.since == idle {
		m.since = w.now
	}
	w.ready = append(w.ready, m)
}

// step hands over one message, system messages first.
func (m *mailbox) step() {
	m.queued = false
	if len(m.system) > 0 {
		m.handle(parcel{message: pop(&m.system)}, m.handleSystem)
	} else {
		m.handle(pop(&m.user), m.handleUser)
	}
	m.wake()
	if !m.queued {
		m.since = idle
	}
}

// handle does so as code of the actor's node, and survives a panic of the actor.
func (m *mailbox) handle(p parcel, by func(parcel)) {
	w := m.life.node.world
	before := w.acting
	w.acting = m.life
	defer func() {
		if reason := recover(); reason != nil {
			m.panicked(reason, p.message)
		}
		w.acting = before
	}()
	by(p)
}

func (m *mailbox) handleUser(p parcel) {
	w := m.life.node.world
	_, body, sender := actor.UnwrapEnvelope(p.message)
	w.trace.add(line{w.now, "user", where(sender), m.party, body}, p.marshalled)
	m.invoker.InvokeUserMessage(p.message)
}

// pop takes the first message. A queue that becomes empty keeps its room, because most hold one message at a time.
func pop[T any](queue *[]T) T {
	q := *queue
	first := q[0]
	clear(q[:1])
	if *queue = q[1:]; len(q) == 1 {
		*queue = q[:0]
	}
	return first
}

// handleSystem looks whether the actor has stopped, which only such a message does.
func (m *mailbox) handleSystem(p parcel) {
	defer m.retire()
	w := m.life.node.world
	w.trace.note(w.now, "system", party{}, m.party, p.message)
	switch p.message.(type) {
	case *actor.SuspendMailbox:
		m.suspended = true
	case *actor.ResumeMailbox:
		m.suspended = false
	default:
		m.invoker.InvokeSystemMessage(p.message)
	}
}

// panicked tells the world first and the supervisor then.
func (m *mailbox) panicked(reason, message any) {
	w := m.life.node.world
	p := Panic{Node: m.life.node.address, Actor: m.name, Reason: reason, Stack: string(debug.Stack())}
	p.Message = actor.UnwrapEnvelopeMessage(message)
	w.trace.note(w.now, "panic", party{}, m.party, p.Message)
	if w.forgive == nil || !w.forgive(p) {
		w.fail(p)
	}
	m.invoker.EscalateFailure(reason, message)
}

// retire notices that the actor has stopped. What its mailbox still holds from other actors is lost; system messages,
// such as Watch, are still answered.
func (m *mailbox) retire() {
	if m.stopped || m.life.dead {
		return
	}
	if now, _ := m.life.system.ProcessRegistry.GetLocal(m.name); now == m.process {
		return
	}
	m.stopped = true
	m.user = nil
	if m.life.mailboxes[m.name] == m {
		delete(m.life.mailboxes, m.name)
	}
}

// unpack returns the messages of a batch.
func unpack(message any) []any {
	if b, ok := actor.UnwrapEnvelopeMessage(message).(actor.MessageBatch); ok {
		return b.GetMessages()
	}
	return nil
}

// passes asks the filter about a message between two actors of one node.
func (w *World) passes(m *mailbox, message any) bool {
	_, body, sender := actor.UnwrapEnvelope(message)
	p, ok := body.(proto.Message)
	if w.filter == nil || !ok {
		return true
	}
	address := m.life.node.address
	e := Envelope{From: address, To: address, Target: m.name, Message: p}
	if sender != nil {
		e.Sender = sender.Id
	}
	verdict := w.judge(&e)
	if verdict == Hold {
		w.hold(e, func() { m.accept(parcel{message: message}) })
	}
	return verdict == Deliver
}
