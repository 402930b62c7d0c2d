package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	"github.com/asynkron/protoactor-go/remote"

	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// Node is one member of one log in this process. A process may have several logs, with a node for each (OpenLog): they share its
// address and connections, its data directory and its syncs.
//
// A node fails stop: when its disk fails, lies or is full, when one of its actors panics, or when the cluster knows its
// replica under another disk, it stops, Done is closed, and Err says why. It never votes again; start another one. After
// ErrCorrupt that one repairs the replica (Config.Repair), after ErrDiskFull it goes on once there is room.
type Node struct {
	*Client
	host     *host
	name     string // of the log
	open     bool   // under the host's lock: it was opened
	config   Config // of this log
	measures *measure.Measures
	store    *disk.Store
	// corruptions is how often the disk was found to hold what was not written to it.
	corruptions measure.Counter
	began       membership.Configuration // what the disk knew at the start
	system      *actor.ActorSystem
	root        *actor.PID
	events      *eventstream.Subscription

	recovered chan struct{}
	left      chan struct{}
	failed    chan error // the first failure; buffered
	done      chan struct{}
	tellers   tellers
	fails     sync.Once // failed
	once      sync.Once // recovered
	leave     sync.Once // left
	stop      sync.Once
	err       error // why it stopped; set before done is closed
}

