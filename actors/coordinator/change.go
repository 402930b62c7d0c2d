package coordinator

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
)

// change is a change of the members that somebody asked for.
type change struct {
	client client
	change membership.Change
}

// maxChanges is how many changes wait. They are made one at a time, and each is for a person to ask for.
const maxChanges = 64

// ask puts a change behind the others.
func (c *coordinator) ask(ctx actor.Context, m Change) {
	if len(c.changes) >= maxChanges {
		ctx.Respond(Failed{Tag: m.Tag, Why: Busy})
		return
	}
	c.changes = append(c.changes, change{client{pid: ctx.Sender(), tag: m.Tag}, m.Change})
	c.state = c.state.receive(ctx)
}

// weigh begins the next change: nothing is on its way, and everything below is chosen. The network is asked who is there.
func (c *coordinator) weigh(ctx actor.Context) state {
	c.stopTimer()
	ctx.Request(c.Network, network.Survey{})
	return weighing{c}
}

// weighing: the network is asked which members are there, and how they are.
type weighing struct{ *coordinator }

func (s weighing) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case Append:
		return s.enqueue(ctx, s, m)
	case network.Surveyed:
		return s.judge(ctx, m.Peers)
	case Demote:
		s.dismiss(ctx, NotElected, 0)
		return s.end(ctx, ending{s.coordinator, NotElected, []*actor.PID{ctx.Sender()}})
	case replica.Outbid:
		if m.By > s.by {
			s.floor = max(s.floor, m.By)
			return s.end(ctx, ending{coordinator: s.coordinator, why: NotElected})
		}
	}
	return s
}

// judge writes the first change that was asked for, unless the rules are against it.
func (s weighing) judge(ctx actor.Context, peers []network.Peer) state {
	ch := s.changes[0]
	s.changes = s.changes[1:]
	next, err := s.Configuration.Next(ch.change)
	switch {
	case err != nil:
	case next.Epoch == s.Configuration.Epoch:
		ctx.Send(ch.client.pid, Changed{Tag: ch.client.tag, Configuration: next})
		return s.goOn(ctx)
	default:
		err = s.mayFollow(next, peers)
	}
	if err != nil {
		ctx.Send(ch.client.pid, Failed{Tag: ch.client.tag, Why: BadChange, Err: err})
		return s.goOn(ctx)
	}
	return s.choose(ctx, ch, next)
}

// mayFollow says whether the log can go on with other members.
func (s weighing) mayFollow(next membership.Configuration, peers []network.Peer) error {
	if _, stays := next.Member(s.Self); !stays {
		return fmt.Errorf("%w: replica %d is to be removed: have another one elected first", membership.ErrWriter, s.Self)
	}
	return s.Configuration.MayFollow(next, func(id log.ReplicaID) membership.Standing {
		for _, p := range peers {
			if p.ID == id {
				return membership.Standing{Votes: p.Present && p.Presence.Status == status.Voting, Lacks: p.Lacks}
			}
		}
		return membership.Standing{}
	})
}

// choose has the members of before choose the change. The notice of what is chosen below goes with it: it is accepted only
// where all of that is learned.
func (s weighing) choose(ctx actor.Context, ch change, next membership.Configuration) state {
	data, err := codec.FormatConfiguration(next)
	if err == nil && s.next >= log.MaxPosition {
		err = errors.New("the log is full")
	}
	if err != nil {
		ctx.Send(ch.client.pid, Failed{Tag: ch.client.tag, Why: BadChange, Err: fmt.Errorf("%w: %w", membership.ErrInvalid, err)})
		return s.goOn(ctx)
	}
	values := []log.Value{{Kind: log.Config, Data: data}}
	question := round.Write(codec.Write{By: s.by, First: s.next, Values: values, Learned: s.chosen, Settled: s.settled})
	s.Log.Info().Uint64("position", uint64(s.next)).Str("configuration", next.String()).Msg("the members are to be others")
	child := ctx.Spawn(s.Props(round.New(s.Ensemble, s.self, question)))
	return choosing{coordinator: s.coordinator, round: child, change: ch, next: next}
}

// choosing: a quorum is asked to accept the change.
type choosing struct {
	*coordinator
	round   *actor.PID
	change  change
	next    membership.Configuration
	clients []*actor.PID // who asked to end the reign
}

