package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/subscription"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// Subscription says what an actor is pushed of the log.
type Subscription struct {
	// From is the first position; 0 begins with the log, and one above its end waits for it.
	From log.Position
	// Entries is how many entries may be on their way to the subscriber until it sends its first Grant; 0 is no limit but our own,
	// 4,096, where Bytes is not 0 as well: then nothing comes before a Grant.
	Entries uint32
	// Bytes is how many bytes of entries may be; 0 is no limit but our own, 1 MiB, where Entries is not 0 as well.
	Bytes uint64
}

// Subscribe pushes the log to an actor of this process, or of another one. It spawns an actor in a system that reaches the subscriber,
// which need not be the client's own, and returns its PID. It follows the log through whichever member answers, as Reader.Tail does.
//
// The subscriber is sent *messages.Delivery, in order and without a gap, and answers with *messages.Grant: up to where it has
// come, and how much may follow. A subscriber that does not answer is sent no more than was granted, and *messages.Lagging now and
// then. Where the log begins above what comes next it is sent *messages.LogTruncated, and goes on after a Grant behind that.
//
// The subscription ends with its subscriber; after a Grant that says so; and with *messages.Ended where the client is closed, or
// nobody could be read for 30 s. Where the subscriber is in another process it ends, too, 30 s after the last Grant, which it may
// repeat, and what was lost on the way comes again after a Grant with Again. Poison it, or stop its system, to end it from outside.
func (c *Client) Subscribe(system *actor.ActorSystem, subscriber *actor.PID, s Subscription) (*actor.PID, error) {
	switch {
	case system == nil || subscriber.GetId() == "":
		return nil, errors.New("subscribe: no subscriber is given, or no actor system that reaches it")
	case s.From > log.MaxPosition:
		return nil, fmt.Errorf("subscribe: no log has a position %d", s.From)
	case c.conn.isClosed():
		return nil, fmt.Errorf("subscribe: %w", errShut)
	}
	config := subscription.Config{
		Subscriber: subscriber, From: s.From, Entries: s.Entries, Bytes: s.Bytes, Clock: timer.System(system),
		Source: func(ctx actor.Context) *actor.PID {
			return ctx.Spawn(actor.PropsFromProducer(func() actor.Actor { return newSource(c) }))
		},
	}
	if subscriber.GetAddress() != system.Address() {
		config.Lease = subscription.Lease
	}
	panicked := func(who *actor.PID, reason any) {
		system.Logger().Error("a subscription panicked, and has ended", "actor", who.GetId(), "reason", reason)
	}
	props := actor.PropsFromProducer(subscription.New(config),
		actor.WithReceiverMiddleware(ensemble.Topmost(panicked)), actor.WithSupervisor(ensemble.Stopping(panicked)))
	return system.Root.SpawnPrefix(props, member.Subscription), nil
}

// source is the log as a subscription reads it: it answers as a replica would, from whichever member answers. Each question has a
// goroutine, as the client's calls block.
type source struct {
	reader *Reader
	ctx    context.Context //nolint:containedctx // of the calls, which end with the actor
	cancel context.CancelFunc
	leave  context.CancelFunc // of what is awaited
}

func newSource(c *Client) *source {
	ctx, cancel := context.WithCancel(context.Background())
	return &source{reader: c.Reader(), ctx: ctx, cancel: cancel, leave: func() {}}
}

// Receive implements actor.Actor.
func (s *source) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Stopping:
		s.cancel()
	case replica.Read:
		answer(s.ctx, ctx, ctx.Sender(), func() any { return s.read(m) })
	case replica.Await:
		s.leave()
		if m.At > 0 {
			var waits context.Context
			waits, s.leave = context.WithCancel(s.ctx)
			answer(waits, ctx, m.By, func() any { return s.await(waits, m.At) })
		}
	}
}

// answer sends what comes of some work, unless nobody wants it any more.
func answer(wanted context.Context, ctx actor.Context, to *actor.PID, work func() any) {
	root := ctx.ActorSystem().Root
	go func() {
		if a := work(); wanted.Err() == nil {
			root.Send(to, a)
		}
	}()
}

// read reads the first part of a range.
func (s *source) read(m replica.Read) any {
	p, err := s.reader.page(s.ctx, m.Range.First, m.Range.Last)
	var truncated *TruncatedError
	switch {
	case errors.As(err, &truncated):
		return replica.Page{Tag: m.Tag, Fault: replica.Truncated, Begin: truncated.Begin, Learned: s.reader.Seen()}
	case err != nil:
		return s.end(err)
	}
	begin := p.learned + 1 // where there is nothing, the log is empty
	if !p.covered.Empty() {
		begin = p.covered.First
	}
	return replica.Page{Tag: m.Tag, Range: p.covered, Actions: p.actions, Begin: begin, Learned: p.learned}
}

// await waits until a member has learned the log up to a position.
func (s *source) await(ctx context.Context, at log.Position) any {
	for try := 0; ; try++ {
		p, err := s.reader.poll(ctx, at, at)
		var truncated *TruncatedError
		switch {
		case errors.As(err, &truncated):
			return replica.Reached{Learned: max(s.reader.Seen(), truncated.Begin-1)}
		case err == nil && p.learned >= at:
			return replica.Reached{Learned: p.learned}
		case err != nil && !errors.Is(err, ErrNotLearned):
			return s.end(err)
		}
		if p.learned > 0 && s.reader.client.pause(ctx, try) != nil { // it did not wait
			return nil
		}
	}
}

// end tells the subscriber that nobody can be read.
func (s *source) end(err error) subscription.End {
	code := messages.Code_CODE_NO_QUORUM
	if s.reader.client.conn.isClosed() {
		code = messages.Code_CODE_CLOSED
	}
	return subscription.End{Failure: codec.EncodeFailure(code, fmt.Sprintf("no member could be read: %v", err))}
}
