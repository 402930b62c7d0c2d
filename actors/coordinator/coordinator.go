// Package coordinator is the proposer that writes the log: it wins an election, and then has batches of entries accepted
// under one proposal.
//
//	idle ── Elect ─▶ reserving ─▶ promising ── won ─▶ filling ─▶ settling ─▶ remembering ─▶ beginning ── won ─▶ elected ─▶ ending
//	  ▲                  │            │                  │           │             │            │                             │
//	  └──────────────────┴── lost ────┴── late ──────────┴───────────┴─────────────┴── lost ────┴───── nothing on its way ────┘
//
// An election is won in two rounds. The first gets a quorum's promise for all positions; what the quorum holds is then
// settled. The second begins the reign: a quorum notes from where on this coordinator writes, so that nobody proposes again
// what a fenced writer left behind above that (see log.Reign). Only then does the client hear of it.
//
// Any rejection, unknown outcome or higher proposal ends in idle; the number seen is kept only as a floor for the next
// election (hole S4). What was sent and not chosen is indeterminate; what was not sent is provably not in the log.
//
// Several batches may be on their way at once; arrivals gather into the next one meanwhile. An acceptor takes a batch only
// behind the one below it (paxos.Linked), so whatever is chosen has all below it chosen as well: the coordinator acknowledges
// in the order of the positions, and a batch whose outcome is unknown is in the log as a whole, as a first part, or not at
// all. Once a round is not won, nothing more is sent: the reign is ending until all that is on its way has come to its end.
//
// Values of a session are written once, however often they come (package sessions): the table of what is in the log is that of
// the local replica, which has learned everything below the reign, and what is written goes into it at once.
//
// The notice that a batch is chosen rides on the next write, or goes out at once where none follows.
//
// A change of the members is a value as well, and alone on its way (docs/adr/0017):
//
//	elected ── Change ─▶ weighing ─▶ choosing ── won ─▶ moving ── the members are others ─▶ promising ─▶ ... ─▶ elected
//
// The members of before choose it. Those of after promise the same proposal, and note the reign, before anything else is
// written; meanwhile what is to be appended waits.
package coordinator

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/sessions"
)

type (
	// Elect asks for an election, also where the coordinator is elected already: whoever wrote before is fenced.
	// A Polite one, which no client asked for, is won only where no other writer is heard, and at once where this one is elected.
	Elect struct {
		Tag    uint64 // is repeated in the answer, as every Tag
		Polite bool
	}
	// Elected answers Elect: the election is won. End is the highest position of the log before its own entries.
	Elected struct {
		Tag uint64 // as it was asked
		By  log.Proposal
		End log.Position
	}
	// Append asks to write values at consecutive positions, all in one batch. The position of a TRUNCATE is checked.
	Append struct {
		Tag    uint64       // is repeated in the answer
		Fence  log.Proposal // writes only if this proposal is still the elected one; 0 for any
		Values []log.Value  // at most log.MaxRun of them, and log.MaxRunBytes bytes or one entry; of one session in its order, or of none

		// Since, of values of a session, is a position up to which nothing of it is in the log.
		Since log.Position
		// Resolve, of values of a session, says that an earlier Append of them has an unknown outcome: then it is not refused as
		// Fenced before somebody is elected who can know.
		Resolve bool
	}
	// Appended answers Append: the values are chosen. The local replica has learned them, if it voted for them.
	Appended struct {
		Tag   uint64 // as it was asked
		Range log.Range
		More  []log.Range // where values of a session are not behind each other: the positions behind Range
	}
	// Failed answers Elect, Append and Change.
	Failed struct {
		Tag  uint64 // as it was asked
		Why  Why
		Seen log.Proposal  // with Fenced and NotElected: the highest proposal that stands in the way; 0 if none is known
		To   log.ReplicaID // with NotElected, of a member that is about to end: who is to write instead; 0 if that is not known
		Held log.Range     // with BadRange: the log, which may be empty: its Last is First - 1 then

		// Of values of a session:
		Found []log.Range  // with Fenced: where the first values are; the others are not in the log
		Next  uint64       // with Gap: the number that comes next
		Since log.Position // with Evicted: up to where the log is chosen
		Err   error        // with BadChange: wraps an error of package membership
	}
	// Demote makes the coordinator idle, once all batches that are on their way are finished, or the change that is. Now gives those
	// up that are not chosen yet: what becomes of them is indeterminate. Leaves says that the member is about to end: the coordinator is
	// never elected again, whoever asks, and names the Successor instead; 0 for nobody in particular.
	Demote struct {
		Now, Leaves bool
		Successor   log.ReplicaID
	}
	// Demoted answers Demote. End is the highest position written.
	Demoted struct{ End log.Position }

	// Change asks to change the members. It is for the coordinator that is elected.
	Change struct {
		Tag    uint64 // is repeated in the answer
		Change membership.Change
	}
	// Changed answers Change: the configuration is chosen, or the change was made before. It is in force here soon.
	Changed struct {
		Tag           uint64 // as it was asked
		Configuration membership.Configuration
	}

	// electionDue is the time to give an election up.
	electionDue struct{ attempt int }
	// announceDue is the time to repeat what is chosen: a notice may be lost.
	announceDue struct{ attempt int }
)

// Why says why an Elect or an Append failed.
type Why uint8

