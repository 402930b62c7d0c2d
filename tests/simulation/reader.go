package simulation

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// reader is how a client reads, as cluster.Reader does: it never goes back, whichever member it asks, and follows the log
// without a gap.
type reader struct {
	seen    log.Position // the highest position up to which it saw the log
	next    log.Position // where it follows the log
	follows uint64       // the request that asks for what is there; 0 for none
	latest  int          // linearizable reads that were answered
	pages   int          // that it followed, and that were not empty
}

// readers is what the numbers of clients begin with as readers; those of lives of members are lower.
const readers = 1 << 40

// lookAt has a member catch up, or reads from it: whatever it has learned, or no less than was seen, or all that was
// acknowledged, or what comes next.
func (c *client) lookAt(ctx actor.Context, id log.ReplicaID) {
	from := c.history.highest - min(c.history.highest, log.Position(c.random.IntN(40)))
	switch c.random.IntN(8) {
	case 0:
		c.send(ctx, &messages.CatchupRequest{Request: c.begin(ctx, spec.Operation{Kind: spec.Catchup}, id)})
	case 1, 2:
		o := spec.Operation{Kind: spec.Read, Linearizable: true, Reader: readers + uint64(c.id)}
		c.send(ctx, &messages.CatchupRequest{Request: c.begin(ctx, o, id)}) // and then see goOn
	case 3, 4:
		c.follow(ctx, id)
	default:
		m := &messages.ReadRequest{Request: c.begin(ctx, spec.Operation{Kind: spec.Read}, id), From: uint64(from)}
		if c.random.IntN(2) == 0 {
			m.To = uint64(from) + c.random.Uint64N(10)
		}
		c.send(ctx, m)
	}
}

// goOn reads from any member what a quorum was asked for, and says whether the answer was to such a question.
func (c *client) goOn(ctx actor.Context, m *messages.CatchupResponse) bool {
	w := c.waiting[m.GetRequest()]
	if w == nil || w.Kind != spec.Read || m.GetFailure() != nil {
		return false
	}
	if w.token > 0 {
		return true // the network brought the answer twice
	}
	w.Member = c.anyMember()
	w.token = max(c.reader.seen, log.Position(m.GetLearned()), 1)
	from := c.history.highest - min(c.history.highest, log.Position(c.random.IntN(40)))
	c.sendTo(ctx, w.Member, &messages.ReadRequest{
		Request: m.GetRequest(), From: uint64(from), Seen: uint64(w.token), WaitMicros: uint64(c.random.Int64N(2_000_000)),
	})
	return true
}

// follow asks a member for what comes next, one question at a time.
func (c *client) follow(ctx actor.Context, id log.ReplicaID) {
	if c.waiting[c.reader.follows] != nil {
		return
	}
	c.reader.follows = c.begin(ctx, spec.Operation{Kind: spec.Read, Reader: readers + uint64(c.id)}, id)
	w := c.waiting[c.reader.follows]
	w.token, w.followed = c.reader.seen, c.reader.next
	c.send(ctx, &messages.ReadRequest{
		Request: c.reader.follows, From: uint64(w.followed), Seen: uint64(w.token), WaitMicros: uint64(c.random.Int64N(3_000_000)),
	})
}

// wasRead takes a page, and checks that the reader got what it had to see.
func (c *client) wasRead(w *call, now time.Duration, p *messages.Page) {
	c.history.wasRead(w.operation, now, p)
	if w.Reader < readers {
		return
	}
	if learned := log.Position(p.GetLearned()); learned < w.token {
		c.history.violate("%s was shown a log that is learned up to %d, and its reader had seen %d", w.operation, learned, w.token)
	}
	if w.Linearizable {
		c.reader.latest++
	}
	c.reader.seen = max(c.reader.seen, log.Position(p.GetLearned()))
	if first := log.Position(p.GetRange().GetFirst()); w.followed > 0 && first > 0 && first != w.followed {
		c.history.violate("%s followed the log from %d on, and was shown %d", w.operation, w.followed, first)
	}
	if last := log.Position(p.GetRange().GetLast()); !w.Linearizable && last > 0 {
		c.reader.pages++
		c.reader.next = last + 1
	}
}

// passed goes on where the log begins, if it was truncated above what the reader has read.
func (r *reader) passed(m *messages.ReadResponse) {
	f := m.GetFailure()
	if f.GetCode() == messages.Code_CODE_TRUNCATED && m.GetRequest() == r.follows && log.Position(f.GetBegin()) > r.next {
		r.next = log.Position(f.GetBegin())
	}
}
