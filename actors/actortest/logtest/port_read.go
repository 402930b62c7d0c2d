package logtest

import (
	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// following is a Follow.
type following struct {
	port   *port
	asks   *actor.PID
	follow persistence.Follow
}

func (q *following) request(number uint64) proto.Message {
	wait := q.port.Patience / 2
	return &messages.ReadRequest{
		Request: number, From: uint64(q.follow.From), Seen: uint64(q.port.seen), WaitMicros: uint64(wait.Microseconds()),
	}
}

func (*following) writes() bool { return false }

func (q *following) take(ctx actor.Context, by log.ReplicaID, answer any) {
	covered, entries, err := q.port.page(by, answer)
	ctx.Send(q.asks, persistence.Followed{Tag: q.follow.Tag, Entries: entries, UpTo: covered.Last, Err: err})
}

func (q *following) fail(ctx actor.Context, f *messages.Failure) {
	answer := persistence.Followed{Tag: q.follow.Tag}
	switch f.GetCode() {
	case messages.Code_CODE_TRUNCATED:
		answer.Begin = log.Position(f.GetBegin())
	case messages.Code_CODE_NOT_LEARNED: // there was nothing for a while
	default:
		answer.Err = failed(f)
	}
	ctx.Send(q.asks, answer)
}

// page takes a page that a member showed. Of an empty one the last position is 0.
func (p *port) page(by log.ReplicaID, answer any) (covered log.Range, entries []persistence.Entry, err error) {
	shown := answer.(*messages.ReadResponse).GetPage() //nolint:forcetypeassert // nothing else answers a ReadRequest
	if p.Shown != nil {
		p.Shown(by, shown)
	}
	covered, actions, err := codec.DecodePage(shown)
	if err != nil || covered.Empty() {
		return log.Range{}, nil, err
	}
	p.seen = max(p.seen, log.Position(shown.GetLearned()))
	for _, a := range actions {
		if a.Value.Kind == log.Append {
			entries = append(entries, persistence.Entry{At: a.Position, Data: a.Value.Data})
		}
	}
	return covered, entries, nil
}

// fetching is a Fetch: it reads from the first position that is not found yet, a page at a time.
type fetching struct {
	port  *port
	asks  *actor.PID
	fetch persistence.Fetch
	found []persistence.Entry
	tries int
}

func (q *fetching) request(number uint64) proto.Message {
	rest, wait := q.fetch.At[len(q.found):], q.port.Patience/2
	return &messages.ReadRequest{
		Request: number, From: uint64(rest[0]), To: uint64(rest[len(rest)-1]), Seen: uint64(q.port.seen), WaitMicros: uint64(wait.Microseconds()),
	}
}

func (*fetching) writes() bool { return false }

func (q *fetching) take(ctx actor.Context, by log.ReplicaID, answer any) {
	_, entries, err := q.port.page(by, answer)
	before := len(q.found)
	for _, e := range entries {
		if rest := q.fetch.At[len(q.found):]; len(rest) > 0 && e.At == rest[0] {
			q.found = append(q.found, e)
		}
	}
	switch {
	case err == nil && len(q.found) == len(q.fetch.At):
		ctx.Send(q.asks, persistence.Fetched{Tag: q.fetch.Tag, Entries: q.found})
	case err == nil && len(q.found) > before:
		q.port.send(ctx, q)
	default:
		q.fail(ctx, &messages.Failure{Code: messages.Code_CODE_CORRUPT, Detail: "the log has no entry where an event was"})
	}
}

func (q *fetching) fail(ctx actor.Context, f *messages.Failure) {
	if q.tries++; q.tries < q.port.Tries && f.GetCode() != messages.Code_CODE_TRUNCATED {
		q.port.again(ctx, q)
		return
	}
	ctx.Send(q.asks, persistence.Fetched{Tag: q.fetch.Tag, Err: failed(f)})
}

// failed is the error of a failure; of none it is that nobody answered.
func failed(f *messages.Failure) Failure {
	if f == nil {
		return Failure{messages.Code_CODE_INDETERMINATE, "nobody answered"}
	}
	return Failure{f.GetCode(), f.GetDetail()}
}
