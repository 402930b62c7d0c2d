package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// remember draws how little the members remember of sessions: in some runs they forget most of them at once, and a start has most
// of the log to read.
func remember(r *rand.Rand) replica.Memory {
	return replica.Memory{Bytes: [...]int{100, 200, 1000, 1 << 20}[r.IntN(4)], Every: 1 + r.IntN(40)}
}

// errands is what a client has under way with numbers: it sends it again, to whoever may write, until it knows what became of it.
type errands struct {
	session log.Session
	next    uint64
	since   log.Position
	line    []*errand // in the order of their numbers
	sends   map[uint64]*request
}

// errand is one append with its numbers.
type errand struct {
	*operation
	message *messages.AppendRequest // without the number of a request
	unclear bool                    // some request of it may have succeeded
	out     int                     // requests whose answer is waited for
	tries   int
	pieces  []log.Range // once it has succeeded
}

// request is one message of an errand.
type request struct {
	*errand
	late bool // nobody waits for its answer any more
	sure bool // if it is told that it is fenced, nothing of the errand is in the log but what the answer names, whatever was sent before
}

// patienceOfErrands is how often an errand is sent, at most.
const patienceOfErrands = 12

// take begins an append with numbers.
func (c *client) take(ctx actor.Context, o spec.Operation, m *messages.AppendRequest) {
	if c.errands.next == 0 {
		c.renew(0)
	}
	o.Client, o.Member, o.Numbered = c.id, c.writer(), true
	o.Session = c.history.order(source{client: c.id, session: c.errands.session})
	t := &errand{operation: c.history.begin(c.now(), o), message: m}
	m.Session, m.Sequence, m.Since = slices.Clone(c.errands.session[:]), c.errands.next, uint64(c.errands.since)
	c.errands.next += uint64(len(o.Entries))
	c.errands.line = append(c.errands.line, t)
	c.open++
	if c.written%16 == 0 && len(m.GetEntries()) > 1 {
		c.sendFirst(ctx, t, o.Member)
	}
	c.sendErrand(ctx, t, o.Member)
	if c.random.IntN(20) == 0 { // a client that cannot wait
		c.sendErrand(ctx, t, c.anyMember())
	}
}

// sendFirst sends the first entry of an errand by itself, as a client does that had a smaller batch before and heard no answer to it.
func (c *client) sendFirst(ctx actor.Context, t *errand, to log.ReplicaID) {
	m, ok := proto.Clone(t.message).(*messages.AppendRequest)
	if !ok {
		return
	}
	c.request++
	m.Request, m.Entries = c.request, m.GetEntries()[:1]
	t.unclear = true
	c.sendTo(ctx, to, m)
}

// renew begins another session, of which nothing is in the log up to since.
func (c *client) renew(since log.Position) {
	for i := range c.errands.session {
		c.errands.session[i] = byte(c.random.Uint32())
	}
	c.errands.next, c.errands.since = 1, max(c.errands.since, since)
}

func (c *client) sendErrand(ctx actor.Context, t *errand, to log.ReplicaID) {
	m, ok := proto.Clone(t.message).(*messages.AppendRequest)
	if !ok {
		return
	}
	c.request++
	t.tries++
	t.out++
	m.Request, m.Resolve = c.request, t.unclear || t.tries > 1
	c.errands.sends[m.Request] = &request{errand: t, sure: m.Resolve}
	c.node.Clock().After(c.patience, ctx.Self(), answerLate{m.Request})
	c.sendTo(ctx, to, m)
}

// isLate sends everything again whose answer is not there in time, and all behind it.
func (c *client) isLate(ctx actor.Context, number uint64) {
	r := c.errands.sends[number]
	if r == nil {
		return
	}
	r.late = true
	r.out--
	if !slices.Contains(c.errands.line, r.errand) {
		return
	}
	r.unclear = true
	c.move()
	c.again(ctx, r.errand)
}

// again sends an errand once more, and those behind it, or gives it up.
func (c *client) again(ctx actor.Context, t *errand) {
	if t.tries >= patienceOfErrands {
		c.leave(t, true)
		return
	}
	for _, o := range c.errands.line[slices.Index(c.errands.line, t):] {
		if o.tries < patienceOfErrands {
			c.sendErrand(ctx, o, c.target)
		}
	}
}