// Start opens the data directory and starts the member. It returns once the member can be reached; its replica may still
// have to recover (Recovered). The context bounds the start only; end the node with Close.
func Start(ctx context.Context, c Config) (*Node, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	h, err := newHost(c)
	if err != nil {
		return nil, err
	}
	n, err := h.open(ctx, c.log(""))
	if err != nil {
		return nil, err
	}
	for _, name := range c.Logs {
		if _, err := n.OpenLog(ctx, c.log(name)); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	h.unopened()
	return n, nil
}

func newNode(h *host, l LogConfig) *Node {
	n := &Node{
		host: h, name: l.Name, config: h.config.of(l), system: h.system, measures: measure.New(time.Now()),
		recovered: make(chan struct{}), left: make(chan struct{}), failed: make(chan error, 1), done: make(chan struct{}),
	}
	return n
}

func (n *Node) start(ctx context.Context) error {
	self, _ := n.config.self()
	n.tellers.begin(n.publish)
	if err := n.openStore(); err != nil {
		return err
	}
	n.traceRecoveries(ctx)
	ready := make(chan struct{})
	if err := n.spawn(ready); err != nil {
		return err
	}
	select {
	case <-ready:
	case err := <-n.failed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("start the member: %w", ctx.Err())
	}
	if n.began.Epoch > 0 { // what the disk says counts, and not the list that the member was started with
		n.host.transport.meet(n.name, newMembership(n.began).Members)
	}
	n.host.listen()
	n.Client = newClient(n.system, n.name, n.config.Members, self)
	n.trace(tracerOf(n.config.TracerProvider))
	n.adopt(n.began)
	n.conn.faults = n.host.transport.faults()
	return nil
}

func (n *Node) openStore() (err error) {
	n.store, err = n.host.engine.OpenLog(disk.Log{Name: n.name, Members: ids(ordered(n.config.Members)), OnFatal: n.fail})
	if err != nil {
		return fmt.Errorf("open the data directory: %w", err)
	}
	n.begin(n.store.Metadata())
	if r, ok := n.store.Replaced(); ok {
		n.corruptions.Add(1)
		n.measures.Events.Note(measure.Event{At: time.Now(), Kind: measure.DirectoryDamaged, Detail: r.Why + "; kept in " + r.Aside})
		n.config.Logger.Warn().Str("data", n.config.Data).Str("aside", r.Aside).Str("why", r.Why).
			Msg("the damaged files are kept aside, and the replica recovers from the other members")
	}
	return nil
}

// begin goes by the members that the disk knows, if they were changed: the list that the node is given is then where the log
// began, or where this member began to look for it. Whether a list of one is where a log begins, or an old one, nobody can tell
// but who wrote it.
func (n *Node) begin(m storage.Metadata) {
	c := m.Configuration
	if n.began = c; c.Epoch == 0 {
		if m.Status == status.Empty && len(n.config.Members) == 1 && n.config.AutoInitialize {
			n.config.Logger.Warn().Str("members", FormatMembers(n.config.Members)).Str("data", n.config.Data).
				Msg("this member begins a log alone: if its log had more members, end it, and give the list of those that there are now")
		}
		return
	}
	now := newMembership(c)
	if FormatMembers(now.Members) != FormatMembers(n.config.Members) {
		n.config.Logger.Warn().Uint64("epoch", c.Epoch).Str("members", FormatMembers(now.Members)).Str("given", FormatMembers(n.config.Members)).
			Msg("the members were changed since: those count that the disk knows, and not the list that was given")
	}
}

// Replaced says whether this start found the data directory damaged and put a new one in its place: where the damaged files
// are now, and what was wrong with them. They may be deleted; the next repair but one does.
func (n *Node) Replaced() (aside, why string, replaced bool) {
	r, replaced := n.store.Replaced()
	return r.Aside, r.Why, replaced
}

// LimitCopies changes how many bytes a second the member copies from the others at most, for all its logs together, also while it does; 0 and below is no
// limit. The members that it copies from answer what they are asked, and no more.
func (n *Node) LimitCopies(bytesPerSecond int64) {
	catchup.SetLimit(n.host.copyLimit, time.Now(), bytesPerSecond)
}

// spawn starts the member's actors, under names that the other members know.
func (n *Node) spawn(ready chan struct{}) error {
	e := ensemble.Ensemble{
		Self: n.config.ID, Members: ids(ordered(n.config.Members)), Clock: timer.System(n.system), Random: timer.Chance(),
		Patience: n.config.patience(), CopyLimit: n.host.copyLimit, Measures: n.measures, Log: n.config.Logger,
		Beside: func() int64 { return n.host.waiting(n) }, Supervisor: ensemble.Stopping(n.panicked),
	}
	peers := make(map[log.ReplicaID]*actor.PID)
	for _, m := range n.config.Members {
		peers[m.ID] = pid(m, n.name, member.Replica)
	}
	root := member.Props(member.Config{
		Ensemble: e, Others: peers, Store: n.store, Cluster: clusterID(n.config.cluster(), n.name),
		Configuration: configuration(ordered(n.config.Members)), AutoInitialize: n.config.AutoInitialize,
		AutoElect: n.config.AutoElect,
		Report:    func(report any) { n.report(report, ready) },
	})
	pid, err := n.system.Root.SpawnNamed(root.Configure(actor.WithReceiverMiddleware(ensemble.Topmost(n.panicked))), rootOf(n.name))
	if err != nil { // the PID is then the other log's
		return fmt.Errorf("the actor system has a log called %s already: %w", rootOf(n.name), err)
	}
	n.root = pid
	n.events = n.system.EventStream.Subscribe(n.follow)
	return nil
}

// panicked is told which actor panicked, and why.
func (n *Node) panicked(who *actor.PID, reason any) {
	n.fail(fmt.Errorf("actor %s panicked: %v", who.GetId(), reason))
}

// follow tells the member which connections broke: a process that was killed is known to be gone at once, and another one
// writes before the peers' patience is over.
func (n *Node) follow(event any) {
	peers := actor.NewPID(n.root.GetAddress(), n.root.GetId()+"/"+member.Network)
	switch e := event.(type) {
	case broken:
		n.system.Root.Send(peers, network.Lost{Address: e.address})
	case *remote.EndpointTerminatedEvent: // how a remote that the program has started says so
		n.system.Root.Send(peers, network.Lost{Address: e.Address})
	}
}

// report handles what the member reports, on its goroutine.
func (n *Node) report(report any, ready chan struct{}) {
	switch e := report.(type) {
	case member.Ready:
		close(ready)
	case member.Failed:
		n.fail(e.Err)
		return
	case member.Left:
		n.leave.Do(func() { close(n.left) })
	case member.Recovered:
		n.once.Do(func() { close(n.recovered) })
	case member.Changed:
		n.host.transport.meet(n.name, newMembership(e.Configuration).Members)
	}
}

// fail stops the node. It may be called from any goroutine, an actor's too, so it does not wait.
func (n *Node) fail(err error) {
	if errors.Is(err, ErrCorrupt) {
		n.corruptions.Add(1)
	}
	n.fails.Do(func() { // only the first failure counts
		n.measures.Events.Note(measure.Event{At: time.Now(), Kind: measure.Failed, Detail: err.Error(), Err: err})
		n.failed <- err
	})
}

// watch stops the node when it fails.
func (n *Node) watch() {
	select {
	case err := <-n.failed:
		n.shutdown(err)
	case <-n.done:
	}
}

// Recovered returns once the local replica votes: with nil, with why the node stopped, or with the context's error and
// what the replica waits for.
func (n *Node) Recovered(ctx context.Context) error {
	select {
	case <-n.recovered:
		return nil
	case <-n.done:
		return n.stopped()
	case <-ctx.Done():
		return fmt.Errorf("%w: replica %d has not recovered: %w%s", ErrNotVoting, n.config.ID, ctx.Err(), n.advice())
	}
}

// advice is what the member says about why it does not vote.
func (n *Node) advice() string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s, err := n.StatusOf(ctx, n.config.ID)
	if err != nil || s.Error == "" {
		return ""
	}
	return ": " + s.Error
}

