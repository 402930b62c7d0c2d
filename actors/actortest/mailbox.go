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
	process actor.Process // what the registry knows the actor by
	invoker actor.MessageInvoker

	system, user []any
	suspended    bool
	occupied     int  // how often, see Node.Occupy
	queued       bool // in World.ready
	probe        bool
	stopped      bool

	since   time.Duration // when it got something to do; idle while it has nothing
	drawing uint64        // of ranks
	rank    rank
}

const idle = time.Duration(-1)

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
		m.accept(message)
	}
}

// PostSystemMessage takes what protoactor tells an actor of this node.
func (m *mailbox) PostSystemMessage(message any) {
	w := m.life.node.world
	if m.foreign() {
		w.trace.note(w.now, "no system messages between nodes", w.acting.node.address, m.path(), message)
		return
	}
	if m.life.dead {
		return
	}
	m.system = append(m.system, message)
	m.wake()
}

// accept queues a message that was let through.
func (m *mailbox) accept(message any) {
	if m.life.dead || m.stopped {
		w := m.life.node.world
		w.trace.note(w.now, "lost, the actor is gone", "", m.path(), actor.UnwrapEnvelopeMessage(message))
		return
	}
	m.user = append(m.user, message)
	m.wake()
}

// foreign tells whether the sender belongs to another node.
func (m *mailbox) foreign() bool {
	a := m.life.node.world.acting
	return a != nil && a.node != m.life.node
}

func (m *mailbox) path() string { return m.life.node.address + "/" + m.name }

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
	w := m.life.node.world
	m.queued = false
	var message any
	w.as(m.life, func() {
		defer func() {
			if reason := recover(); reason != nil {
				m.panicked(reason, message)
			}
		}()
		if len(m.system) > 0 {
			message = pop(&m.system)
			m.handleSystem(message)
			return
		}
		message = pop(&m.user)
		_, body, sender := actor.UnwrapEnvelope(message)
		w.trace.note(w.now, "user", where(sender), m.path(), body)
		m.invoker.InvokeUserMessage(message)
	})
	m.retire()
	m.wake()
	if !m.queued {
		m.since = idle
	}
}

// pop takes the first message. A queue that becomes empty keeps its room, because most hold one message at a time.
func pop(queue *[]any) any {
	q := *queue
	first := q[0]
	q[0] = nil
	if *queue = q[1:]; len(q) == 1 {
		*queue = q[:0]
	}
	return first
}

func (m *mailbox) handleSystem(message any) {
	w := m.life.node.world
	w.trace.note(w.now, "system", "", m.path(), message)
	switch message.(type) {
	case *actor.SuspendMailbox:
		m.suspended = true
	case *actor.ResumeMailbox:
		m.suspended = false
	default:
		m.invoker.InvokeSystemMessage(message)
	}
}

// panicked tells the world first and the supervisor then.
func (m *mailbox) panicked(reason, message any) {
	w := m.life.node.world
	p := Panic{Node: m.life.node.address, Actor: m.name, Reason: reason, Stack: string(debug.Stack())}
	p.Message = actor.UnwrapEnvelopeMessage(message)
	w.trace.note(w.now, "panic", "", m.path(), p.Message)
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
	return w.judge(&letter{Envelope: e, release: func() { m.accept(message) }})
}
