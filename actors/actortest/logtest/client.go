package logtest

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// Call is what a member was asked, and what became of it. It ends while the world runs.
type Call struct {
	cluster   *Cluster
	operation *history.Operation
	request   func(number uint64) proto.Message
	insists   bool // a rejection does not end it
	rejected  bool // ... but somebody has to ask again
	done      bool
	err       error
	writer    log.ReplicaID // who writes, as far as the member that rejected it knows; 0 if it knows none
}

// ErrPending is the error of a Call that is not answered. A member that was killed answers never.
var ErrPending = errors.New("not answered")

// Failure is the error of a Call that failed.
type Failure struct {
	// Code says why; with CODE_INDETERMINATE what was to be written may be in the log, or come to be, and else never.
	Code messages.Code
	// Detail is for people.
	Detail string
}

// Error implements error.
func (f Failure) Error() string { return fmt.Sprintf("%s: %s", f.Code, f.Detail) }

// Done says whether the call was answered.
func (c *Call) Done() bool { return c.done }

// Err is nil where the call succeeded, ErrPending until it is answered, and else a Failure.
func (c *Call) Err() error {
	if !c.done {
		return ErrPending
	}
	return c.err
}

// Range is where the entries are, or the truncation is, of a write that succeeded.
func (c *Call) Range() log.Range { return c.operation.Told }

// Await runs the world until the call is answered, for at most that much virtual time, and returns Err.
func (c *Call) Await(within time.Duration) error {
	c.cluster.t.Helper()
	_ = c.cluster.World.Until(within, c.Done) // Err says it
	if err := c.cluster.World.Err(); err != nil {
		c.cluster.t.Fatal(err)
	}
	return c.Err()
}

// Code is why a call failed; 0 where it did not, or is not answered.
func Code(err error) messages.Code {
	var f Failure
	if errors.As(err, &f) {
		return f.Code
	}
	return messages.Code_CODE_UNSPECIFIED
}

// client asks one life of a member, from the member's own node.
type client struct {
	probe   *actortest.Probe
	member  *Member
	reader  uint64
	waiting map[uint64]*Call
}

// caller is the client of this life.
func (m *Member) caller() *client {
	if m.client == nil {
		m.client = &client{
			probe: m.Node.Probe(fmt.Sprintf("caller%d", m.life)), member: m, waiting: map[uint64]*Call{},
			reader: uint64(m.ID)<<32 | uint64(m.life),
		}
		m.client.probe.Each(m.client.answered)
	}
	return m.client
}

// begin records a call and asks the member. Nobody answers where its process does not run.
func (m *Member) begin(o history.Operation, insists bool, request func(uint64) proto.Message) *Call {
	o.Member = m.ID
	c := &Call{cluster: m.cluster, operation: m.cluster.recorder.Begin(o), request: request, insists: insists}
	m.ask(c)
	return c
}

// ask asks the member, for the first time or again.
func (m *Member) ask(c *Call) {
	c.rejected = false
	if !m.running {
		return
	}
	m.cluster.requests++
	number := m.cluster.requests
	m.caller().waiting[number] = c
	m.client.probe.Request(m.PID(member.Gateway), c.request(number))
}

// answered ends the call that an answer is for.
func (c *client) answered(r actortest.Received) {
	answer, ok := r.Message.(interface {
		GetRequest() uint64
		GetFailure() *messages.Failure
	})
	if !ok {
		return
	}
	call := c.waiting[answer.GetRequest()]
	delete(c.waiting, answer.GetRequest())
	switch f := answer.GetFailure(); {
	case call == nil:
	case f != nil:
		call.fail(f)
	default:
		call.done, call.err = true, nil
		c.member.cluster.recorder.End(call.operation, func(o *history.Operation) {
			o.Outcome = history.Succeeded
			c.told(o, r.Message)
		})
	}
}

func (c *Call) fail(f *messages.Failure) {
	c.err, c.writer = Failure{f.GetCode(), f.GetDetail()}, log.ReplicaID(f.GetWriter())
	if c.rejected = f.GetCode() != messages.Code_CODE_INDETERMINATE; c.rejected && c.insists {
		return
	}
	c.end(c.rejected, f.GetCode() == messages.Code_CODE_FENCED)
}

// end records that the call failed.
func (c *Call) end(rejected, fenced bool) {
	c.done = true
	c.cluster.recorder.End(c.operation, func(o *history.Operation) {
		o.Outcome, o.Fenced, o.Why = history.Unknown, fenced, c.err.Error()
		if rejected {
			o.Outcome = history.Rejected
		}
	})
}

// told puts into an operation what its client was told.
func (c *client) told(o *history.Operation, answer any) {
	switch a := answer.(type) {
	case *messages.AppendResponse:
		o.Told = log.Range{First: log.Position(a.GetRange().GetFirst()), Last: log.Position(a.GetRange().GetLast())}
	case *messages.TruncateResponse:
		o.Told = log.Span(log.Position(a.GetPosition()), 1)
	case *messages.ElectResponse:
		o.Fence, o.Told.Last = log.Proposal(a.GetElected().GetWriter()), log.Position(a.GetElected().GetEnd())
	case *messages.CatchupResponse:
		o.Told.Last, o.Reader = log.Position(a.GetLearned()), c.reader
	case *messages.ReadResponse:
		o.View, o.Reader = view(a.GetPage()), c.reader
	}
}
