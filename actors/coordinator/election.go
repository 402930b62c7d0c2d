package coordinator

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// idle: not elected. The only way out is Elect.
type idle struct{ *coordinator }

func (s idle) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case Elect:
		return s.elect(ctx)
	case Append:
		failed := Failed{Tag: m.Tag, Why: NotElected, Seen: s.floor}
		if m.Fence > 0 && s.floor > m.Fence && !m.Resolve {
			failed.Why = Fenced
		}
		ctx.Respond(failed)
	case Change:
		s.dismiss(ctx, NotElected, s.floor)
	case Demote:
		ctx.Respond(Demoted{End: s.settled})
	}
	return s
}

// elect begins an election: with a proposal that this replica never used before.
func (c *coordinator) elect(ctx actor.Context) state {
	c.after(ctx, func(attempt int) func() {
		return c.Clock.After(c.Patience.Election, ctx.Self(), electionDue{attempt})
	})
	ctx.Request(c.Replica, replica.Reserve{Above: c.floor})
	return reserving{c}
}

// electing handles what every state of an election does the same way.
func (c *coordinator) electing(ctx actor.Context, s state, child *actor.PID) state {
	switch m := ctx.Message().(type) {
	case Append:
		return c.enqueue(ctx, s, m)
	case Demote:
		ctx.Respond(Demoted{})
	case electionDue:
		if m.attempt != c.attempt {
			return s
		}
	default:
		return s
	}
	if child != nil {
		ctx.Poison(child)
	}
	return c.resign(ctx, Unheard, 0)
}

// reserving: the local replica is asked for a proposal.
type reserving struct{ *coordinator }

func (s reserving) receive(ctx actor.Context) state {
	m, ok := ctx.Message().(replica.Reserved)
	if !ok {
		return s.electing(ctx, s, nil)
	}
	if usedUp := m.By == 0; usedUp {
		return s.resign(ctx, Unheard, 0)
	}
	s.by, s.self = m.By, m.Identity
	question, polite := round.Promise(s.by, log.Range{}), !s.asked()
	if polite {
		question = round.Candidacy(s.by)
	}
	child := ctx.Spawn(s.Props(round.New(s.Ensemble, s.self, question)))
	return promising{s.coordinator, child, polite}
}

// asked says whether a client wants this coordinator elected, whoever writes.
func (c *coordinator) asked() bool {
	return slices.ContainsFunc(c.elects, func(e client) bool { return !e.polite })
}

// promising: a quorum is asked for an implicit promise.
type promising struct {
	*coordinator
	round  *actor.PID
	polite bool // whoever hears another writer refuses it
}

func (s promising) receive(ctx actor.Context) state {
	m, ok := ctx.Message().(round.Done)
	if !ok || !s.round.Equal(ctx.Sender()) {
		return s.electing(ctx, s, s.round)
	}
	switch o := m.Outcome.(type) {
	case paxos.Won:
		return s.fill(ctx, o.End)
	case paxos.Lost:
		return s.lose(ctx, NotElected, o.By)
	case paxos.Pending, paxos.Settled, paxos.Passed, paxos.Unheard:
	}
	return s.lose(ctx, Unheard, 0)
}

// lose gives the election up. That somebody else writes is no reason for a client that asked for one meanwhile: it has another.
func (s promising) lose(ctx actor.Context, why Why, seen log.Proposal) state {
	if !s.polite || !s.asked() {
		return s.resign(ctx, why, seen)
	}
	s.floor = max(s.floor, seen)
	s.answerPolite(ctx, func(e client) any { return Failed{Tag: e.tag, Why: why, Seen: seen} })
	return s.elect(ctx)
}

// fill has the local replica learn everything up to the highest position that anybody of the quorum holds: nothing can be
// chosen above it but by this coordinator.
func (s promising) fill(ctx actor.Context, end log.Position) state {
	s.next = end + 1
	if !s.quiet {
		s.stand(ctx)
	}
	if end == 0 {
		return s.inspect(ctx)
	}
	child := ctx.Spawn(s.Props(catchup.New(s.Ensemble, catchup.Config{Range: log.Range{First: 1, Last: end}, By: s.by})))
	return filling{s.coordinator, child}
}

// stand has everybody told that this coordinator is about to write: what is to be filled may take longer than a writer may be silent.
func (s promising) stand(ctx actor.Context) {
	ctx.Send(s.Replica, replica.Stand{By: s.by})
	ctx.Send(s.Network, network.Greet{})
}

