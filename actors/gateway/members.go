package gateway

import (
	"errors"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
)

// members says who the members are, or has the coordinator that is elected change them.
func (g *gateway) members(ctx actor.Context, m *messages.MembersRequest) {
	w := write{caller: g.caller(ctx, m.GetRequest()), kind: changes}
	if m.GetChange() == nil {
		w.members(ctx, g.Configuration)
		return
	}
	var err error
	if w.change, err = codec.DecodeChange(m.GetChange()); err != nil {
		w.fail(ctx, codec.EncodeFailure(messages.Code_CODE_MALFORMED, err.Error()))
		return
	}
	g.submit(ctx, w)
}

// question is what the coordinator is asked.
func (w write) question(tag uint64) any {
	if w.kind == changes {
		return coordinator.Change{Tag: tag, Change: w.change}
	}
	return coordinator.Append{Tag: tag, Fence: w.fence, Values: w.values, Since: w.since, Resolve: w.resolve}
}

func (g *gateway) changed(ctx actor.Context, m coordinator.Changed) {
	w := g.writes[m.Tag]
	delete(g.writes, m.Tag)
	w.members(ctx, m.Configuration)
}

func (w write) members(ctx actor.Context, c membership.Configuration) {
	reply(ctx, w.caller, &messages.MembersResponse{Request: w.request, Outcome: &messages.MembersResponse_Configuration{
		Configuration: codec.EncodeMembership(c)}})
}

// badChange says why the members may not be changed like that, or not now.
func badChange(err error) *messages.Failure {
	code := messages.Code_CODE_BAD_CHANGE
	switch {
	case errors.Is(err, membership.ErrBehind):
		code = messages.Code_CODE_BEHIND
	case errors.Is(err, membership.ErrUnhealthy):
		code = messages.Code_CODE_UNHEALTHY
	case errors.Is(err, membership.ErrWriter):
		code = messages.Code_CODE_WRITER
	}
	return codec.EncodeFailure(code, err.Error())
}

// move goes on with other members. A catch-up asks the former ones: another one takes its place.
func (g *gateway) move(ctx actor.Context, m ensemble.Moved) {
	g.Ensemble = m.Ensemble
	if g.refresh.child != nil {
		ctx.Poison(g.refresh.child)
		g.refresh = refresh{later: slices.Concat(g.refresh.served, g.refresh.later)}
	}
	g.nextRefresh(ctx)
}
