package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// habits are what a client likes to do.
type habits struct {
	fenced   bool          // it has itself elected, and appends under its fence
	stubborn float64       // probability that it keeps a fence with which it failed
	batch    int           // most entries of an append
	large    bool          // some entries have hundreds of kilobytes
	window   int           // most calls at one time
	think    time.Duration // mean time between two calls
	patience time.Duration // until it gives an answer up
	truncate float64       // probability that a call is a truncation, ...
	elect    float64       // ... or an election although nothing failed
	look     float64       // ... or a read or a catch-up
	quiet    bool          // it writes nothing
}

// client is an actor that calls the members' gateways, and records what it is told.
type client struct {
	habits
	id      int
	node    *actortest.Node
	random  *rand.Rand
	members func() []log.ReplicaID // whom it may ask
	history *history
	tell    func(format string, args ...any)
	now     func() time.Duration
	numbers bool        // its appends have numbers in a session, and are sent again until it knows what became of them
	duels   func() bool // each client has another member elected

	request  uint64
	waiting  map[uint64]*call // until they are answered
	open     int              // calls that are not given up
	target   log.ReplicaID
	fence    log.Proposal
	fencedAt log.ReplicaID // the member that elected the fence
	written  int
	reader   reader
	over     bool // it begins nothing any more
	errands  errands
}

// call is a request that is not answered.
type call struct {
	*operation
	abandoned bool
	cancel    func()
	token     log.Position // what a read had to see, at least
	followed  log.Position // where it goes on with what was read before; 0 where it does not
}

// looks says whether the call only looks at the log.
func (w *call) looks() bool { return w.Kind == spec.Read || w.Kind == spec.Catchup }

type (
	actDue     struct{}
	answerLate struct{ request uint64 }
)

// Receive implements actor.Actor.
func (c *client) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, actDue:
		if c.over {
			return
		}
		if c.open < c.window {
			c.act(ctx)
		}
		pause := timer.Between(c.random, c.think/4, c.think*7/4)
		c.node.Clock().After(pause, ctx.Self(), actDue{})
	case againDue:
		if m.errand.out--; m.errand.out == 0 && slices.Contains(c.errands.line, m.errand) {
			c.again(ctx, m.errand)
		}
	case answerLate:
		c.isLate(ctx, m.request)
		if w := c.waiting[m.request]; w != nil {
			w.abandoned = true
			c.open--
			c.move()
		}
	case *messages.AppendResponse:
		if c.took(ctx, m) {
			return
		}
		c.answered(m.GetRequest(), m.GetFailure(), func(w *call, now time.Duration) {
			r := log.Range{First: log.Position(m.GetRange().GetFirst()), Last: log.Position(m.GetRange().GetLast())}
			c.history.appended(w.operation, now, r)
		})
	case *messages.TruncateResponse:
		c.answered(m.GetRequest(), m.GetFailure(), func(w *call, now time.Duration) {
			c.history.truncated(w.operation, now, log.Position(m.GetPosition()))
		})
	case *messages.ElectResponse:
		c.answered(m.GetRequest(), m.GetFailure(), func(w *call, now time.Duration) { c.elected(w, now, m.GetElected()) })
	case *messages.ReadResponse:
		c.reader.passed(m)
		c.answered(m.GetRequest(), m.GetFailure(), func(w *call, now time.Duration) { c.wasRead(w, now, m.GetPage()) })
	case *messages.CatchupResponse:
		if c.goOn(ctx, m) {
			return
		}
		c.answered(m.GetRequest(), m.GetFailure(), func(w *call, now time.Duration) {
			c.history.caughtUp(w.operation, now, log.Position(m.GetLearned()))
		})
	}
}

// act calls a member.
func (c *client) act(ctx actor.Context) {
	if c.target == 0 || c.random.IntN(50) == 0 {
		c.move()
	}
	if c.fence > 0 && !slices.Contains(c.members(), c.fencedAt) { // whoever had it was removed
		c.fence = 0
	}
	if !slices.Contains(c.members(), c.target) {
		c.move()
	}
	switch dice := c.random.Float64(); {
	case c.duels() && dice < 0.5:
		c.electAt(ctx, c.members()[(c.id-1)%len(c.members())])
	case dice < c.look:
		c.lookAt(ctx, c.anyMember())
	case dice < c.look+c.elect, c.fenced && c.fence == 0:
		c.electAt(ctx, c.target)
	case c.quiet:
		c.lookAt(ctx, c.anyMember())
	case dice < c.look+c.elect+c.truncate:
		c.truncateTo(ctx)
	default:
		c.append(ctx)
	}
}

