// Package replica is the acceptor and learner: the one actor that owns the disk.
//
// It changes the disk, syncs, and only then answers. One sync serves every answer that waits: a request is applied to
// the store at once, its answer is kept, and a flush is put at the end of the mailbox; when the flush comes up, every
// request that was in the mailbox before it has been applied, and one sync makes them all durable.
//
//	request ─▶ rule ─▶ store ─▶ answer waits ─▶ flush: sync begins ─▶ the syncer waits ─▶ answers leave
//	                                 ▲                                                        │
//	                                 └────────── the next one begins where answers wait ◀─────┘
//
// The sync runs beside the replica: its child, the syncer, waits for the disk, and the replica goes on receiving. What it
// applies meanwhile waits for the next sync, which begins when that one is done. Answers leave in the order in which they
// were given.
//
// What peers copy is read by a child of the replica, the server, beside all that; see there.
//
// Learned marks are written without a sync of their own: what is lost in a crash is learned again.
//
// A replica that voted before its process started gives no vote until its peers had their say on its disk: see unsure.
//
// Learned records that are damaged are copied from peers again; see damaged.go.
//
// When the disk fails or lies, the replica answers nothing but i/o errors any more and tells its owner, who ends the
// process.
package replica

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/ledger"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/sessions"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

// Config is what a replica needs.
type Config struct {
	Store         storage.Store // open; the replica's alone until it has stopped, then the owner's to close
	Cluster       identity.ClusterID
	Configuration uint64          // hash of the member list, while the members were never changed
	Members       []log.ReplicaID // those of that list, in order
	Absence       time.Duration   // of silence, after which a peer counts as absent
	Silence       time.Duration   // of a writer, after which it is taken to be cut off
	Election      time.Duration   // until a member that says that it is about to write is no longer waited for
	Candidacy     time.Duration   // that who was told that an election is welcome has for it before somebody else is
	Clock         timer.Clock
	Random        timer.Random
	Owner         *actor.PID        // is told StatusChanged and Failed; nil for nobody
	Memory        Memory            // of sessions
	Measures      *measure.Measures // nil: its own
	Log           zerolog.Logger
}

// Syncer is the name of the replica's child that waits for the disk.
const Syncer = "syncer"

// Server is the name of the child that reads what peers copy.
const Server = "server"

// New returns the producer of a replica.
func New(c Config) actor.Producer {
	if c.Measures == nil {
		c.Measures = measure.New(c.Clock.Now())
	}
	return func() actor.Actor { return &replica{Config: c} }
}

type replica struct {
	Config
	meta       storage.Metadata
	ledger     *ledger.Ledger
	admission  identity.Admission
	unsure     unsure
	greeted    map[log.ReplicaID]greeting // the last one of each replica
	other      uint64                     // the latest epoch of another log of this name that was told of
	since      time.Time                  // when the status was entered
	remembered time.Time                  // when the processes that were heard were stored last
	written    written
	sessions   *sessions.Fold
	folding    folding
	settled    settled
	early      early
	lead       lead
	heard      heard
	pace       pace
	held       heldConfig
	group      group
	syncer     *actor.PID
	server     *actor.PID
	awaited    []awaited
	damaged    interval.Set // learned positions that cannot be read here
	fault      error        // the disk failed: nothing is answered but that
}

// lead is the local coordinator while it is elected, or about to be.
type lead struct {
	by     log.Proposal
	stands log.Proposal // under which it is about to be elected
	pid    *actor.PID
}

// Receive implements actor.Actor.
func (r *replica) Receive(ctx actor.Context) {
	if r.unsure.is && r.postpone(ctx) {
		return
	}
	switch m := ctx.Message().(type) {
	case *actor.Started:
		r.start(ctx)
	case flush:
		r.flush(ctx)
	case synced:
		r.synced(ctx, m)
	case Trusted:
		r.trust(ctx)
	case Heard:
		r.hear(ctx, m)
	case Install:
		r.install(ctx, m)
	case *messages.PromiseRequest:
		r.promise(ctx, m)
	case *messages.WriteRequest:
		r.write(ctx, m)
	case *messages.LearnedMessage:
		r.learned(ctx, m)
	case *messages.RecoverRequest:
		r.recover(ctx, m)
	case *messages.FetchRequest:
		r.fetch(ctx, m)
	case *messages.FrontierRequest:
		r.frontier(ctx, m)
	case *messages.Hello:
		r.hello(ctx, m)
	case *messages.CanvassRequest:
		r.canvass(ctx, m)
	case unserved:
		r.excuse(ctx, m)
	case foldDue:
		r.foldFromDisk(ctx)
	default:
		r.receiveLocal(ctx)
	}
}

