package member

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/gateway"
	"github.com/quorumlog/quorumlog/actors/recovery"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log/membership"
)

// ErrRemoved: the replica is no member of the log any more.
var ErrRemoved = errors.New("this replica was removed from the log")

// Changed reports to the owner that the members are others.
type Changed struct{ Configuration membership.Configuration }

// gather returns the ensemble of the members that the disk knows, if they were changed, or else of those that the member was
// started with. It is not ok where this one is none of them.
func (m *member) gather(ctx actor.Context, e *ensemble.Ensemble) (with *ensemble.Ensemble, ok bool) {
	c := m.Store.Metadata().Configuration
	if c.Epoch == 0 {
		seed := make([]membership.Member, 0, len(m.Members))
		for _, id := range m.Members {
			if pid := m.Others[id]; pid != nil {
				seed = append(seed, membership.Member{ID: id, Address: pid.GetAddress()})
			}
		}
		e.Configuration = membership.Seed(seed)
		return e, true
	}
	if m.expelled(ctx, c) {
		return nil, false
	}
	return e.With(c, m.reach(ctx)), true
}

// reach names the replica of a member: the root of every member's actors has the same name.
func (m *member) reach(ctx actor.Context) func(membership.Member) *actor.PID {
	name := ctx.Self().GetId() + "/" + Replica
	return func(o membership.Member) *actor.PID { return actor.NewPID(o.Address, name) }
}

// move tells everybody who the members are from now on. The replica knows, as it was the first to.
func (m *member) move(ctx actor.Context, e replica.Reconfigured) {
	if e.Unknown {
		m.wait(ctx, e.Configuration)
		return
	}
	if m.expelled(ctx, e.Configuration) {
		return
	}
	m.stranger = e.Configuration.Epoch
	m.now = m.now.With(e.Configuration, m.reach(ctx))
	clear(m.refusals)
	moved := ensemble.Moved{Ensemble: m.now}
	for _, pid := range []*actor.PID{m.Network, m.gateway, m.writer, m.leader, m.follow, m.audit} {
		if pid != nil {
			ctx.Send(pid, moved)
		}
	}
	if !m.opened {
		ctx.Send(m.recover, moved)
	}
	m.Report(Changed{e.Configuration})
}

// expelled ends a member that is none.
func (m *member) expelled(ctx actor.Context, c membership.Configuration) bool {
	if _, found := c.Member(m.Self); found {
		return false
	}
	m.fail(ctx, fmt.Errorf("%w: %d is none of its members (%s); nobody needs its directory any more, and a new member takes an id above %d",
		ErrRemoved, m.Self, c, c.Highest))
	return true
}

// wait tells, once, that this replica has to be made a member. Somebody who knows says so once it was.
func (m *member) wait(ctx actor.Context, c membership.Configuration) {
	if c.Epoch <= m.stranger {
		return
	}
	m.stranger = c.Epoch
	advice := fmt.Sprintf("replica %d is not a member of the log yet: have it added with 'quorumlog members add %d=HOST:PORT' (%s)", m.Self, m.Self, c)
	m.Log.Warn().Msg(advice)
	ctx.Send(m.gateway, gateway.Advise{Text: advice})
	m.Report(recovery.Advice{Text: advice})
}