func (c *client) append(ctx actor.Context) {
	o := spec.Operation{Kind: spec.Append, Fence: c.fence}
	for range 1 + c.random.IntN(c.batch) {
		c.written++
		e := fmt.Sprintf("%d-%d", c.id, c.written)
		if c.large && c.random.IntN(30) == 0 {
			e += strings.Repeat("*", c.random.IntN(log.MaxRunBytes/4))
		}
		o.Entries = append(o.Entries, e)
	}
	m := &messages.AppendRequest{Writer: uint64(o.Fence)}
	for _, e := range o.Entries {
		m.Entries = append(m.Entries, []byte(e))
	}
	if c.numbers {
		c.take(ctx, o, m)
		return
	}
	m.Request = c.begin(ctx, o, c.writer())
	c.send(ctx, m)
}

// writer is the member that a fence belongs to, or any.
func (c *client) writer() log.ReplicaID {
	if c.fence > 0 {
		return c.fencedAt
	}
	return c.target
}

// truncateTo truncates most often to something that was acknowledged lately, and sometimes to what is not there.
func (c *client) truncateTo(ctx actor.Context) {
	to := c.history.highest - min(c.history.highest, log.Position(c.random.IntN(30)))
	if c.random.IntN(8) == 0 {
		to = log.Position(c.random.Uint64N(uint64(c.history.highest) + 20))
	}
	o := spec.Operation{Kind: spec.Truncate, Fence: c.fence, To: max(to, 1)}
	m := &messages.TruncateRequest{To: uint64(o.To), Writer: uint64(o.Fence)}
	m.Request = c.begin(ctx, o, c.writer())
	c.send(ctx, m)
}

func (c *client) electAt(ctx actor.Context, id log.ReplicaID) {
	m := &messages.ElectRequest{}
	m.Request = c.begin(ctx, spec.Operation{Kind: spec.Elect}, id)
	c.send(ctx, m)
}

// begin records a call and returns its number.
func (c *client) begin(ctx actor.Context, o spec.Operation, id log.ReplicaID) uint64 {
	c.request++
	o.Client, o.Member = c.id, id
	w := &call{operation: c.history.begin(c.now(), o)}
	w.cancel = c.node.Clock().After(c.patience, ctx.Self(), answerLate{c.request})
	c.waiting[c.request] = w
	c.open++
	return c.request
}

// send sends the request that was begun last.
func (c *client) send(ctx actor.Context, message any) {
	c.sendTo(ctx, c.waiting[c.request].Member, message)
}

func (c *client) sendTo(ctx actor.Context, id log.ReplicaID, message any) {
	address := fmt.Sprintf("node%d:7000", id)
	ctx.Request(actor.NewPID(address, kit.Name+"/"+member.Gateway), message)
}

// answered handles the answer to a call, however late.
func (c *client) answered(request uint64, failure *messages.Failure, done func(*call, time.Duration)) {
	w := c.waiting[request]
	if w == nil {
		return // the network brought the answer twice
	}
	delete(c.waiting, request)
	if !w.abandoned {
		w.cancel()
		c.open--
	}
	if failure == nil {
		done(w, c.now())
		return
	}
	c.history.fail(w.operation, c.now(), failure.GetCode())
	if !w.looks() {
		c.tell("%s: %s", w.operation, failure.GetCode())
	}
	c.learnFrom(w, failure)
}

// learnFrom goes where the writer is, or to anybody.
func (c *client) learnFrom(w *call, f *messages.Failure) {
	if w.looks() || f.GetCode() == messages.Code_CODE_BAD_RANGE {
		return
	}
	if c.random.Float64() >= c.stubborn {
		c.fence = 0
	}
	if f.GetWriter() > 0 {
		c.target = log.ReplicaID(f.GetWriter())
		return
	}
	c.move()
}

func (c *client) elected(w *call, now time.Duration, e *messages.Elected) {
	c.history.wonElection(w.operation, now, log.Proposal(e.GetWriter()), log.Position(e.GetEnd()))
	c.tell("%s, the log ends at %d", w.operation, e.GetEnd())
	if c.fenced && !w.abandoned {
		c.fence, c.fencedAt = log.Proposal(e.GetWriter()), w.Member
	}
}

// move makes the client ask another member.
func (c *client) move() { c.target = c.anyMember() }

func (c *client) anyMember() log.ReplicaID { return c.members()[c.random.IntN(len(c.members()))] }
