package gateway

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/leader"
	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
)

// write is a request that the coordinator works on.
type write struct {
	caller
	kind   kind
	fence  log.Proposal
	values []log.Value
	change membership.Change
	began  time.Time // when an append arrived
	counts *measure.Measures

	since   log.Position // of a session: see coordinator.Append
	resolve bool
	sought  bool // a writer was looked for, and it was the local coordinator
}

// minds says whether a write is for one writer only, so that nobody else is looked for.
func (w write) minds() bool { return w.fence > 0 && !w.resolve }

// kind says how an answer is written.
type kind uint8

const (
	appends kind = iota + 1
	truncates
	elects
	changes
)

// search is the question who writes: asked once for all requests that need it.
type search struct {
	on      bool
	waiting []write // in the order of their arrival
	cost    int     // of their values
	tag     uint64  // of the election, if one was started
}

// wait puts a request behind the others, or turns it away where too much waits.
func (g *gateway) wait(ctx actor.Context, w write) {
	cost := coordinator.Cost(w.values)
	if g.search.cost+cost > g.Room() && len(g.search.waiting) > 0 {
		g.Measures.Searching.Rejected.Add(1)
		w.fail(ctx, g.failure(coordinator.Busy))
		return
	}
	g.search.cost += cost
	g.search.waiting = append(g.search.waiting, w)
}

func (g *gateway) append(ctx actor.Context, m *messages.AppendRequest) {
	w := write{
		caller: g.caller(ctx, m.GetRequest()), kind: appends, fence: log.Proposal(m.GetWriter()),
		since: log.Position(m.GetSince()), resolve: m.GetResolve() && m.GetSequence() > 0,
	}
	w.began, w.counts = g.Clock.Now(), g.Measures
	var err error
	w.values, err = codec.DecodeAppendRequest(m)
	switch {
	case errors.Is(err, codec.ErrTooLarge):
		w.fail(ctx, codec.EncodeFailure(messages.Code_CODE_TOO_LARGE, "an entry has at most 1 MiB, and so has a batch: split it"))
	case err != nil:
		w.fail(ctx, codec.EncodeFailure(messages.Code_CODE_MALFORMED, err.Error()))
	default:
		g.submit(ctx, w)
	}
}

func (g *gateway) truncate(ctx actor.Context, m *messages.TruncateRequest) {
	w := write{caller: g.caller(ctx, m.GetRequest()), kind: truncates, fence: log.Proposal(m.GetWriter())}
	w.values = []log.Value{{Kind: log.Truncate, To: log.Position(m.GetTo())}}
	g.submit(ctx, w)
}

func (g *gateway) elect(ctx actor.Context, m *messages.ElectRequest) {
	w := write{caller: g.caller(ctx, m.GetRequest()), kind: elects}
	if g.coordinator == nil {
		w.fail(ctx, g.notVoting())
		return
	}
	tag := g.next()
	g.writes[tag] = w
	ctx.Request(g.coordinator, coordinator.Elect{Tag: tag})
}

// submit gives a write to the coordinator, or puts it behind those that wait to know who writes.
func (g *gateway) submit(ctx actor.Context, w write) {
	switch {
	case g.coordinator == nil:
		w.fail(ctx, g.notVoting())
	case g.search.on && !w.minds():
		g.wait(ctx, w)
	default:
		tag := g.next()
		g.writes[tag] = w
		ctx.Request(g.coordinator, w.question(tag))
	}
}

func (g *gateway) appended(ctx actor.Context, m coordinator.Appended) {
	w := g.writes[m.Tag]
	delete(g.writes, m.Tag)
	switch w.kind {
	case appends:
		g.Measures.Appends.Add(0, m.Range.Len())
		g.Measures.AppendTime.Observe(int64(g.Clock.Now().Sub(w.began)))
		reply(ctx, w.caller, &messages.AppendResponse{
			Request: w.request, Outcome: &messages.AppendResponse_Range{Range: codec.EncodeRange(m.Range)},
			More: codec.EncodeRanges(m.More)})
	case truncates:
		reply(ctx, w.caller, &messages.TruncateResponse{
			Request: w.request, Outcome: &messages.TruncateResponse_Position{Position: uint64(m.Range.First)}})
	case elects, changes:
	}
}

func (g *gateway) elected(ctx actor.Context, m coordinator.Elected) {
	if m.Tag == g.search.tag && g.search.on {
		g.submitAll(ctx)
		return
	}
	w := g.writes[m.Tag]
	delete(g.writes, m.Tag)
	reply(ctx, w.caller, &messages.ElectResponse{Request: w.request, Outcome: &messages.ElectResponse_Elected{
		Elected: &messages.Elected{Writer: uint64(m.By), End: uint64(m.End)}}})
}

func (g *gateway) failed(ctx actor.Context, m coordinator.Failed) {
	if m.Tag == g.search.tag && g.search.on {
		g.endSearch(func(w write) { w.fail(ctx, g.failure(m.Why)) })
		return
	}
	w := g.writes[m.Tag]
	delete(g.writes, m.Tag)
	if m.Why == coordinator.NotElected && !w.minds() && !w.sought && w.kind != elects {
		g.find(ctx, w)
		return
	}
	failure := g.failure(m.Why)
	switch {
	case m.Why == coordinator.BadChange:
		failure = badChange(m.Err)
	case m.Why == coordinator.Indeterminate && w.kind == changes:
		failure.Detail = "the change of the members may or may not be made: ask for it again, which makes it once"
	case m.Why == coordinator.BadRange:
		failure.Begin, failure.Learned = uint64(m.Held.First), uint64(m.Held.Last)
	}
	if m.To > 0 {
		failure.Writer, failure.Detail = uint32(m.To), "this member is about to end: have another one elected"
	}
	failure.Next, failure.Since = m.Next, uint64(m.Since)
	w.failAt(ctx, failure, m.Found)
}

