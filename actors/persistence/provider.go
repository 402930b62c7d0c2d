package persistence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/timer"
)

// DefaultTimeout bounds a call whose context has no deadline.
const DefaultTimeout = 30 * time.Second

// Provider activates the journals of a log. It is safe for many goroutines.
type Provider struct {
	root     *actor.RootContext
	keeper   *actor.PID
	port     *actor.PID
	clock    timer.Clock
	by       string
	snapshot int
	patience time.Duration // of a Mixin, for each call
}

// NewProvider starts the keeper of a log. Every snapshotEvery events a Mixin, or a stock one, takes a snapshot; 0 is never. Close
// ends the keeper; the port is whoever's who made it.
func NewProvider(system *actor.ActorSystem, s Settings, snapshotEvery int) *Provider {
	return &Provider{
		root: system.Root, port: s.Port, clock: s.Clock, by: system.Address(), snapshot: snapshotEvery, patience: DefaultTimeout,
		keeper: system.Root.Spawn(actor.PropsFromProducer(Keeper(s))),
	}
}

// Within is the same provider, whose Mixins wait no longer than this for whatever they ask the log: to be activated and replayed, for
// an event, for a snapshot. It is for actors whose callers do not wait for DefaultTimeout. Close one of the two.
func (p *Provider) Within(patience time.Duration) *Provider {
	hasty := *p
	hasty.patience = patience
	return &hasty
}

// Close ends the keeper. Whoever waits is told ErrUnknown.
func (p *Provider) Close() error {
	return p.root.PoisonFuture(p.keeper).Wait()
}

// Activate has a journal belong to this process, and to this call, from now on: every other activation of it is fenced.
func (p *Provider) Activate(ctx context.Context, owner string) (*Journal, error) {
	answer, err := p.ask(ctx, p.keeper, Activate{Owner: owner, By: p.by})
	for errors.Is(err, errPassed) {
		answer, err = p.ask(ctx, p.keeper, Activate{Owner: owner, By: p.by})
	}
	if err != nil {
		return nil, fmt.Errorf("activate %q: %w", owner, err)
	}
	view := answer.(Activated).View //nolint:forcetypeassert // ask returns nothing else
	return &Journal{provider: p, owner: owner, view: view}, nil
}

// ask waits for an answer that is no refusal.
func (p *Provider) ask(ctx context.Context, who *actor.PID, question any) (any, error) {
	patience := DefaultTimeout
	if end, bounded := ctx.Deadline(); bounded {
		patience = end.Sub(p.clock.Now())
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	answer, err := p.root.RequestFuture(who, question, patience).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	switch a := answer.(type) {
	case Refused:
		return nil, a.Err
	case Fetched:
		return a, a.Err
	}
	return answer, nil
}
