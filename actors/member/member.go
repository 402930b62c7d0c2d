// Package member is the root of one member's actors: it starts them, has the replica recovered, and then opens it to
// clients.
//
//	member
//	 ├ replica       acceptor and learner; the disk   ├ syncer   ├ server
//	 ├ network       sends to the replicas; who is there
//	 ├ gateway       serves clients           ├ subscription, one for each subscriber
//	 ├ recover       until the replica votes: ├ protocol  ├ catchup ├ fill ├ round
//	 ├ coordinator   once it votes: writes    ├ round     ├ catchup ├ fill ├ round
//	 ├ leader        once it votes: sees to it that somebody writes  ├ round
//	 ├ follow        once it votes: keeps up  └ catchup
//	 └ audit         once it votes: compares what is learned with the others
//
// A panic of any of them, a disk that fails or lies, and a disk that is not the one that the cluster knows end the member:
// its owner is told Failed, and must end the process.
package member

import (
	"errors"
	"fmt"
	"maps"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/audit"
	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/gateway"
	"github.com/quorumlog/quorumlog/actors/leader"
	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/recovery"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/storage"
)

// The names of the member's actors below its own.
const (
	Replica     = "replica"     // whom the replicas' messages of package messages go to
	Network     = "network"     // is there from the start, as Replica and Gateway are
	Gateway     = "gateway"     // whom clients talk to
	Recover     = "recover"     // until the replica votes
	Coordinator = "coordinator" // from then on
	Leader      = "leader"      // the same, with AutoElect
	Follow      = "follow"      // the same
	Audit       = "audit"       // the same
)

// Subscription begins the names of the actors below the gateway that clients talk to.
const Subscription = gateway.Subscription

// ErrFenced: the data directory is not the one that the cluster knows under this replica's id.
var ErrFenced = errors.New("this data directory is not the one that the cluster knows")

// ErrConfiguration: the other members have another member list.
var ErrConfiguration = errors.New("the other members refuse this one")

// What the member reports to its owner; see Config.Report.
type (
	// Ready: the member's actors can be reached under their names.
	Ready struct{}
	// Recovered: the replica votes, and clients are served.
	Recovered struct{}
	// Left: the member does not write any more, and another one does, or none could; answers Leave.
	Left struct{}
	// Failed: the member is done for.
	Failed struct{ Err error }
)

// Leave tells a member that it is about to be stopped. If it writes it finishes what is on its way, and names a successor,
// before it reports Left. It does not write again.
type Leave struct{}

// Config is what a member needs. Of the Ensemble, Replica, Network and Peers are filled in by the member, and Measures where there
// are none.
type Config struct {
	ensemble.Ensemble
	Others         map[log.ReplicaID]*actor.PID // the other members' replicas; nil where there are none
	Store          storage.Store                // open; the owner closes it once the member has stopped
	Cluster        identity.ClusterID
	Configuration  uint64         // hash of the member list that it is started with
	AutoInitialize bool           // together with the others it begins a new log, where the disks of all are new
	Memory         replica.Memory // of sessions; the same for all members
	AutoElect      bool           // a member is elected where none writes, before a client asks
	// Report is told what happens, from any goroutine: Ready, Recovered, Left, Failed, Changed, replica.StatusChanged, catchup.Progress,
	// recovery.Advice and audit.Diverged.
	Report func(event any)
}

// Props are the props of a member.
func Props(c Config) *actor.Props {
	if c.Measures == nil {
		c.Measures = measure.New(c.Clock.Now())
	}
	return c.Ensemble.Props(func() actor.Actor { return &member{Config: c, refusals: make(map[log.ReplicaID]bool)} })
}