// inspect asks the local replica where the log begins, once everything is filled.
func (c *coordinator) inspect(ctx actor.Context) state {
	ctx.Request(c.Replica, replica.Lead{By: c.by})
	ctx.Request(c.Replica, replica.Inspect{})
	return settling{c}
}

// filling: the local replica learns what it misses.
type filling struct {
	*coordinator
	catchup *actor.PID
}

func (s filling) receive(ctx actor.Context) state {
	if _, ok := ctx.Message().(catchup.Done); ok && s.catchup.Equal(ctx.Sender()) {
		return s.inspect(ctx)
	}
	return s.electing(ctx, s, s.catchup)
}

// settling: the local replica knows everything, and is asked where the log begins.
type settling struct{ *coordinator }

func (s settling) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case replica.Inspected:
		if m.Identity.Epoch != s.self.Epoch { // what was settled has a change of the members: they promise anew, see moved
			return s
		}
		if m.Promised > s.by {
			return s.resign(ctx, NotElected, m.Promised)
		}
		return s.remember(ctx, m)
	case replica.Outbid:
		if m.By > s.by {
			return s.resign(ctx, NotElected, m.By)
		}
	}
	return s.electing(ctx, s, nil)
}

func (s settling) remember(ctx actor.Context, m replica.Inspected) state {
	s.next, s.coordinator.begin = max(s.next, m.Begin), m.Begin
	s.settled = s.next - 1
	ctx.Request(s.Replica, replica.Sessions{UpTo: s.settled})
	return remembering{s.coordinator}
}

// remembering: the local replica is asked what is in the log of which session.
type remembering struct{ *coordinator }

func (s remembering) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case replica.Remembered:
		if m.UpTo >= s.settled { // not one that an election before this one had asked for
			return s.begin(ctx, m)
		}
	case replica.Outbid:
		if m.By > s.by {
			return s.resign(ctx, NotElected, m.By)
		}
	}
	return s.electing(ctx, s, nil)
}

func (s remembering) begin(ctx actor.Context, m replica.Remembered) state {
	s.table = m.Table
	reign := round.Reign(log.Reign{By: s.by, First: s.next})
	return beginning{s.coordinator, ctx.Spawn(s.Props(round.New(s.Ensemble, s.self, reign)))}
}

// beginning: a quorum is asked to note the reign.
type beginning struct {
	*coordinator
	round *actor.PID
}

func (s beginning) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case round.Done:
		if s.round.Equal(ctx.Sender()) {
			return s.conclude(ctx, m)
		}
	case replica.Outbid:
		if m.By > s.by {
			ctx.Poison(s.round)
			return s.resign(ctx, NotElected, m.By)
		}
	}
	return s.electing(ctx, s, s.round)
}

func (s beginning) conclude(ctx actor.Context, m round.Done) state {
	switch o := m.Outcome.(type) {
	case paxos.Won:
		return s.won(ctx)
	case paxos.Lost:
		return s.resign(ctx, NotElected, o.By)
	case paxos.Pending, paxos.Settled, paxos.Passed, paxos.Unheard:
	}
	return s.resign(ctx, Unheard, 0)
}

func (s beginning) won(ctx actor.Context) state {
	s.Log.Info().Stringer("proposal", s.by).Uint64("next", uint64(s.next)).Msg("the coordinator is elected")
	if s.quiet {
		s.quiet = false
		return s.goOn(ctx)
	}
	s.noteWon()
	winner := s.elects[0]
	s.elects = s.elects[1:]
	ctx.Send(winner.pid, Elected{Tag: winner.tag, By: s.by, End: s.next - 1})
	return s.goOn(ctx)
}

// satisfy answers whoever wanted this coordinator elected, and no fence of its own: it is, and another election would fence its
// clients.
func (c *coordinator) satisfy(ctx actor.Context) {
	c.answerPolite(ctx, func(e client) any { return Elected{Tag: e.tag, By: c.by, End: c.next - 1} })
}

func (c *coordinator) answerPolite(ctx actor.Context, answer func(client) any) {
	c.elects = slices.DeleteFunc(c.elects, func(e client) bool {
		if e.polite {
			ctx.Send(e.pid, answer(e))
		}
		return e.polite
	})
}
