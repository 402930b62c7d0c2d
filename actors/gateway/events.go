package gateway

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// maxPage is how many events one answer has at most.
const maxPage = 128

// events answers with what happened since the client asked last: all that is kept, where another process answered then.
func (g *gateway) events(ctx actor.Context, m *messages.EventsRequest) {
	kept := g.Measures.Events
	answer := &messages.EventsResponse{Request: m.GetRequest(), Life: kept.Life()}
	after := m.GetAfter()
	if m.GetLife() != kept.Life() {
		after = 0
	}
	var page []measure.Event
	page, answer.Missed = kept.After(after, maxPage)
	for _, e := range page {
		answer.Events = append(answer.Events, encodeEvent(e))
	}
	reply(ctx, g.caller(ctx, m.GetRequest()), answer)
}

func encodeEvent(e measure.Event) *messages.Event {
	m := &messages.Event{
		Sequence: e.Sequence, AtUnixMicros: e.At.UnixMicro(), Kind: e.Kind, From: e.From, To: e.To, Peer: uint32(e.Peer),
		Detail: codec.CutDetail(e.Detail),
	}
	if e.Progress.Total > 0 {
		m.Progress = encodeProgress(e.Progress)
	}
	return m
}

func encodeProgress(p measure.Progress) *messages.Progress {
	return &messages.Progress{
		Total: p.Total, Done: p.Done, Bytes: p.Bytes, ElapsedMicros: p.Elapsed.Microseconds(), Rate: p.Rate,
		LeftMicros: p.Left.Microseconds(),
	}
}
