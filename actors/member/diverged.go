package member

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/audit"
	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/replica"
)

// Divergence tells it to people.
func Divergence(e audit.Diverged) string {
	return fmt.Sprintf("the log at positions %s differs from that of member %d: see quorumlog verify", e.Block, e.Peer)
}

// damaged has the status say which learned records are damaged here, until they are copied.
func (m *member) damaged(ctx actor.Context, e replica.Damaged) {
	text := ""
	if !e.Set.Empty() {
		text = fmt.Sprintf("the learned records at %s are damaged on this disk: they are copied from another member, which has to be there", e.Set)
	}
	m.advise(ctx, copying, text)
}

// diverged handles a log that differs from that of another member. Two cannot tell which of them is wrong: both say so, and go
// on. Where a quorum says one thing, and this one another, its disk is wrong: the replica stops voting, and its disk is
// condemned, which keeps all its files for whoever wants to know what happened. A quorum stays, since it agrees.
func (m *member) diverged(ctx actor.Context, e audit.Diverged) {
	text := Divergence(e)
	m.note(measure.Event{Kind: measure.Diverged, Peer: e.Peer, Detail: text})
	m.advise(ctx, auditing, text)
	m.Report(e)
	if e.Minority {
		ctx.Send(m.Replica, replica.Distrust{Why: fmt.Sprintf("a quorum of the members have learned something else at positions %s", e.Block)})
	}
}
