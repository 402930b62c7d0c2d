package ensemble

import (
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// maxEarly is how many messages an actor may be sent before it is there; more are dropped, as on any network.
const maxEarly = 1024

// Named are the props of an actor of this member that others know by its name, and may send to while it is made.
//
// protoactor registers a name a moment before the actor has a mailbox that works: what comes in between panics in whoever sends it,
// which may be the goroutine that reads what another process sends, and so ends this one.
func (e *Ensemble) Named(producer actor.Producer) *actor.Props {
	return e.Props(producer).Configure(actor.WithMailbox(func() actor.Mailbox {
		return &early{Mailbox: actor.Unbounded()()}
	}))
}

// early is a mailbox that keeps what comes before it works.
type early struct {
	actor.Mailbox
	works atomic.Bool
	mu    sync.Mutex
	kept  []any
}

// PostUserMessage implements actor.Mailbox.
func (m *early) PostUserMessage(message any) {
	if m.works.Load() || !m.keep(message) {
		m.Mailbox.PostUserMessage(message)
	}
}

// keep says false where the mailbox works by now.
func (m *early) keep(message any) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.works.Load() {
		return false
	}
	if len(m.kept) < maxEarly {
		m.kept = append(m.kept, message)
	}
	return true
}

// Start implements actor.Mailbox. The actor has been told that it is started.
func (m *early) Start() {
	m.Mailbox.Start()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, message := range m.kept {
		m.Mailbox.PostUserMessage(message)
	}
	m.kept = nil
	m.works.Store(true)
}
