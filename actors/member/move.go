package member

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/gateway"
	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/recovery"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// ErrRemoved: the replica is no member of the log any more.
var ErrRemoved = errors.New("this replica was removed from the log")

// Changed reports to the owner that the members are others.
type Changed struct{ Configuration membership.Configuration }

// gather returns the ensemble of the members that the disk knows, if they were changed, or else of those that the member was
// started with.
func (m *member) gather(e *ensemble.Ensemble, reach func(membership.Member) *actor.PID) *ensemble.Ensemble {
	if c := m.Store.Metadata().Configuration; c.Epoch > 0 {
		return e.With(c, reach)
	}
	seed := make([]membership.Member, 0, len(m.Members))
	for _, id := range m.Members {
		if pid := m.Others[id]; pid != nil {
			seed = append(seed, membership.Member{ID: id, Address: pid.GetAddress()})
		}
	}
	e.Configuration = membership.Seed(seed)
	return e
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
	m.stranger = e.Configuration.Epoch
	m.now = m.now.With(e.Configuration, m.reach(ctx))
	clear(m.refusals)
	moved := ensemble.Moved{Ensemble: m.now}
	for _, pid := range []*actor.PID{m.now.Network, m.gateway, m.writer, m.leader, m.follow, m.audit} {
		if pid != nil {
			ctx.Send(pid, moved)
		}
	}
	m.note(measure.Event{Kind: measure.MembersChanged, Detail: e.Configuration.String(), Members: e.Configuration})
	m.Report(Changed{e.Configuration})
	if !m.expelled(ctx, e.Configuration) && !m.opened {
		ctx.Send(m.recover, moved)
	}
}

// expelled says whether this member is none any more. It then serves and recovers nothing; but it goes on greeting the others
// until a quorum of them knows who the members are: it may be the only one who knows, and they need each other to go on.
func (m *member) expelled(ctx actor.Context, c membership.Configuration) bool {
	if _, found := c.Member(m.Self); found || c.Epoch == 0 {
		return false
	}
	if m.leaves {
		return true
	}
	m.leaves, m.opened = true, false
	m.Log.Warn().Str("configuration", c.String()).Msg("this replica was removed from the log, and ends once the others know")
	ctx.Send(m.gateway, gateway.Serve{})
	m.advise(ctx, belonging, "this replica was removed from the log, and ends once a quorum of the members knows")
	if m.recover != nil {
		ctx.Poison(m.recover)
		m.recover = nil
	}
	return true
}

// quit ends the member once a quorum of those that are knows that it is none: they refuse it for that.
func (m *member) quit(ctx actor.Context) {
	c, know := m.now.Configuration, 0
	for _, id := range c.Voters() {
		if m.refusals[id] {
			know++
		}
	}
	if know >= paxos.Quorum(len(c.Voters())) {
		m.fail(ctx, fmt.Errorf("%w: %d is none of its members (%s); nobody needs its directory any more, and a new member takes an id above %d",
			ErrRemoved, m.Self, c, c.Highest))
	}
}

// wait tells, once, that this replica has to be made a member. Somebody who knows says so once it was.
func (m *member) wait(ctx actor.Context, c membership.Configuration) {
	if c.Epoch <= m.stranger {
		return
	}
	m.stranger = c.Epoch
	text := fmt.Sprintf("replica %d is not a member of the log yet: have it added with 'quorumlog members add %d=HOST:PORT' (%s)", m.Self, m.Self, c)
	m.Log.Warn().Msg(text)
	m.advise(ctx, belonging, text)
	m.note(measure.Event{Kind: measure.Advised, Detail: text})
	m.Report(recovery.Advice{Text: text})
}
