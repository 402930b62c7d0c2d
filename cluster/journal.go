package cluster

import (
	"context"
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
)

// Persistence is how a program keeps the state of its actors in a log (package persistence).
type Persistence struct {
	*persistence.Provider
	port   *actor.PID
	system *actor.ActorSystem
}

// PersistenceConfig says how the state of actors is kept.
type PersistenceConfig struct {
	// SnapshotEvery is how many events an actor has until it takes a snapshot; 0 never does.
	SnapshotEvery int
	// TruncateEvery is how many positions that no actor needs any more may be in the log before it is truncated; 0 never truncates,
	// nor does a log that holds anything but the events of actors.
	TruncateEvery uint64
}

// Persist keeps the state of actors in the log. It wants a log for itself, and follows it from its begin: the first activation waits
// until all of it is read. One for a process is enough. Close it before the client, or the node.
func (c *Client) Persist(config PersistenceConfig) *Persistence {
	system := c.conn.system
	port := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return newPort(c) }))
	return &Persistence{
		Provider: persistence.NewProvider(system, persistence.Settings{
			Port: port, Clock: timer.System(system), Keep: config.TruncateEvery,
		}, config.SnapshotEvery),
		port: port, system: system,
	}
}

// Close ends it: whoever waits is told that the outcome is unknown.
func (p *Persistence) Close() error {
	return errors.Join(p.Provider.Close(), p.system.Root.PoisonFuture(p.port).Wait())
}

// port is a log as persistent actors reach it: each question has a goroutine, as the client's calls block.
type port struct {
	client *Client
	follow *Reader
	fetch  *Reader
	ctx    context.Context //nolint:containedctx // of the calls, which end with the actor
	cancel context.CancelFunc
}

func newPort(c *Client) *port {
	ctx, cancel := context.WithCancel(context.Background())
	return &port{client: c, follow: c.Reader(), fetch: c.Reader(), ctx: ctx, cancel: cancel}
}

// Receive implements actor.Actor.
func (p *port) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Stopping:
		p.cancel()
	case persistence.Append:
		p.answer(ctx, func() any {
			at, err := p.client.Append(p.ctx, m.Entry)
			return persistence.Appended{Tag: m.Tag, At: at, Err: err}
		})
	case persistence.Follow:
		p.answer(ctx, func() any { return p.followed(m) })
	case persistence.Fetch:
		p.answer(ctx, func() any { return p.fetched(m) })
	case persistence.Truncate:
		p.answer(ctx, func() any {
			_, err := p.client.Truncate(p.ctx, m.To)
			return persistence.Truncated{Tag: m.Tag, Err: err}
		})
	}
}

func (*port) answer(ctx actor.Context, work func() any) {
	root, to := ctx.ActorSystem().Root, ctx.Sender()
	go func() { root.Send(to, work()) }()
}

func (p *port) followed(m persistence.Follow) persistence.Followed {
	answer := persistence.Followed{Tag: m.Tag}
	got, err := p.follow.next(p.ctx, m.From)
	var truncated *TruncatedError
	switch {
	case errors.As(err, &truncated):
		answer.Begin = truncated.Begin
	case err != nil:
		answer.Err = err
	default:
		answer.UpTo = got.covered.Last
		got.yield(func(e Entry, _ error) bool {
			answer.Entries = append(answer.Entries, persistence.Entry{At: e.Position, Data: e.Data})
			return true
		})
	}
	return answer
}

// together is how far apart two positions may be that are read with one question.
const together = 32

// fetched reads runs of positions that are near each other at once.
func (p *port) fetched(m persistence.Fetch) persistence.Fetched {
	answer := persistence.Fetched{Tag: m.Tag}
	for at := m.At; len(at) > 0 && answer.Err == nil; {
		n := 1
		for n < len(at) && at[n]-at[n-1] <= together {
			n++
		}
		var found []persistence.Entry
		p.fetch.Resume(p.follow.Seen())
		found, answer.Err = p.run(at[:n])
		answer.Entries = append(answer.Entries, found...)
		at = at[n:]
	}
	return answer
}

func (p *port) run(at []log.Position) (found []persistence.Entry, err error) {
	for e, err := range p.fetch.Read(p.ctx, at[0], at[len(at)-1]) {
		switch {
		case err != nil:
			return nil, err
		case len(found) < len(at) && e.Position == at[len(found)]:
			found = append(found, persistence.Entry{At: e.Position, Data: e.Data})
		}
	}
	if len(found) < len(at) {
		return nil, errors.New("the log has no entry where an event was")
	}
	return found, nil
}