type member struct {
	Config
	gateway  *actor.PID
	advice   advice
	recover  *actor.PID
	writer   *actor.PID             // the coordinator; nil until the replica voted for the first time
	leader   *actor.PID             // nil until then, and where nobody is elected unless a client asks
	opened   bool                   // the replica votes
	follow   *actor.PID             // keeps the replica up; nil until then
	audit    *actor.PID             // compares what is learned with the others; nil until then
	now      *ensemble.Ensemble     // who the members are at present
	stranger uint64                 // the newest change of the members that this one is told of
	leaves   bool                   // it was removed, and ends once the others know
	refusals map[log.ReplicaID]bool // members that have another member list
}

// Receive implements actor.Actor.
func (m *member) Receive(ctx actor.Context) {
	switch e := ctx.Message().(type) {
	case *actor.Started:
		m.start(ctx)
	case recovery.Recovered:
		m.open(ctx)
	case recovery.Advice:
		m.advise(ctx, recovering, e.Text)
		m.note(measure.Event{Kind: measure.Advised, Detail: e.Text})
		m.Report(e)
	case catchup.Progress:
		ctx.Send(m.gateway, e)
		m.Measures.Events.NoteProgress(m.Clock.Now(), measure.Progress(e))
		m.Report(e)
	case replica.StatusChanged:
		m.Report(e)
	case replica.Failed:
		m.fail(ctx, failed(e.Err))
	case recovery.Fenced:
		m.fail(ctx, fenced(e.Refusal))
	case replica.Reconfigured:
		m.move(ctx, e)
	case audit.Diverged:
		m.diverged(ctx, e)
	case replica.Damaged:
		m.damaged(ctx, e)
	case audit.Agreed:
		m.advise(ctx, auditing, "")
	case replica.Lacking:
		if m.follow != nil {
			ctx.Send(m.follow, catchup.Hurry{Range: e.Range})
		}
	case network.Refused:
		m.refused(ctx, e)
	case network.Welcomed:
		delete(m.refusals, e.By)
	case network.Doubted:
		m.close(ctx, e)
	case Leave:
		m.leave(ctx)
	case leader.Left:
		m.Report(Left{})
	case replica.Reincarnated:
		ctx.Send(m.now.Network, e)
		if !m.leaves {
			m.recover = m.spawn(ctx, Recover, recovery.New(m.now, m.AutoInitialize))
		}
	}
}

func (m *member) start(ctx actor.Context) {
	e := &m.Ensemble
	e.Replica = m.spawn(ctx, Replica, replica.New(replica.Config{
		Store: m.Store, Cluster: m.Cluster, Configuration: m.Configuration, Members: m.Members,
		Absence: m.Patience.Absence, Silence: m.Patience.Silence, Election: m.Patience.Election, Candidacy: m.Patience.Candidacy,
		Clock: m.Clock, Random: m.Random,
		Owner: ctx.Self(), Measures: m.Measures, Memory: m.Memory, Log: m.Log,
	}))
	e.Peers = map[log.ReplicaID]*actor.PID{m.Self: e.Replica}
	maps.Copy(e.Peers, m.Others)
	e = m.gather(e, m.reach(ctx))
	m.now = e
	e.Network = m.spawn(ctx, Network, network.New(network.Config{Ensemble: e, Owner: ctx.Self()}))
	m.gateway = m.spawn(ctx, Gateway, gateway.New(e))
	if m.expelled(ctx, e.Configuration) {
		m.Report(Ready{})
		return
	}
	m.recover = m.spawn(ctx, Recover, recovery.New(e, m.AutoInitialize))
	m.Report(Ready{})
}

func (m *member) spawn(ctx actor.Context, name string, producer actor.Producer) *actor.PID {
	pid, err := ctx.SpawnNamed(m.Named(producer), name)
	if err != nil {
		panic(fmt.Sprintf("the member has two actors called %s: %v", name, err))
	}
	return pid
}

