package leader

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
)

// How many looks in a row a writer must be found wanting before it steps aside. The looks are counted, and not the time: a
// process that was suspended has heard nobody, and yet nothing is wrong.
const (
	cutOff   = 2 // it hears no quorum
	dragging = 4 // its disk is slow
)

// leading: the local coordinator is elected.
type leading struct {
	*leader
	unheard int // looks in a row at which no quorum was heard
	slowly  int // looks in a row at which the disk was slow
}

func (s leading) receive(ctx actor.Context) state {
	switch ctx.Message().(type) {
	case replica.Inspected:
		if s.self.Writer == 0 {
			return s.deposed(ctx)
		}
		s.found(ctx)
		if s.looked { // and not only asked for somebody who seeks
			return s.judge(ctx)
		}
	case Seek: // whoever asks was turned away by the coordinator a moment ago
		ctx.Request(s.Replica, replica.Inspect{})
	case Leave:
		return s.leave(ctx)
	}
	return s
}

// deposed is what becomes of one whose coordinator is not elected any more, for whatever reason: it says so.
func (s leading) deposed(ctx actor.Context) state {
	ctx.Send(s.Network, network.Greet{})
	if len(s.seekers) > 0 {
		return s.seek(ctx, following{s.leader})
	}
	return following{s.leader}
}

// judge has a writer step aside that cannot write, or another can better.
func (s leading) judge(ctx actor.Context) state {
	s.unheard, s.slowly = s.unheard+1, s.slowly+1
	if s.heardByQuorum() {
		s.unheard = 0
	}
	if !s.slow() {
		s.slowly = 0
	}
	switch {
	case s.unheard >= cutOff:
		s.alone = true
		s.Log.Warn().Stringer("proposal", s.self.Writer).Msg("the writer hears no quorum, and steps aside")
		return s.resign(ctx, 0)
	case s.slowly >= dragging:
		s.Log.Warn().Dur("sync", s.self.Sync).Msg("the writer's disk is slower than the others' by far, and it steps aside")
		return s.resign(ctx, s.successor())
	}
	return s
}

// resign has the coordinator step aside. What is on its way is not waited for: it may take long.
func (l *leader) resign(ctx actor.Context, successor log.ReplicaID) state {
	ctx.Request(l.Coordinator, coordinator.Demote{Now: true})
	return resigning{l, successor}
}

// resigning: the coordinator steps aside.
type resigning struct {
	*leader
	successor log.ReplicaID // 0 for nobody in particular
}

func (s resigning) receive(ctx actor.Context) state {
	switch ctx.Message().(type) {
	case coordinator.Demoted:
		ctx.Send(s.Network, network.Greet{Successor: s.successor})
		s.sendElsewhere(ctx, s.successor, coordinator.NotElected)
		s.fruitless = 1 // so that others are first
		return following{s.leader}
	case Leave:
		return s.leave(ctx)
	}
	return s
}

// leave has the coordinator step aside once what is on its way is finished, whether it is elected or about to be.
func (l *leader) leave(ctx actor.Context) state {
	const looks = 10
	l.stopTimer()
	s := leaving{leader: l, asked: ctx.Sender(), successor: l.successor()}
	ctx.Request(l.Coordinator, coordinator.Demote{Leaves: true, Successor: s.successor})
	s.sendElsewhere(ctx, s.successor, coordinator.NotElected)
	ctx.Send(ctx.Self(), leaveDue{looks})
	return s
}

// leaving: the member is about to end. It stays until somebody else writes, or for a moment, so that its clients hear who does.
type leaving struct {
	*leader
	asked     *actor.PID
	successor log.ReplicaID
	demoted   bool // the coordinator is not elected any more
	over      bool // that was answered
}

func (s leaving) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case coordinator.Demoted:
		s.demoted = true
		ctx.Send(s.Network, network.Greet{Successor: s.successor})
	case Seek:
		s.sendElsewhere(ctx, s.successor, coordinator.NotElected)
	case leaveDue:
		return s.linger(ctx, m.left)
	}
	return s
}

// linger looks whether the successor writes.
func (s leaving) linger(ctx actor.Context, left int) state {
	switch {
	case s.over:
	case s.demoted && (left == 0 || s.successor == 0 || s.succeeded()):
		s.over = true
		ctx.Send(s.asked, Left{})
	default:
		if s.demoted {
			ctx.Send(s.Network, network.Greet{Successor: s.successor}) // what it is answered says who writes
			left--
		}
		ctx.Request(s.Network, network.Survey{})
		s.after(func(int) func() { return s.Clock.After(s.Patience.Hello/5, ctx.Self(), leaveDue{max(left, 0)}) })
	}
	return s
}

// succeeded says whether a peer writes, under a proposal that this one was not outbid by.
func (l *leader) succeeded() bool {
	return slices.ContainsFunc(l.peers, func(p network.Peer) bool {
		return p.ID != l.Self && p.Present && p.Presence.Writer > 0 && p.Presence.Writer >= l.self.Promised
	})
}
