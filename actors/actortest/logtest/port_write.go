package logtest

import (
	"encoding/binary"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// lanes is how many appends are on their way at one time, each the next of a session of its own. The others wait.
const lanes = 4

// lane is a session of a port, for one append at a time.
type lane struct {
	session log.Session
	next    uint64
	since   log.Position
}

// renew begins another session, of which nothing is in the log up to since.
func (l *lane) renew(r timer.Random, since log.Position) {
	binary.LittleEndian.PutUint64(l.session[:8], r.Uint64())
	binary.LittleEndian.PutUint64(l.session[8:], r.Uint64())
	l.next, l.since = 1, max(l.since, since)
}

// appending is an Append.
type appending struct {
	port    *port
	asks    *actor.PID
	append  persistence.Append
	lane    *lane // nil while it waits for one
	tries   int
	unclear bool // some request of it may have succeeded
	sure    bool // the last request asked what became of those before
	end     func(log.Position, *Failure)
}

func (p *port) append(ctx actor.Context, m persistence.Append) {
	q := &appending{port: p, asks: ctx.Sender(), append: m}
	if len(p.free) == 0 {
		p.queue = append(p.queue, q)
		return
	}
	q.enter(ctx, p.free[0])
	p.free = p.free[1:]
}

// enter sends it for the first time.
func (q *appending) enter(ctx actor.Context, l *lane) {
	q.lane = l
	q.end = q.port.Begin(history.Operation{Kind: history.Append, Numbered: true, Entries: []string{string(q.append.Entry)}})
	q.port.send(ctx, q)
}

func (q *appending) request(number uint64) proto.Message {
	q.sure = q.unclear
	return &messages.AppendRequest{
		Request: number, Entries: [][]byte{q.append.Entry}, Session: slices.Clone(q.lane.session[:]), Sequence: q.lane.next,
		Since: uint64(q.lane.since), Resolve: q.unclear,
	}
}

func (*appending) writes() bool { return true }

func (q *appending) take(ctx actor.Context, _ log.ReplicaID, answer any) {
	at := log.Position(answer.(*messages.AppendResponse).GetRange().GetFirst()) //nolint:forcetypeassert // nothing else answers an AppendRequest
	q.lane.next++
	q.end(at, nil)
	q.leave(ctx, persistence.Appended{Tag: q.append.Tag, At: at})
}

func (q *appending) fail(ctx actor.Context, f *messages.Failure) {
	q.tries++
	switch code := f.GetCode(); {
	case f == nil, code == messages.Code_CODE_INDETERMINATE:
		q.unclear = true
	case code == messages.Code_CODE_FENCED && (q.sure || !q.unclear):
		q.refused(ctx, failed(f))
		return
	case (code == messages.Code_CODE_SESSION_EVICTED || code == messages.Code_CODE_SEQUENCE_GAP) && !q.unclear:
		q.lane.renew(q.port.Random, log.Position(f.GetSince()))
	case code == messages.Code_CODE_SESSION_EVICTED:
		q.tries = q.port.Tries // nobody will ever know
	}
	switch {
	case q.tries < q.port.Tries:
		q.port.again(ctx, q)
	case q.unclear:
		q.refused(ctx, Failure{messages.Code_CODE_INDETERMINATE, "it was sent, and now: " + f.GetCode().String()})
	default:
		q.refused(ctx, failed(f))
	}
}

// refused ends it. Whatever comes next is of another session: no number of this one may be missing.
func (q *appending) refused(ctx actor.Context, why Failure) {
	q.lane.renew(q.port.Random, 0)
	q.end(0, &why)
	q.leave(ctx, persistence.Appended{Tag: q.append.Tag, Err: why})
}

// leave answers, and lets the next one in.
func (q *appending) leave(ctx actor.Context, answer persistence.Appended) {
	ctx.Send(q.asks, answer)
	p := q.port
	if len(p.queue) == 0 {
		p.free = append(p.free, q.lane)
		return
	}
	p.queue[0].enter(ctx, q.lane)
	p.queue = p.queue[1:]
}

// truncating is a Truncate. It is sent once: the keeper asks again with a later snapshot.
type truncating struct {
	port     *port
	asks     *actor.PID
	truncate persistence.Truncate
	end      func(log.Position, *Failure)
}

func (p *port) truncate(ctx actor.Context, m persistence.Truncate) {
	end := p.Begin(history.Operation{Kind: history.Truncate, To: m.To})
	p.send(ctx, &truncating{p, ctx.Sender(), m, end})
}

func (q *truncating) request(number uint64) proto.Message {
	return &messages.TruncateRequest{Request: number, To: uint64(q.truncate.To)}
}

func (*truncating) writes() bool { return true }

func (q *truncating) take(ctx actor.Context, _ log.ReplicaID, answer any) {
	q.end(log.Position(answer.(*messages.TruncateResponse).GetPosition()), nil) //nolint:forcetypeassert // nothing else answers a TruncateRequest
	ctx.Send(q.asks, persistence.Truncated{Tag: q.truncate.Tag})
}

func (q *truncating) fail(ctx actor.Context, f *messages.Failure) {
	why := failed(f)
	q.end(0, &why)
	ctx.Send(q.asks, persistence.Truncated{Tag: q.truncate.Tag, Err: why})
}
