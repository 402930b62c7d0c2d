package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	"golang.org/x/time/rate"

	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// host is what the logs of one process share: the actor system, the connections to the peers, the data directory with its syncs.
//
//	host   system   transport ─ links, one pair of streams for each peer   whereabouts   engine ─ one Pebble, one directory
//	 ├ Node of the log without a name:   actors below quorumlog          client   store
//	 ├ Node of the log orders:           actors below quorumlog.orders   client   store
//	 ...
//
// A log may stop alone: it was closed, or its replica was removed from it, or is known elsewhere under another disk. What is shared
// ends with the last of them. A disk that fails fails all.
type host struct {
	config    Config
	self      Member
	copyLimit *rate.Limiter
	ways      *whereabouts
	transport *transport
	system    *actor.ActorSystem
	missing   *eventstream.Subscription // of letters to logs that are not here
	engine    *disk.Engine

	ctx     context.Context //nolint:containedctx // of logs that are being opened: it ends when the host is about to
	cancel  context.CancelFunc
	opening sync.WaitGroup
	cut     sync.Once // disconnect

	announced sync.Once

	mu      sync.Mutex
	closing bool
	nodes   map[string]*Node // by the names of their logs
	running int              // of these; the others' actors have ended
}

// newHost listens before anything else: a process that cannot be reached should not touch the disk. Nothing is received until the
// transport is opened.
func newHost(c Config) (*host, error) {
	h := &host{config: c, copyLimit: catchup.NewLimit(c.CopyRate), nodes: make(map[string]*Node)}
	h.self, _ = c.self()
	h.ctx, h.cancel = context.WithCancel(context.Background())
	err := h.openSystem()
	if err == nil {
		err = h.openEngine()
	}
	if err != nil {
		return nil, errors.Join(err, h.end())
	}
	h.missing = h.system.EventStream.Subscribe(h.miss)
	return h, nil
}

func (h *host) openSystem() (err error) {
	if h.config.System != nil {
		h.system = h.config.System
		h.transport, err = attach(h.system, h.self.Address)
		return err
	}
	access, err := h.config.openFor(h.self)
	if err != nil {
		return err
	}
	h.ways = newWhereabouts(h.config.Discovery, access.members, h.config.Security, h.config.Logger)
	access.ways = h.ways
	h.system = newMeteredSystem(h.config.Logger, h.self.Address, h.config.MeterProvider)
	h.transport, err = startRemote(h.system, h.config.listen(h.self), h.self.Address, access, h.config.Logger)
	return err
}

func (h *host) openEngine() (err error) {
	c := h.config
	h.engine, err = disk.OpenEngine(disk.Options{
		Dir: c.Data, Cluster: c.cluster(), Replica: c.ID, Members: ids(ordered(c.Members)),
		Create: true, Repair: c.repairs(), Mend: c.repairs(), Scrub: true, Logger: c.Logger,
	})
	if err != nil {
		return fmt.Errorf("open the data directory: %w", err)
	}
	return nil
}

// open opens one log, which is not open yet.
func (h *host) open(ctx context.Context, l LogConfig) (*Node, error) {
	n := newNode(h, l)
	if err := h.enter(n); err != nil {
		return nil, err
	}
	defer h.opening.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.ctx, cancel)()
	if err := n.start(ctx); err != nil {
		if h.ctx.Err() != nil {
			err = h.closedError(n)
		}
		n.shutdown(err)
		return nil, err
	}
	h.mu.Lock()
	n.open = true
	h.mu.Unlock()
	go n.watch()
	return n, nil
}

// enter takes a log in, unless there is one of its name. Each that enters has its opening done some time.
func (h *host) enter(n *Node) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closing:
		return h.closedError(n)
	case h.nodes[n.name] != nil:
		return fmt.Errorf("open log %s: %w", n.label(), ErrLogOpen)
	}
	h.nodes[n.name] = n
	h.running++
	h.opening.Add(1)
	h.transport.meet(n.name, n.config.Members)
	return nil
}

func (*host) closedError(n *Node) error {
	return fmt.Errorf("open log %s: %w: its node", n.label(), ErrClosed)
}

// has says whether a log is here.
func (h *host) has(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.nodes[name] != nil
}

// logs are the nodes of all logs that are open, in the order of their names.
func (h *host) logs() (open []*Node) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(h.nodes)) {
		if n := h.nodes[name]; n.open {
			open = append(open, n)
		}
	}
	return open
}

// waiting is how many bytes wait at the writers of the logs beside one.
func (h *host) waiting(beside *Node) (bytes int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.nodes {
		if n != beside {
			bytes += n.measures.Waiting.Bytes.Value() + n.measures.Searching.Bytes.Value()
		}
	}
	return bytes
}

// close closes all logs, and so the host.
func (h *host) close() {
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	h.cancel()
	h.opening.Wait()
	var group sync.WaitGroup
	for _, n := range h.logs() {
		group.Go(n.end)
	}
	group.Wait()
}

// silence is called once a log's actors have ended. With the last of them the connections end: nobody has anything to send any more.
func (h *host) silence(n *Node) {
	h.mu.Lock()
	h.running--
	last := h.running == 0
	h.closing = h.closing || last // or a log that is opened now would hear of nobody
	h.mu.Unlock()
	if last {
		h.disconnect()
	} else {
		h.transport.meet(n.name, nil)
	}
}

func (h *host) disconnect() {
	h.cut.Do(func() {
		h.ways.close()
		if h.missing != nil {
			h.system.EventStream.Unsubscribe(h.missing)
		}
		if h.transport != nil {
			h.transport.stop(transportPatience)
		}
	})
}

// leave is called once all of a log has ended. With the last one the host does.
func (h *host) leave(n *Node) error {
	h.mu.Lock()
	delete(h.nodes, n.name)
	last := len(h.nodes) == 0
	h.closing = h.closing || last
	h.mu.Unlock()
	if !last {
		return nil
	}
	return h.end()
}

// end ends what is shared.
func (h *host) end() (err error) {
	h.cancel()
	h.disconnect()
	if h.engine != nil {
		err = h.engine.Close()
	}
	if h.system != nil && h.config.System == nil {
		h.system.Shutdown()
	}
	return err
}