// receiveLocal handles what actors of this process say. They never ask a replica whose disk failed twice: their process
// is about to end.
func (r *replica) receiveLocal(ctx actor.Context) {
	if r.fault != nil {
		return
	}
	switch m := ctx.Message().(type) {
	case Inspect:
		r.examine(ctx) // what was found beside the replica
		answer := r.inspect()
		if m.Gaps {
			answer.Gaps = r.gaps()
		}
		ctx.Respond(answer)
	case Reserve:
		r.reserve(ctx, m)
	case Stand:
		r.lead = lead{stands: m.By}
	case Lead:
		r.lead = lead{by: m.By, pid: ctx.Sender()}
		r.heard.lead(m.By, r.meta.Replica)
	case Attend:
		r.heard.attendant = ctx.Sender()
	case Gone:
		r.deserted(ctx, m.Replica, 0)
	case Advance:
		r.advance(ctx, m)
	case Reincarnate:
		r.reincarnate(ctx, m)
	case Missing:
		ctx.Respond(r.missing(m))
	case Learn:
		r.learn(ctx, m)
	case Jump:
		r.jump(ctx, m)
	case Read:
		r.read(ctx, m)
	case Sessions:
		r.tellSessions(ctx, m)
	case Distrust:
		r.fail(ctx, r.Store.Condemn(m.Why))
	case Await:
		r.remind(ctx, m)
	}
}

// start restores what the disk holds. A disk that cannot be read leaves a replica that does not vote.
func (r *replica) start(ctx actor.Context) {
	r.spawnSyncer(ctx)
	r.spawnServer(ctx)
	r.meta = r.Store.Metadata()
	r.since = r.Clock.Now()
	r.greeted = make(map[log.ReplicaID]greeting)
	r.admission = identity.Admission{
		Members: r.Members, Known: r.meta.Known, Heard: make(map[log.ReplicaID]identity.Process),
		Self: identity.Identity{
			Cluster: r.Cluster, Configuration: r.Configuration, Replica: r.meta.Replica,
			Incarnation: r.meta.Incarnation, Boot: r.meta.Boot, Process: r.Random.Uint64(),
			BootAge: r.Store.Age(), Age: r.Store.Age(),
		},
	}
	r.reconfigure()
	r.admission.Hear(r.meta.Heard)
	r.remembered = r.since
	r.unsure.is = r.voting() && r.meta.Boot > 1 && len(r.admission.Members) > 1
	summary, err := r.Store.Summary()
	if err != nil {
		r.fail(ctx, err)
		return
	}
	r.ledger = ledger.New(r.meta.Begin, summary.Learned, summary.Unlearned)
	r.examine(ctx)
	r.restoreSessions(ctx)
	r.Log.Info().Stringer("status", r.meta.Status).Uint64("begin", uint64(r.ledger.Begin())).
		Uint64("end", uint64(r.ledger.End())).Stringer("incarnation", r.meta.Incarnation).Msg("the replica is up")
}

// acceptor is what the rules of Paxos need to know of the disk.
func (r *replica) acceptor() paxos.Acceptor {
	return paxos.Acceptor{Promised: r.meta.Promised, Highest: r.meta.Highest, Begin: r.ledger.Begin(), End: r.ledger.End(), Reign: r.meta.Reign}
}

// setMetadata stores the metadata; it is durable with the next flush.
func (r *replica) setMetadata(ctx actor.Context, m storage.Metadata) bool {
	if !r.stored(ctx, r.Store.SetMetadata(m)) {
		return false
	}
	if m.Status != r.meta.Status {
		r.since = r.Clock.Now()
		r.Log.Info().Stringer("from", r.meta.Status).Stringer("to", m.Status).Msg("the status changes")
		r.Measures.Events.Note(measure.Event{At: r.since, Kind: measure.StatusChanged, From: r.meta.Status.String(), To: m.Status.String()})
		r.tell(ctx, StatusChanged{From: r.meta.Status, To: m.Status, At: r.since})
	}
	r.meta = m
	r.group.dirty = true
	return true
}

func (r *replica) tell(ctx actor.Context, message any) {
	if r.Owner != nil {
		ctx.Send(r.Owner, message)
	}
}

func (r *replica) voting() bool { return r.meta.Status == status.Voting }
