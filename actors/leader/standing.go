package leader

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// following: another member writes, or this one does not vote.
type following struct{ *leader }

func (s following) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case replica.Inspected:
		switch {
		case len(s.seekers) > 0:
			return s.seek(ctx, s)
		case m.Heard > 0 && m.Writer == 0:
			s.fruitless = 0
		}
		if s.mayStand() && m.Heard == 0 {
			return s.wait(ctx)
		}
		return s.follow(ctx)
	case replica.Deserted:
		return s.succeed(ctx, m)
	case Seek:
		return s.seek(ctx, s)
	case Leave:
		return s.leave(ctx)
	}
	return s
}

// follow is what becomes of a member that does not stand: it leads where a client had its coordinator elected.
func (l *leader) follow(ctx actor.Context) state {
	if l.self.Writer > 0 {
		return l.lead(ctx)
	}
	return following{l}
}

// succeed takes the place of a writer that is gone: at once where it named this member, and soon where it named nobody.
func (l *leader) succeed(ctx actor.Context, m replica.Deserted) state {
	l.fruitless = 0
	switch {
	case !l.mayStand():
		return following{l}
	case m.Successor == l.Self:
		return l.stand(ctx)
	case m.Successor != 0:
		return l.waitFor(ctx, l.Patience.Silence/2)
	}
	return l.wait(ctx)
}

// candidacy is how long a member that may stand waits for the others: longer after each time in vain.
func (l *leader) candidacy() time.Duration {
	const most = 3 // doublings
	return l.Patience.Candidacy << min(l.fruitless, most)
}

// wait waits a random moment, so that not all stand at once; longer where the disk is slow.
func (l *leader) wait(ctx actor.Context) state {
	longest := l.candidacy()
	shortest := time.Duration(0)
	if l.fruitless > 0 {
		shortest = longest / 2
	}
	if l.slow() {
		shortest, longest = shortest+l.Patience.Silence, longest+l.Patience.Silence
	}
	return l.waitFor(ctx, timer.Between(l.Random, shortest, longest))
}

func (l *leader) waitFor(ctx actor.Context, d time.Duration) state {
	l.after(func(attempt int) func() { return l.Clock.After(d, ctx.Self(), standDue{attempt}) })
	return waiting{l}
}

// waiting: nobody is heard who writes; this one stands in a moment.
type waiting struct{ *leader }

func (s waiting) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case standDue:
		if m.attempt == s.attempt {
			return s.canvass(ctx, 0)
		}
	case replica.Inspected:
		if !s.mayStand() || m.Heard > 0 {
			s.stopTimer()
			return s.follow(ctx)
		}
	case replica.Deserted:
		return s.succeed(ctx, m)
	case Seek:
		return s.seek(ctx, s)
	case Leave:
		return s.leave(ctx)
	}
	return s
}

// seek looks for a writer at once, unless that is known to be in vain.
func (l *leader) seek(ctx actor.Context, stay state) state {
	if l.self.Status == 0 { // it is asked already how it is
		return stay
	}
	if l.alone || !l.mayStand() {
		l.sendElsewhere(ctx, 0, coordinator.Unheard)
		return stay
	}
	return l.canvass(ctx, 0)
}

// canvass asks everybody, the local replica too, whether they would mind an election by a proposal above one that was seen.
func (l *leader) canvass(ctx actor.Context, above log.Proposal) state {
	by := max(l.self.Highest, l.self.Promised, above).Next(l.Self)
	if usedUp := by == 0; usedUp {
		l.sendElsewhere(ctx, 0, coordinator.Unheard)
		return following{l}
	}
	l.after(func(attempt int) func() { return l.Clock.After(l.Patience.Silence, ctx.Self(), opinionsDue{attempt}) })
	child := ctx.Spawn(l.Props(round.New(l.Ensemble, l.self.Identity, round.Canvass(by, l.candidacy()))))
	return canvassing{l, child, by, above}
}

// canvassing: the members are asked whether they would mind an election.
type canvassing struct {
	*leader
	round *actor.PID
	by    log.Proposal
	above log.Proposal // that stood in the way of the first proposal; 0 for none
}

func (s canvassing) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case round.Done:
		if s.round.Equal(ctx.Sender()) {
			s.stopTimer()
			return s.conclude(ctx, m)
		}
	case opinionsDue:
		if m.attempt == s.attempt {
			ctx.Poison(s.round)
			return s.unheard(ctx)
		}
	case replica.Inspected:
		if m.Writer > 0 {
			ctx.Poison(s.round)
			return s.lead(ctx)
		}
	case replica.Deserted:
		if m.Successor == s.Self {
			ctx.Poison(s.round)
			return s.stand(ctx)
		}
	case Leave:
		ctx.Poison(s.round)
		return s.leave(ctx)
	}
	return s
}

// conclude acts on the opinions. A quorum that would not mind is enough. A proposal that turns out to be too low says nothing of
// whether anybody minds, once.
func (s canvassing) conclude(ctx actor.Context, m round.Done) state {
	switch o := m.Outcome.(type) {
	case paxos.Won:
		s.Measures.Canvasses.Add(int(measure.Welcome), 1)
		return s.stand(ctx)
	case paxos.Lost:
		if o.By >= s.by && s.above == 0 {
			return s.canvass(ctx, o.By)
		}
		s.Measures.Canvasses.Add(int(measure.Minded), 1)
		return s.fail(ctx, o.By.Replica(), coordinator.NotElected)
	case paxos.Pending, paxos.Settled, paxos.Passed, paxos.Unheard:
	}
	return s.unheard(ctx)
}

// unheard tries again later: no quorum has answered.
func (s canvassing) unheard(ctx actor.Context) state {
	s.Measures.Canvasses.Add(int(measure.Silent), 1)
	return s.fail(ctx, 0, coordinator.Unheard)
}

// stand has the local coordinator elected. It has a proposal of its own.
func (l *leader) stand(ctx actor.Context) state {
	l.stopTimer()
	ctx.Request(l.Coordinator, coordinator.Elect{Polite: true})
	return standing{l}
}

// standing: the local coordinator is to be elected. It answers within its own patience.
type standing struct{ *leader }

func (s standing) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case coordinator.Elected:
		return s.lead(ctx)
	case coordinator.Failed:
		ctx.Send(s.Network, network.Greet{}) // it stands no more
		return s.fail(ctx, 0, m.Why)
	case Leave:
		return s.leave(ctx)
	}
	return s
}

// fail tries again later: somebody minds, or stood at the same time, or there is no quorum.
func (l *leader) fail(ctx actor.Context, writer log.ReplicaID, why coordinator.Why) state {
	l.fruitless++
	l.sendElsewhere(ctx, writer, why)
	return l.wait(ctx)
}

// lead says to everybody that the local coordinator is elected.
func (l *leader) lead(ctx actor.Context) state {
	l.stopTimer()
	l.fruitless, l.alone = 0, false
	l.found(ctx)
	ctx.Send(l.Network, network.Greet{})
	return leading{leader: l}
}