// leave ends an errand. Where it left a gap, what is behind it is given up, and whatever comes next is of another session.
func (c *client) leave(t *errand, gap bool) {
	before := len(c.errands.line)
	i := slices.Index(c.errands.line, t)
	if i < 0 {
		return
	}
	c.errands.line = slices.Delete(c.errands.line, i, i+1)
	if session := string(t.message.GetSession()); gap {
		c.errands.line = slices.DeleteFunc(c.errands.line, func(o *errand) bool {
			return string(o.message.GetSession()) == session && o.message.GetSequence() > t.message.GetSequence()
		})
		if session == string(c.errands.session[:]) {
			c.renew(0)
		}
	}
	c.open -= before - len(c.errands.line)
}

// took handles the answer to a request of an errand, and says whether it was one.
func (c *client) took(ctx actor.Context, m *messages.AppendResponse) bool {
	r := c.errands.sends[m.GetRequest()]
	if r == nil {
		return false
	}
	delete(c.errands.sends, m.GetRequest())
	if !r.late {
		r.out--
	}
	switch f := m.GetFailure(); {
	case f == nil:
		c.tookPlace(r, m)
	case r.pieces != nil:
		c.history.reconsider(r, f, len(m.GetMore()))
	case slices.Contains(c.errands.line, r.errand):
		c.refused(ctx, r, f, len(m.GetMore()) > 0)
	}
	return true
}

// tookPlace records where the entries are. Whoever is told so twice is told the same.
func (c *client) tookPlace(r *request, m *messages.AppendResponse) {
	var pieces []log.Range
	for _, p := range append([]*messages.Range{m.GetRange()}, m.GetMore()...) {
		pieces = append(pieces, log.Range{First: log.Position(p.GetFirst()), Last: log.Position(p.GetLast())})
	}
	switch {
	case r.pieces == nil && r.Outcome != spec.Pending:
		c.history.accuse(14, onceEach, fmt.Sprintf("%s was told %s, and is at %v", r.operation, r.Why, pieces))
	case r.pieces == nil:
		r.pieces = pieces
		c.history.appended(r.operation, c.now(), pieces...)
	case fmt.Sprint(joined(r.pieces)) != fmt.Sprint(joined(pieces)):
		c.history.accuse(14, onceEach, fmt.Sprintf("%s is at %v, and at %v", r.operation, r.pieces, pieces))
	}
	c.leave(r.errand, false)
}

// joined are the ranges without a border where nothing lies between them.
func joined(all []log.Range) []log.Range {
	var out []log.Range
	for _, r := range all {
		if n := len(out); n > 0 && out[n-1].Last+1 == r.First {
			out[n-1].Last = r.Last
			continue
		}
		out = append(out, r)
	}
	return out
}

// reconsider holds a refusal against what the client knows already.
func (h *history) reconsider(r *request, f *messages.Failure, found int) {
	if f.GetCode() == messages.Code_CODE_FENCED && r.sure && found == 0 {
		h.accuse(14, onceEach, fmt.Sprintf("%s is at %v, and was told that it is not in the log", r.operation, r.pieces))
	}
}

// refused handles an answer that is no place.
func (c *client) refused(ctx actor.Context, r *request, f *messages.Failure, partly bool) {
	c.tell("%s: %s", r.operation, f.GetCode())
	switch code := f.GetCode(); {
	case code == messages.Code_CODE_FENCED && (r.sure || r.tries == 1) && !partly:
		c.history.fail(r.operation, c.now(), code)
		c.leave(r.errand, true)
		c.learnFrom(&call{operation: r.operation}, f)
		return
	case code == messages.Code_CODE_SESSION_EVICTED:
		if !r.unclear && r.out == 0 { // every request of it was refused
			c.history.fail(r.operation, c.now(), code)
		}
		c.leave(r.errand, true)
		c.errands.since = max(c.errands.since, log.Position(f.GetSince()))
		return
	case code == messages.Code_CODE_INDETERMINATE:
		r.unclear = true
	}
	if f.GetWriter() > 0 {
		c.target = log.ReplicaID(f.GetWriter())
	} else {
		c.move()
	}
	if r.out == 0 {
		r.out++ // until it is sent again
		c.node.Clock().After(c.think, ctx.Self(), againDue{r.errand})
	}
}

// againDue is the time to send an errand again that was refused.
type againDue struct{ errand *errand }

// number is a number of a session.
type number struct {
	session  log.Session
	sequence uint64
}

// numbered holds a chosen entry against what else is chosen: no number is in the log twice.
func (h *history) numbered(at log.Position, v log.Value) {
	if v.Sequence == 0 {
		return
	}
	n := number{v.Session, v.Sequence}
	if before, found := h.numbers[n]; found {
		h.accuse(14, onceEach, fmt.Sprintf("number %d of session %x is at %d and at %d", n.sequence, n.session[:4], before, at))
	}
	h.numbers[n] = at
}