// open starts what a voting replica needs, and lets clients in; unless it was removed in the moment when it had recovered.
func (m *member) open(ctx actor.Context) {
	if m.leaves {
		return
	}
	m.opened = true
	if m.writer == nil {
		m.writer = m.spawn(ctx, Coordinator, coordinator.New(m.now))
		m.follow = m.spawn(ctx, Follow, catchup.NewFollow(m.now))
		m.audit = m.spawn(ctx, Audit, audit.New(m.now, m.Store.Reader()))
		if m.AutoElect {
			m.leader = m.spawn(ctx, Leader, leader.New(leader.Config{Ensemble: m.now, Coordinator: m.writer}))
		}
	}
	ctx.Send(m.gateway, gateway.Serve{Coordinator: m.writer, Leader: m.leader})
	m.advise(ctx, recovering, "")
	m.advise(ctx, belonging, "")
	m.note(measure.Event{Kind: measure.Recovered})
	m.Report(Recovered{})
}

// note keeps what happened, for whoever looks on.
func (m *member) note(e measure.Event) {
	e.At = m.Clock.Now()
	m.Measures.Events.Note(e)
}

// leave hands over to another member, if this one may write.
func (m *member) leave(ctx actor.Context) {
	if m.leader == nil {
		m.Report(Left{})
		return
	}
	ctx.Request(m.leader, leader.Leave{})
}

// close takes the replica's vote away, and has it recovered as a new life: clients are let in again after that. One that
// recovers already begins anew as that; one that was removed votes nowhere, and recovers nothing.
func (m *member) close(ctx actor.Context, e network.Doubted) {
	if m.leaves {
		return
	}
	if !m.opened {
		ctx.Send(m.recover, recovery.Doubted{Above: e.Above})
		return
	}
	m.opened = false
	m.Log.Warn().Uint64("generation", e.Above).Msg("a member knows this replica under another disk: it recovers as a new life")
	ctx.Send(m.gateway, gateway.Serve{})
	ctx.Request(m.writer, coordinator.Demote{})
	ctx.Request(m.Replica, replica.Reincarnate{Above: e.Above})
}

// refused handles a peer that refuses our greetings. One that knows another life of this replica that is there, or a second
// process of it, is right: this one must not vote. One that has another member list may itself be wrong, unless a quorum agrees with
// it.
func (m *member) refused(ctx actor.Context, e network.Refused) {
	switch e.Refusal.Reason {
	case identity.DuplicateIdentity:
		m.fail(ctx, fenced(e.Refusal))
	case identity.DeadIncarnation:
		// An EMPTY replica takes a newer generation by itself (recovery); Recover tells where it cannot.
		if m.opened {
			m.fail(ctx, fenced(e.Refusal))
		}
	case identity.WrongConfiguration, identity.WrongCluster, identity.UnknownMember:
		m.refusals[e.By] = true
		if m.leaves {
			m.quit(ctx)
			return
		}
		if len(m.refusals) >= paxos.Quorum(len(m.now.Voters())) {
			m.fail(ctx, fmt.Errorf("%w: %s", ErrConfiguration, e.Refusal.Detail))
		}
	case identity.Malformed, identity.IOError, identity.Overloaded, identity.OutOfBounds:
	}
}

func (m *member) fail(ctx actor.Context, err error) {
	if m.recover != nil {
		ctx.Poison(m.recover)
	}
	m.Report(Failed{err})
}

// failed is why the replica no longer votes. Where its disk is an earlier state of itself, or holds another log, that is for the
// operator to settle.
func failed(err error) error {
	var other *replica.OtherLogError
	switch r := (identity.Refusal{}); {
	case errors.As(err, &r):
		return fenced(r)
	case errors.As(err, &other):
		return fmt.Errorf("%w; %s", err, separate(other))
	}
	return err
}

// fenced says what an operator may do. To delete a directory is right only where the others can do without it.
func fenced(r identity.Refusal) error {
	advice := "delete the directory to have the replica recover from its peers, but only while a quorum of the others votes"
	if r.Reason == identity.DeadIncarnation {
		advice = "end the other process of this replica, and start this one again 3 s later to keep this disk; or " + advice
	}
	return fmt.Errorf("%w: %s; %s", ErrFenced, r.Detail, advice)
}
