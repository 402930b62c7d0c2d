package actortest

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Probe is an actor that keeps what it gets, for tests that play the other side of a conversation. It ends when its node
// crashes.
type Probe struct {
	// PID is where answers go.
	PID *actor.PID

	node   *Node
	all    []Received
	unread []Received
	last   Received
	each   func(Received)
}

// Received is a message that a probe got.
type Received struct {
	// Message is the message itself.
	Message any
	// Sender is the PID that an answer goes to; nil where there is none.
	Sender *actor.PID
	// At is the virtual time of its arrival, since the world began.
	At time.Duration
}

// Probe starts a probe. The name must be free.
func (n *Node) Probe(name string) *Probe {
	n.world.helper()
	p := &Probe{node: n}
	p.PID = n.Spawn(name, actor.PropsFromFunc(p.receive))
	if n.life != nil && n.life.mailboxes[name] != nil {
		n.life.mailboxes[name].probe = true
	}
	return p
}

func (p *Probe) receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started, *actor.Stopping, *actor.Stopped, *actor.Restarting:
		return
	}
	r := Received{c.Message(), c.Sender(), p.node.world.now}
	p.all = append(p.all, r)
	p.unread = append(p.unread, r)
	if p.each != nil {
		p.each(r)
	}
}

// Each has f called for every later message, when the probe gets it. f may send, and must not run the world.
func (p *Probe) Each(f func(Received)) { p.each = f }

// Send sends without a sender.
func (p *Probe) Send(to *actor.PID, message any) { p.node.Root().Send(to, message) }

// Request sends with the probe as the sender.
func (p *Probe) Request(to *actor.PID, message any) {
	p.node.Root().RequestWithCustomSender(to, message, p.PID)
}

// Respond answers the message that Await or Next returned last, as ctx.Respond does: without a sender.
func (p *Probe) Respond(message any) {
	if p.last.Sender == nil {
		p.node.world.fail(fmt.Errorf("probe %s: the message awaited last has no sender", where(p.PID)))
		return
	}
	p.Send(p.last.Sender, message)
}

// Last is the message that Await or Next returned last, with its sender.
func (p *Probe) Last() Received { return p.last }

// Watch asks for *actor.Terminated when an actor of the probe's own node ends.
func (p *Probe) Watch(who *actor.PID) {
	l := p.node.life
	if l == nil {
		return
	}
	process, _ := l.system.ProcessRegistry.Get(who)
	p.node.world.as(l, func() { process.SendSystemMessage(who, &actor.Watch{Watcher: p.PID}) })
}

// Messages is all that the probe ever got, in order.
func (p *Probe) Messages() []any {
	all := make([]any, len(p.all))
	for i, r := range p.all {
		all[i] = r.Message
	}
	return all
}

// Received is all that the probe ever got, in order, with senders and times.
func (p *Probe) Received() []Received { return slices.Clone(p.all) }

// Forget makes Await, Next and ExpectNone look at later messages only.
func (p *Probe) Forget() { p.unread = nil }

// Await runs the world until the probe has a message of type T that was not awaited before, and returns the oldest. It
// ends the test, with the seed and the last steps, where none comes within that much virtual time.
func Await[T any](t testing.TB, p *Probe, within time.Duration) T {
	t.Helper()
	m, err := Next[T](p, within)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Next is Await for programs that are no tests.
func Next[T any](p *Probe, within time.Duration) (T, error) {
	var got T
	err := p.node.world.Until(within, func() bool {
		i := p.index(isA[T])
		if i < 0 {
			return false
		}
		p.last = p.unread[i]
		got = p.last.Message.(T)
		p.unread = slices.Delete(p.unread, i, i+1)
		return true
	})
	if err != nil {
		return got, fmt.Errorf("probe %s awaits %v: %w", where(p.PID), reflect.TypeFor[T](), err)
	}
	return got, nil
}

// ExpectNone lets that much virtual time pass, and ends the test where the probe has a message of type T then, or has one
// now, that was not awaited. ExpectNone[any] means no message at all.
func ExpectNone[T any](t testing.TB, p *Probe, within time.Duration) {
	t.Helper()
	w := p.node.world
	w.Run(within)
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	if i := p.index(isA[T]); i >= 0 {
		r := p.unread[i]
		t.Fatalf("probe %s got %s at %v (seed %d); the last steps:\n%s", where(p.PID), words(r.Message), r.At, w.seed, w.Tail())
	}
}

func isA[T any](m any) bool {
	_, ok := m.(T)
	return ok
}

func (p *Probe) index(match func(any) bool) int {
	return slices.IndexFunc(p.unread, func(r Received) bool { return match(r.Message) })
}