// The reasons.
const (
	// Fenced: another writer was elected; the values are not in the log and never will be.
	Fenced Why = iota + 1
	// NotElected: the coordinator is not elected; the values are not in the log. For an Elect: the election was lost.
	NotElected
	// Unheard: no quorum answered the election in time.
	Unheard
	// Indeterminate: the values may or may not be in the log.
	Indeterminate
	// Busy: too much is waiting; the values are not in the log.
	Busy
	// BadRange: a TRUNCATE does not name a position from the begin of the log to its end.
	BadRange
	// Gap: numbers of the session are missing before the values, which are not in the log by this Append.
	Gap
	// Evicted: the session is forgotten, so that nobody can tell whether the values are in the log by an earlier Append.
	Evicted
	// BadChange: the members may not be changed like that, or not now.
	BadChange
)

// New returns the producer of a coordinator. It is idle, and answers whoever sends it Elect, Append, Change or Demote. Only one may be
// there for a replica: its proposals are that replica's.
func New(e *ensemble.Ensemble) actor.Producer {
	return func() actor.Actor { return &coordinator{Ensemble: e, cancel: func() {}} }
}

type coordinator struct {
	*ensemble.Ensemble
	state   state
	self    identity.Identity
	by      log.Proposal // of the election that runs or was won last
	floor   log.Proposal // the highest proposal that stood in the way
	next    log.Position // the position of the next value
	settled log.Position // every position up to it is chosen
	flight  flight
	begin   log.Position    // of the log, as far as this coordinator knows
	table   *sessions.Table // of everything below next; once elected
	repeats []request       // whose values are in the batch that is about to be sent
	queue   queue
	elects  []client // elections asked for
	changes []change // of the members, asked for
	leaves  Demote   // the last one, if the member is about to end
	quiet   bool     // the election that runs is of a writer that goes on after a change of the members
	chosen  log.Range
	pending log.Range // chosen, and not announced
	attempt int
	cancel  func()
}

// client is who waits for an answer.
type client struct {
	pid    *actor.PID
	tag    uint64
	polite bool // of an election
}

// state is one state of the chart in the package comment. receive returns the next one.
type state interface{ receive(ctx actor.Context) state }

// Receive implements actor.Actor.
func (c *coordinator) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		c.state = idle{c}
	case *actor.Stopping:
		c.cancel()
	case *actor.Stopped:
	case Elect:
		if c.leaves.Leaves {
			ctx.Respond(Failed{Tag: m.Tag, Why: NotElected, Seen: c.floor, To: c.leaves.Successor})
			return
		}
		c.elects = append(c.elects, client{ctx.Sender(), m.Tag, m.Polite})
		c.state = c.state.receive(ctx)
	case Demote:
		if m.Leaves {
			c.leaves = m
		}
		c.state = c.state.receive(ctx)
	case Change:
		c.ask(ctx, m)
	case ensemble.Moved:
		c.state = c.moved(ctx, m)
	default:
		c.state = c.state.receive(ctx)
	}
	c.Measures.Waiting.Bytes.Set(c.queue.cost)
}

// resign goes idle: whoever waits for an election, or has values that were not sent, is told.
func (c *coordinator) resign(ctx actor.Context, why Why, seen log.Proposal) state {
	c.floor = max(c.floor, seen)
	c.stopTimer()
	c.flushNotice(ctx)
	ctx.Request(c.Replica, replica.Lead{})
	if c.by > 0 {
		c.Log.Info().Stringer("proposal", c.by).Stringer("seen", c.floor).Msg("the coordinator is not elected any more")
	}
	c.dismiss(ctx, why, seen)
	c.noteEnd(why, seen)
	c.by, c.chosen, c.table = 0, log.Range{}, nil
	return idle{c}
}

// dismiss tells everybody who waits, and whose values were not sent.
func (c *coordinator) dismiss(ctx actor.Context, why Why, seen log.Proposal) {
	for _, e := range c.elects {
		ctx.Send(e.pid, Failed{Tag: e.tag, Why: why, Seen: seen})
	}
	for _, ch := range c.changes {
		ctx.Send(ch.client.pid, Failed{Tag: ch.client.tag, Why: why, Seen: seen})
	}
	for _, r := range c.queue.drain() {
		ctx.Send(r.client.pid, Failed{Tag: r.client.tag, Why: refusal(r, seen), Seen: seen})
	}
	c.elects, c.changes, c.quiet = nil, nil, false
}

// refusal is why values that were never sent are not in the log. It does not say that those of an earlier Append are not.
func refusal(r request, seen log.Proposal) Why {
	if r.fence > 0 && seen > r.fence && !r.resolve {
		return Fenced
	}
	return NotElected
}

// flushNotice announces what is chosen and not announced.
func (c *coordinator) flushNotice(ctx actor.Context) {
	if c.pending.Empty() {
		return
	}
	c.announce(ctx, c.pending)
	c.pending = log.Range{}
}

// age takes over how many syncs the local disk has seen, as an answer that was counted tells. The notice that follows says so
// to the peers: whoever puts the disk back to before its vote is found by them (docs/adr/0012).
func (c *coordinator) age(m round.Done) { c.self.Age = max(c.self.Age, m.Age) }

func (c *coordinator) announce(ctx actor.Context, r log.Range) {
	header := codec.EncodeHeader(c.self, c.Random.Uint64(), nil)
	c.Broadcast(ctx, codec.EncodeLearnedMessage(header, c.by, r), nil, nil)
}

func (c *coordinator) after(ctx actor.Context, schedule func(attempt int) func()) {
	c.stopTimer()
	c.cancel = schedule(c.attempt)
}

func (c *coordinator) stopTimer() {
	c.cancel()
	c.attempt++
}