// Done is closed when the node has stopped.
func (n *Node) Done() <-chan struct{} { return n.done }

// Err is why the node stopped: nil while it runs and after Close.
func (n *Node) Err() error {
	select {
	case <-n.done:
		return n.err
	default:
		return nil
	}
}

func (n *Node) stopped() error {
	if n.err != nil {
		return n.err
	}
	return ErrClosed
}

// Close stops the node, makes its disk durable, and returns why it had stopped before, if it had. With AutoElect, a node that
// writes first finishes what is on its way, and hands over to another member, as far as that takes less than 3 s.
//
// The node that Start returned closes all logs of its process; any other one only its own.
func (n *Node) Close() error {
	if n.name == "" {
		n.host.close()
	} else {
		n.end()
	}
	<-n.done
	n.awaitTold()
	return n.err
}

// end ends this log.
func (n *Node) end() {
	n.handOver()
	n.shutdown(nil)
	<-n.done
	n.awaitTold()
}

// handOver has another member write, if this one does.
func (n *Node) handOver() {
	if !n.config.AutoElect || n.root == nil {
		return
	}
	n.system.Root.Send(n.root, member.Leave{})
	select {
	case <-n.left:
	case <-n.done:
	case <-time.After(handOverPatience):
		n.config.Logger.Warn().Msg("the member could not hand over in time")
	}
}

// shutdown stops everything, once, in the order in which nothing is used after it is gone.
func (n *Node) shutdown(err error) {
	n.stop.Do(func() {
		n.err = err
		if n.root != nil {
			n.system.EventStream.Unsubscribe(n.events)
			n.stopActors()
		}
		if n.Client != nil {
			n.Client.close()
		}
		n.host.silence(n)
		var closeErr error
		if n.store != nil {
			closeErr = n.store.Close()
		}
		if closeErr = errors.Join(closeErr, n.host.leave(n)); closeErr != nil && n.err == nil {
			n.err = fmt.Errorf("close the data directory: %w", closeErr)
		}
		n.measures.Events.Note(measure.Event{At: time.Now(), Kind: measure.Stopped, Detail: text(n.err), Err: n.err})
		close(n.done)
	})
}

// How long a member may take to hand over, and how long the actors, and the connections to the peers, may take to end.
const (
	handOverPatience  = 3 * time.Second
	stopPatience      = 5 * time.Second
	transportPatience = time.Second
)

func (n *Node) stopActors() {
	future := n.system.Root.StopFuture(n.root)
	ended := make(chan error, 1)
	go func() { ended <- future.Wait() }()
	select {
	case err := <-ended:
		if err != nil && !errors.Is(err, actor.ErrTimeout) {
			n.config.Logger.Warn().Err(err).Msg("the member's actors did not end cleanly")
		}
	case <-time.After(stopPatience):
		n.config.Logger.Warn().Msg("the member's actors did not end in time")
	}
}

// Writer has the local member's coordinator elected: every other writer is fenced from now on.
func (n *Node) Writer(ctx context.Context) (*Writer, error) { return n.WriterOf(ctx, n.config.ID) }

// Reader reads the local replica.
func (n *Node) Reader() *Reader { return n.ReaderOf(n.config.ID) }
