package gateway

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// askReplica goes on with the status requests, once the peers are known.
func (g *gateway) askReplica(ctx actor.Context) {
	if len(g.statuses) > 0 {
		ctx.Request(g.Replica, replica.Inspect{Gaps: true})
	}
}

// inspected answers every status request that waits.
func (g *gateway) inspected(ctx actor.Context, m replica.Inspected) {
	waited := g.statuses
	g.statuses = nil
	for _, c := range waited {
		reply(ctx, c, g.status(c.request, m))
	}
}

func (g *gateway) status(request uint64, m replica.Inspected) *messages.StatusResponse {
	s := &messages.StatusResponse{
		Request: request, Replica: uint32(g.Self), Status: codec.EncodeStatus(m.Status), SinceUnixMicros: m.Since.UnixMicro(),
		Begin: uint64(m.Begin), End: uint64(m.End), Learned: uint64(m.Learned), Holes: m.NotLearned,
		Promised: uint64(m.Promised), Writer: uint64(m.Writer), Incarnation: codec.EncodeIncarnation(m.Identity.Incarnation),
		Advice: g.advice, Configuration: m.Identity.Configuration, Epoch: m.Identity.Epoch, Cluster: m.Cluster, Syncs: m.Syncs,
		Catchup: encodeProgress(measure.Progress(g.progress)),
	}
	for _, gap := range m.Gaps {
		s.Gaps = append(s.Gaps, codec.EncodeRange(gap))
	}
	s.Appended, s.Latencies = g.Measures.Appends.Of(0), g.Measures.AppendTime.Counts()
	for _, bound := range g.Measures.AppendTime.Bounds() {
		s.LatencyBounds = append(s.LatencyBounds, uint64(time.Duration(bound).Microseconds()))
	}
	for _, p := range g.peers {
		if p.Present {
			s.Present = append(s.Present, uint32(p.ID))
		}
	}
	if s.Advice == "" {
		s.Advice = refusals(g.peers)
	}
	return s
}

// refusals says which members refuse this one.
func refusals(peers []network.Peer) string {
	for _, p := range peers {
		if p.Refusal != "" {
			return p.Refusal
		}
	}
	return ""
}
