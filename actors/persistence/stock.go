package persistence

import (
	"context"
	"fmt"

	"github.com/asynkron/protoactor-go/persistence"
	"google.golang.org/protobuf/proto"
)

// Stock is the provider as protoactor's own persistence.Using takes it, for actors that embed its persistence.Mixin:
//
//	actor.PropsFromProducer(newCounter, actor.WithReceiverMiddleware(persistence.Using(provider.Stock())))
//
// Its calls block the actor until a quorum has what they write. Its interface has no errors: they panic, with an error that wraps
// ErrFenced, ErrUnknown and the others of this package, so the actor's supervisor sees it and the event is not applied. Restart
// the actor then, and it begins with what is in its journal; after ErrFenced stop it. The id of an actor is its persistence
// id, as protoactor has it: spawn it under a name.
func (p *Provider) Stock() persistence.Provider { return stock{p} }

type stock struct{ provider *Provider }

// GetState implements persistence.Provider: each actor has its own.
func (s stock) GetState() persistence.ProviderState { return &stockState{provider: s.provider} }

// stockState is what one actor of protoactor's persistence holds.
type stockState struct {
	provider *Provider
	journal  *Journal
}

var _ persistence.ProviderState = (*stockState)(nil)

// Restart implements persistence.ProviderState: the next call activates the actor.
func (s *stockState) Restart() { s.journal = nil }

// GetSnapshotInterval implements persistence.ProviderState.
func (s *stockState) GetSnapshotInterval() int {
	if s.provider.snapshot <= 0 {
		return int(^uint(0) >> 1) // protoactor divides by it
	}
	return s.provider.snapshot
}

// GetSnapshot implements persistence.ProviderState.
func (s *stockState) GetSnapshot(name string) (snapshot any, eventIndex int, ok bool) {
	s.activate(name)
	ctx, cancel := context.WithTimeout(context.Background(), DefaultTimeout)
	defer cancel()
	state, index, err := s.journal.Snapshot(ctx)
	hold(err)
	return state, int(index), state != nil
}

// GetEvents implements persistence.ProviderState: those from start on and before end, which is 0 for all. Events before the latest
// snapshot are not kept.
func (s *stockState) GetEvents(name string, start, end int, callback func(event any)) {
	s.activate(name)
	ctx, cancel := context.WithTimeout(context.Background(), DefaultTimeout)
	defer cancel()
	if first := int(s.journal.First()); start < first {
		panic(fmt.Errorf("%w: %q begins with event %d, and %d is asked for: it is in a snapshot", ErrOrder, name, first, start))
	}
	hold(s.journal.Replay(ctx, nil, func(index uint64, event proto.Message) error {
		if at := int(index); at >= start && (end == 0 || at < end) {
			callback(event)
		}
		return nil
	}))
}

// activate has the journal belong to this actor.
func (s *stockState) activate(name string) {
	if s.journal != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), DefaultTimeout)
	defer cancel()
	j, err := s.provider.Activate(ctx, name)
	hold(err)
	s.journal = j
}

// PersistEvent implements persistence.ProviderState. It panics where the event may not be in the journal.
func (s *stockState) PersistEvent(name string, index int, event proto.Message) {
	s.activate(name)
	if uint64(index) != s.journal.Next() {
		panic(&OrderError{Owner: name, Index: uint64(index)})
	}
	hold(s.journal.Persist(context.Background(), event))
}

// PersistSnapshot implements persistence.ProviderState. It panics where the snapshot may not be in the journal.
func (s *stockState) PersistSnapshot(name string, index int, snapshot proto.Message) {
	s.activate(name)
	hold(s.journal.PersistSnapshot(context.Background(), uint64(index), snapshot))
}

// DeleteEvents implements persistence.ProviderState. What is before the latest snapshot goes by itself, and nothing else may.
func (*stockState) DeleteEvents(string, int) {}

// DeleteSnapshots implements persistence.ProviderState. Each snapshot takes the place of the one before it.
func (*stockState) DeleteSnapshots(string, int) {}

// hold panics with an error, as protoactor's interface has no other way to tell one.
func hold(err error) {
	if err != nil {
		panic(err)
	}
}
