package persistence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
)

// Persistent is an actor whose state is in the log. It embeds a Mixin, and changes its state in Apply and Restore only: these are
// called for what is replayed, and for what was just persisted.
type Persistent interface {
	actor.Actor
	// PersistenceID names the journal: the same for every activation of the actor, wherever it runs.
	PersistenceID(ctx actor.Context) string
	// Apply changes the state by an event.
	Apply(event proto.Message)
	// Restore replaces the state by that of a snapshot.
	Restore(state proto.Message)
	// State returns the state, for a snapshot; nil takes none now.
	State() proto.Message
	// Journal is the actor's own, once it has Recovered; nil before. The Mixin has it.
	Journal() *Journal

	mixin() *Mixin
}

// Recovered is what a persistent actor receives before anything else: its state is what the journal says.
type Recovered struct{ Events uint64 } // how many there ever were

// Lost is what a persistent actor receives when it cannot be activated, or was fenced. It is stopped behind it. Persist and
// Snapshot refuse what was sent to it before that, with the same error: its state may be a part of what is in the journal.
type Lost struct{ Err error }

// SnapshotFailed is what a persistent actor receives when the snapshot that was due could not be taken. The events are kept, and the
// next one tries again; where the state is too large it always will: it has to be at most 1 MiB.
type SnapshotFailed struct{ Err error }

// Mixin makes an actor persistent, together with Provider.Receive:
//
//	type counter struct {
//		persistence.Mixin
//		total int64
//	}
//
//	func (c *counter) Receive(ctx actor.Context) {
//		switch m := ctx.Message().(type) {
//		case *Add:
//			if err := c.Persist(ctx, &Added{By: m.By}); err != nil {
//				ctx.Respond(&Failed{Why: err.Error()})
//				return
//			}
//			ctx.Respond(&Total{Now: c.total})
//		}
//	}
//
// What the actor answers from its state alone may be from before another activation, which it is told of with its next event: where
// that matters it persists one first, as the accounts of tests/examples/bank do when they are audited.
type Mixin struct {
	actor    Persistent
	journal  *Journal
	every    int
	since    int           // events since the latest snapshot
	patience time.Duration // of each call
	lost     error         // why it could not be activated
}

var _ interface{ mixin() *Mixin } = (*Mixin)(nil)

func (m *Mixin) mixin() *Mixin { return m }

// Journal is that of the actor, once it has Recovered.
func (m *Mixin) Journal() *Journal { return m.journal }

// Persist adds events to the actor's journal, all or none, and applies them once they count. It blocks the actor until a quorum of
// the members has them. Where it returns an error nothing was applied; where that is ErrFenced the actor has been activated elsewhere, and is
// stopped. Behind any other error but ErrTooLarge the events may be in the journal: stop or restart the actor, and it begins with
// what is.
func (m *Mixin) Persist(ctx actor.Context, events ...proto.Message) error {
	if err := m.activated(); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(context.Background(), m.patience)
	defer cancel()
	if err := m.journal.Persist(bounded, events...); err != nil {
		if errors.Is(err, ErrFenced) {
			ctx.Send(ctx.Self(), Lost{err})
			ctx.Poison(ctx.Self())
		}
		return err
	}
	for _, e := range events {
		m.actor.Apply(e)
	}
	if m.since += len(events); m.every > 0 && m.since >= m.every {
		if err := m.Snapshot(); err != nil {
			ctx.Send(ctx.Self(), SnapshotFailed{err})
		}
	}
	return nil
}

// activated says why the actor's state is not what its journal says, if it is not: then nothing that follows from it may be kept.
func (m *Mixin) activated() error {
	if m.journal == nil && m.lost == nil {
		return fmt.Errorf("%w: the actor was not activated: give its props the provider's Receive", ErrOrder)
	}
	return m.lost
}

// Snapshot persists the actor's state now. It is called by itself every few events; whoever calls it asks for one more.
func (m *Mixin) Snapshot() error {
	if err := m.activated(); err != nil {
		return err
	}
	state := m.actor.State()
	if state == nil {
		return nil
	}
	bounded, cancel := context.WithTimeout(context.Background(), m.patience)
	defer cancel()
	err := m.journal.PersistSnapshot(bounded, m.journal.Next(), state)
	if err == nil {
		m.since = 0
	}
	return err
}

// Receive activates persistent actors before they receive anything but Started:
//
//	actor.PropsFromProducer(newCounter, actor.WithReceiverMiddleware(provider.Receive()))
func (p *Provider) Receive() actor.ReceiverMiddleware {
	return func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(ctx actor.ReceiverContext, envelope *actor.MessageEnvelope) {
			next(ctx, envelope)
			if _, started := envelope.Message.(*actor.Started); started {
				p.started(ctx, next)
			}
		}
	}
}

func (p *Provider) started(ctx actor.ReceiverContext, next actor.ReceiverFunc) {
	own, ok := ctx.(actor.Context)
	a, persistent := ctx.Actor().(Persistent)
	if !ok || !persistent {
		panic(fmt.Errorf("actor %T is not persistent: embed a persistence.Mixin, and have the methods of Persistent", ctx.Actor()))
	}
	if err := a.mixin().activate(p, a, own); err != nil {
		next(ctx, &actor.MessageEnvelope{Message: Lost{err}})
		own.Poison(own.Self())
		return
	}
	next(ctx, &actor.MessageEnvelope{Message: Recovered{a.mixin().journal.Next()}})
}

func (m *Mixin) activate(p *Provider, a Persistent, ctx actor.Context) error {
	bounded, cancel := context.WithTimeout(context.Background(), p.patience)
	defer cancel()
	j, err := p.Activate(bounded, a.PersistenceID(ctx))
	if err == nil {
		m.actor, m.journal, m.every, m.since, m.patience = a, j, p.snapshot, 0, p.patience
		err = m.replay(bounded)
	}
	m.lost = err
	return err
}

// replay has the actor become what its journal says.
func (m *Mixin) replay(ctx context.Context) error {
	return m.journal.Replay(ctx, func(_ uint64, state proto.Message) error {
		m.actor.Restore(state)
		m.since = 0
		return nil
	}, func(_ uint64, event proto.Message) error {
		m.actor.Apply(event)
		m.since++
		return nil
	})
}
