package logtest

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// PortSettings are what a port goes by.
type PortSettings struct {
	// Clock is what it waits by.
	Clock timer.Clock
	// Random has it choose whom to ask.
	Random timer.Random
	// Members are those that it may ask.
	Members func() []log.ReplicaID
	// Gateway is how: a new PID each time, because a PID is for one node only.
	Gateway func(log.ReplicaID) *actor.PID
	// Patience is how long it waits for an answer.
	Patience time.Duration
	// Tries is how often it sends a question that is not answered, or refused for now; at least 1.
	Tries int
	// Begin is told of each append and each truncation when it is sent for the first time, and what it returns is told how it
	// ended: with where it is, or with a Failure.
	Begin func(history.Operation) (end func(at log.Position, failed *Failure))
	// Shown is told what a member showed; nil for nobody.
	Shown func(log.ReplicaID, *messages.Page)
}

// Port is a port of a keeper (package actors/persistence) on one of the world's nodes, in the history of the cluster:
//
//	port := node.Spawn("port", c.Port(node))
//	node.Spawn("keeper", actor.PropsFromProducer(persistence.Keeper(persistence.Settings{Port: port, Clock: node.Clock()})))
//
// Actors ask that keeper with its messages. A Provider waits for answers, which nobody can in this world.
func (c *Cluster) Port(n *actortest.Node) *actor.Props {
	return actor.PropsFromProducer(NewPort(PortSettings{
		Clock: n.Clock(), Random: n.Random(), Gateway: c.Gateway, Patience: 2 * time.Second, Tries: 10,
		Members: func() []log.ReplicaID { return c.ids },
		Begin: func(o history.Operation) func(log.Position, *Failure) {
			begun := c.recorder.Begin(o)
			return func(at log.Position, failed *Failure) { c.recorder.End(begun, ended(at, failed)) }
		},
	}))
}

// ended puts into an operation how it ended.
func ended(at log.Position, failed *Failure) func(*history.Operation) {
	return func(o *history.Operation) {
		if failed == nil {
			o.Outcome, o.Told = history.Succeeded, log.Span(at, 1)
			return
		}
		o.Outcome, o.Fenced, o.Why = history.Rejected, failed.Code == messages.Code_CODE_FENCED, failed.Error()
		if failed.Code == messages.Code_CODE_INDETERMINATE {
			o.Outcome = history.Unknown
		}
	}
}

// port asks the gateways what a keeper asks it, as a client does: an append has a number in a session, and is sent to one member
// after the other until it is known what became of it.
type port struct {
	PortSettings
	number uint64           // of the last request
	open   map[uint64]asked // by the request whose answer is waited for
	writer log.ReplicaID    // whom it asks to write
	shows  log.ReplicaID    // whom it reads
	seen   log.Position     // the highest position up to which it saw the log
	free   []*lane
	queue  []*appending // that wait for a lane
}

// asked is a question whose answer is waited for.
type asked struct {
	question
	by     log.ReplicaID
	cancel func()
}

// question is what is asked until it is answered.
type question interface {
	// request is the message with this number.
	request(number uint64) proto.Message
	// writes says whether whoever writes is asked; else it is whoever was read last.
	writes() bool
	// take takes an answer that is no failure.
	take(ctx actor.Context, by log.ReplicaID, answer any)
	// fail takes a failure; nil is silence.
	fail(ctx actor.Context, f *messages.Failure)
}

type (
	lateDue  struct{ number uint64 }
	againDue struct{ question question }
)

// NewPort returns the producer of a port.
func NewPort(s PortSettings) actor.Producer {
	return func() actor.Actor {
		p := &port{PortSettings: s, open: map[uint64]asked{}, number: s.Random.Uint64()} // answers to an earlier life come, too
		for range lanes {
			l := &lane{}
			l.renew(s.Random, 0)
			p.free = append(p.free, l)
		}
		return p
	}
}

// Receive implements actor.Actor.
func (p *port) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case persistence.Append:
		p.append(ctx, m)
	case persistence.Follow:
		p.send(ctx, &following{p, ctx.Sender(), m})
	case persistence.Fetch:
		if len(m.At) == 0 {
			ctx.Respond(persistence.Fetched{Tag: m.Tag})
			return
		}
		p.send(ctx, &fetching{port: p, asks: ctx.Sender(), fetch: m})
	case persistence.Truncate:
		p.truncate(ctx, m)
	case againDue:
		p.send(ctx, m.question)
	case lateDue:
		if q, open := p.open[m.number]; open {
			delete(p.open, m.number)
			p.move(q)
			q.fail(ctx, nil)
		}
	case interface {
		GetRequest() uint64
		GetFailure() *messages.Failure
	}:
		p.answered(ctx, m.GetRequest(), m.GetFailure(), m)
	}
}

// answered ends the question that an answer is for, unless it was given up, or the network brought the answer twice.
func (p *port) answered(ctx actor.Context, number uint64, f *messages.Failure, answer any) {
	q, open := p.open[number]
	if !open {
		return
	}
	q.cancel()
	delete(p.open, number)
	if f == nil {
		q.take(ctx, q.by, answer)
		return
	}
	p.move(q)
	if id := log.ReplicaID(f.GetWriter()); id > 0 {
		p.writer = id
	}
	q.fail(ctx, f)
}

// send asks a question, for the first time or again.
func (p *port) send(ctx actor.Context, q question) {
	p.number++
	if *p.asks(q) == 0 {
		p.move(q)
	}
	id := *p.asks(q)
	p.open[p.number] = asked{q, id, p.Clock.After(p.Patience, ctx.Self(), lateDue{p.number})}
	ctx.Request(p.Gateway(id), q.request(p.number))
}

// again asks a question again, a moment later.
func (p *port) again(ctx actor.Context, q question) {
	p.Clock.After(again, ctx.Self(), againDue{q})
}

// move has another member be asked.
func (p *port) move(q question) {
	ids := p.Members()
	*p.asks(q) = ids[p.Random.Int64N(int64(len(ids)))]
}

// asks is the member that a question goes to.
func (p *port) asks(q question) *log.ReplicaID {
	if q.writes() {
		return &p.writer
	}
	return &p.shows
}