func (s choosing) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case Append:
		if len(s.clients) > 0 {
			return s.turnAway(ctx, s, m)
		}
		return s.enqueue(ctx, s, m)
	case round.Done:
		if s.round.Equal(ctx.Sender()) {
			return s.conclude(ctx, m)
		}
	case Demote:
		return s.demote(ctx, m)
	case replica.Outbid:
		s.floor = max(s.floor, m.By)
	}
	return s
}

// demote ends the reign once the change that is on its way is chosen, or is not. Where that is not waited for, nobody knows what
// becomes of it.
func (s choosing) demote(ctx actor.Context, m Demote) state {
	s.clients = append(s.clients, ctx.Sender())
	s.dismiss(ctx, NotElected, 0)
	if !m.Now {
		return s
	}
	ctx.Poison(s.round)
	ctx.Send(s.change.client.pid, Failed{Tag: s.change.client.tag, Why: Indeterminate})
	return s.end(ctx, ending{s.coordinator, NotElected, s.clients})
}

func (s choosing) conclude(ctx actor.Context, m round.Done) state {
	s.age(m)
	if lost, ok := m.Outcome.(paxos.Lost); ok {
		s.floor = max(s.floor, lost.By)
	}
	if _, won := m.Outcome.(paxos.Won); won {
		return s.move(ctx)
	}
	failed := Failed{Tag: s.change.client.tag, Why: Indeterminate, Seen: s.floor}
	if !m.Unclear {
		failed.Why = NotElected
	}
	ctx.Send(s.change.client.pid, failed)
	return s.end(ctx, ending{s.coordinator, NotElected, s.clients})
}

// move has everybody hear that the change is chosen: those of before, as they do not listen to those of after until they know.
func (s choosing) move(ctx actor.Context) state {
	at := log.Range{First: s.coordinator.next, Last: s.coordinator.next}
	s.settled, s.coordinator.next = at.Last, at.Last+1
	s.announce(ctx, at)
	ctx.Send(s.Replica, replica.Install{Configuration: s.next})
	ctx.Send(s.change.client.pid, Changed{Tag: s.change.client.tag, Configuration: s.next})
	s.chosen, s.pending = log.Range{}, log.Range{}
	if len(s.clients) > 0 {
		return s.end(ctx, ending{s.coordinator, NotElected, s.clients})
	}
	s.after(ctx, func(attempt int) func() {
		return s.Clock.After(s.Patience.Election, ctx.Self(), electionDue{attempt})
	})
	s.quiet = true
	if s.Configuration.Epoch >= s.next.Epoch { // the local replica was told by somebody else already
		return s.settleIn(ctx)
	}
	return moving{s.coordinator}
}

// moving: the change is chosen, and the local replica is about to go by it.
type moving struct{ *coordinator }

func (s moving) receive(ctx actor.Context) state {
	if m, ok := ctx.Message().(replica.Inspected); ok && m.Identity.Epoch == s.Configuration.Epoch {
		return s.promise(ctx, m)
	}
	return s.electing(ctx, s, nil)
}

// settleIn asks the local replica who it is among the members of after.
func (c *coordinator) settleIn(ctx actor.Context) state {
	ctx.Request(c.Replica, replica.Inspect{})
	return moving{c}
}

// promise asks the members of after for what those of before have promised: the same proposal goes on, so that no client of
// it is fenced.
func (s moving) promise(ctx actor.Context, m replica.Inspected) state {
	s.self = m.Identity
	child := ctx.Spawn(s.Props(round.New(s.Ensemble, s.self, round.Promise(s.by, log.Range{}))))
	return promising{s.coordinator, child, false}
}

// moved goes on with other members. An election begins anew among them: the promise of the former ones is worth nothing
// there. A writer that wrote the change goes on, and any other one is fenced by whoever did.
func (c *coordinator) moved(ctx actor.Context, m ensemble.Moved) state {
	c.Ensemble = m.Ensemble
	switch s := c.state.(type) {
	case moving:
		return c.settleIn(ctx)
	case reserving, settling, remembering:
		return c.elect(ctx)
	case promising:
		return c.restart(ctx, s.round)
	case filling:
		return c.restart(ctx, s.catchup)
	case beginning:
		return c.restart(ctx, s.round)
	case elected:
		c.flight.abandon(ctx)
		return c.end(ctx, ending{coordinator: c, why: NotElected})
	case weighing:
		return c.end(ctx, ending{coordinator: c, why: NotElected})
	}
	return c.state // idle; or it waits for what is on its way
}

func (c *coordinator) restart(ctx actor.Context, child *actor.PID) state {
	ctx.Poison(child)
	return c.elect(ctx)
}