// find asks who writes, on behalf of a request that does not mind.
func (g *gateway) find(ctx actor.Context, w write) {
	g.wait(ctx, w)
	if !g.search.on {
		g.search.on = true
		ctx.Request(g.Network, network.Survey{})
	}
}

func (g *gateway) surveyed(ctx actor.Context, m network.Surveyed) {
	g.peers = m.Peers
	g.askReplica(ctx)
	if !g.search.on || g.search.tag > 0 {
		return
	}
	if id := g.writer(); id != 0 && id != g.Self {
		g.refer(ctx, id, coordinator.NotElected)
		return
	}
	if g.coordinator == nil { // the replica lost its vote meanwhile
		g.endSearch(func(w write) { w.fail(ctx, g.notVoting()) })
		return
	}
	g.search.tag = g.next()
	if g.leader != nil {
		ctx.Request(g.leader, leader.Seek{Tag: g.search.tag})
		return
	}
	ctx.Request(g.coordinator, coordinator.Elect{Tag: g.search.tag})
}

// refer sends everybody who waits to another member; 0 for none.
func (g *gateway) refer(ctx actor.Context, to log.ReplicaID, why coordinator.Why) {
	failure := g.failure(why)
	if to != g.Self {
		failure.Writer = uint32(to)
	}
	g.endSearch(func(w write) { w.fail(ctx, failure) })
}

func (g *gateway) found(ctx actor.Context, m leader.Found) {
	if m.Tag == g.search.tag && g.search.on {
		g.submitAll(ctx)
	}
}

func (g *gateway) elsewhere(ctx actor.Context, m leader.Elsewhere) {
	if m.Tag == g.search.tag && g.search.on {
		g.refer(ctx, m.Writer, m.Why)
	}
}

// submitAll gives everything that waited to the coordinator, which is elected. What that turns away all the same is not looked
// for again: it knows of a later writer than this one, and the search would end here at once, again and again.
func (g *gateway) submitAll(ctx actor.Context) {
	g.endSearch(func(w write) {
		w.sought = true
		g.submit(ctx, w)
	})
}

// endSearch does the same with every request that waited.
func (g *gateway) endSearch(do func(write)) {
	waited := g.search.waiting
	g.search = search{}
	for _, w := range waited {
		do(w)
	}
}

// fail answers a write that failed.
func (w write) fail(ctx actor.Context, f *messages.Failure) { w.failAt(ctx, f, nil) }

// failAt answers a write that failed, but whose first entries were in the log before.
func (w write) failAt(ctx actor.Context, f *messages.Failure, found []log.Range) {
	switch w.kind {
	case appends:
		w.counts.Appends.Add(int(f.GetCode()), uint64(max(len(w.values), 1)))
		reply(ctx, w.caller, &messages.AppendResponse{
			Request: w.request, Outcome: &messages.AppendResponse_Failure{Failure: f}, More: codec.EncodeRanges(found),
		})
	case truncates:
		reply(ctx, w.caller, &messages.TruncateResponse{Request: w.request, Outcome: &messages.TruncateResponse_Failure{Failure: f}})
	case elects:
		reply(ctx, w.caller, &messages.ElectResponse{Request: w.request, Outcome: &messages.ElectResponse_Failure{Failure: f}})
	case changes:
		reply(ctx, w.caller, &messages.MembersResponse{Request: w.request, Outcome: &messages.MembersResponse_Failure{Failure: f}})
	}
}

func (g *gateway) failure(why coordinator.Why) *messages.Failure {
	switch why {
	case coordinator.BadChange:
	case coordinator.Fenced:
		return codec.EncodeFailure(messages.Code_CODE_FENCED, "another writer was elected: have this one elected again to go on")
	case coordinator.NotElected:
		return codec.EncodeFailure(messages.Code_CODE_NOT_ELECTED, "this member's coordinator is not elected: try again")
	case coordinator.Unheard:
		return codec.EncodeFailure(messages.Code_CODE_NO_QUORUM, "no quorum of the members answered: "+g.absent())
	case coordinator.Indeterminate:
		return codec.EncodeFailure(messages.Code_CODE_INDETERMINATE,
			"the entries may or may not be in the log: read it before you append them again ("+g.absent()+")")
	case coordinator.Busy:
		return codec.EncodeFailure(messages.Code_CODE_BUSY, "64 MiB of entries wait here already: try again later")
	case coordinator.BadRange:
		return codec.EncodeFailure(messages.Code_CODE_BAD_RANGE, "the log has no such position to truncate to: see status for begin and end")
	case coordinator.Gap:
		return codec.EncodeFailure(messages.Code_CODE_SEQUENCE_GAP,
			"entries of the session are missing before these: append those first, or again")
	case coordinator.Evicted:
		return codec.EncodeFailure(messages.Code_CODE_SESSION_EVICTED,
			"the session is forgotten, as other clients appended so much since: begin another one, and read the log to find out what is in it")
	}
	return codec.EncodeFailure(messages.Code_CODE_MALFORMED, "unknown failure")
}
