package persistence

import (
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// stray is a persistent actor that goes on although it was told that it is lost.
type stray struct {
	Mixin
	told    chan<- error // Lost, and then what it may keep
	applied int
}

func (*stray) PersistenceID(actor.Context) string { return "a" }
func (s *stray) Apply(proto.Message)              { s.applied++ }
func (s *stray) Restore(proto.Message)            {}
func (s *stray) State() proto.Message             { return wrapperspb.Int64(int64(s.applied)) }

func (s *stray) Receive(ctx actor.Context) {
	if lost, ok := ctx.Message().(Lost); ok {
		s.told <- lost.Err
		s.told <- s.Persist(ctx, wrapperspb.Int64(7))
		s.told <- s.Snapshot()
	}
}

// told is what a stray that cannot be activated is told: that it is lost, and what comes of an event, and of a snapshot.
func told(t *testing.T, p *Provider) []error {
	t.Helper()
	system, errs := actor.NewActorSystem(), make(chan error, 3)
	t.Cleanup(system.Shutdown)
	system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &stray{told: errs} }, actor.WithReceiverMiddleware(p.Receive())))
	var all []error
	for range cap(errs) {
		select {
		case err := <-errs:
			all = append(all, err)
		case <-time.After(20 * time.Second):
			t.Fatalf("it was told %v, and no more", all)
		}
	}
	return all
}

func TestAnActorWhoseActivationIsUnknownKeepsNothing(t *testing.T) {
	p := provider(t, &shelf{loses: func(int) bool { return true }})
	for i, err := range told(t, p) {
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("%d: it is told %v", i, err)
		}
	}
}

// Its state would be a part of the journal, and a snapshot of that would stand for all of it.
func TestAnActorThatCannotReadItsJournalKeepsNothing(t *testing.T) {
	s := &shelf{}
	p := provider(t, s)
	if err := activate(t, p).Persist(t.Context(), wrapperspb.Int64(1)); err != nil {
		t.Fatal(err)
	}
	s.damaged = errors.New("the disk is damaged")
	for i, err := range told(t, p) {
		if !errors.Is(err, s.damaged) {
			t.Errorf("%d: it is told %v", i, err)
		}
	}
	s.damaged = nil
	if again := activate(t, p); again.Next() != 1 || again.First() != 0 {
		t.Errorf("the journal has events from %d to %d, want from 0 to 1", again.First(), again.Next())
	}
}
