package gateway

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// read is a request that the replica works on.
type read struct {
	caller
	within log.Range
	seen   log.Position  // the member must have learned so far
	wait   time.Duration // how long it may take to; 0 once it took that
	digest bool
}

func (g *gateway) read(ctx actor.Context, m *messages.ReadRequest) {
	g.ask(ctx, read{
		caller: g.caller(ctx, m.GetRequest()),
		within: log.Range{First: log.Position(m.GetFrom()), Last: log.Position(m.GetTo())},
		seen:   log.Position(m.GetSeen()),
		wait:   time.Duration(min(m.GetWaitMicros(), uint64(maxWait.Microseconds()))) * time.Microsecond,
	})
}

func (g *gateway) digest(ctx actor.Context, m *messages.DigestRequest) {
	r := read{caller: g.caller(ctx, m.GetRequest()), digest: true}
	within, err := codec.DecodeRange(m.GetRange())
	if err != nil {
		r.fail(ctx, codec.EncodeFailure(messages.Code_CODE_MALFORMED, err.Error()))
		return
	}
	r.within = within
	g.ask(ctx, r)
}

func (g *gateway) ask(ctx actor.Context, r read) {
	if g.coordinator == nil {
		r.fail(ctx, g.notVoting())
		return
	}
	tag := g.next()
	g.reads[tag] = r
	ctx.Request(g.Replica, replica.Read{Range: r.within, Tag: tag})
}

func (g *gateway) page(ctx actor.Context, p replica.Page) {
	r := g.reads[p.Tag]
	delete(g.reads, p.Tag)
	if at := r.lacks(p); at > 0 {
		g.postpone(ctx, r, at, p)
		return
	}
	if p.Fault != replica.NoFault {
		r.fail(ctx, pageFailure(p))
		return
	}
	if r.digest {
		sum := codec.Digest(p.Actions)
		reply(ctx, r.caller, &messages.DigestResponse{Request: r.request, Outcome: &messages.DigestResponse_Digest{
			Digest: &messages.Digest{Range: codec.EncodeRange(p.Range), Sha256: sum[:]}}})
		return
	}
	reply(ctx, r.caller, &messages.ReadResponse{Request: r.request, Outcome: &messages.ReadResponse_Page{
		Page: codec.EncodePage(p.Range, p.Actions, p.Begin, p.Learned)}})
}

func pageFailure(p replica.Page) *messages.Failure {
	f := &messages.Failure{Begin: uint64(p.Begin), Learned: uint64(p.Learned)}
	switch p.Fault {
	case replica.Truncated:
		f.Code, f.Detail = messages.Code_CODE_TRUNCATED, fmt.Sprintf("the log begins at position %d: read from there", p.Begin)
	case replica.NotLearned:
		f.Code = messages.Code_CODE_NOT_LEARNED
		f.Detail = fmt.Sprintf("this member has learned the log up to position %d: catch up first, or read up to there", p.Learned)
	case replica.Backwards:
		f.Code, f.Detail = messages.Code_CODE_MALFORMED, "the range ends before it starts"
	case replica.Mending:
		f.Code = messages.Code_CODE_CORRUPT
		f.Detail = "records of this member are damaged, and it copies them from another one: ask another one, or later"
	case replica.DiskFailure, replica.NoFault:
		f.Code, f.Detail = messages.Code_CODE_CORRUPT, "the disk of this member failed: ask another member"
	}
	return f
}

func (r read) fail(ctx actor.Context, f *messages.Failure) {
	if r.digest {
		reply(ctx, r.caller, &messages.DigestResponse{Request: r.request, Outcome: &messages.DigestResponse_Failure{Failure: f}})
		return
	}
	reply(ctx, r.caller, &messages.ReadResponse{Request: r.request, Outcome: &messages.ReadResponse_Failure{Failure: f}})
}
