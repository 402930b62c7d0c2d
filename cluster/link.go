package cluster

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// link is the stream to one peer as protoactor's writer sees it: one that connects at once, never blocks and never fails.
// Behind it, two queues with bounds, and a goroutine that connects, sends, and connects again.
//
//	writer ── SendMsg ─▶ queues ─▶ run: connect ─▶ greet ─▶ drive: send ... ─▶ two streams
//	                                   ▲                      │ broken
//	                                   └──────────────────────┘ not for 10 s: the link is given up
//
// The writer alone sleeps 2 s between two tries, 5 times, in its actor; then it loses what is queued. While it tries, and
// while a peer is frozen, its queue grows without bound: +522 MB for 2 million messages. What it packs together may be more
// than the peer takes. With the link, a peer that comes back after 12 s is answered after 0.1 to 0.3 s.
//
// A link that was given up is made again by the next message to that address. Given up it must be, at some time: clients
// come under new addresses every time.
type link struct {
	connect  func(context.Context) (grpc.ClientStream, error)
	ctx      context.Context // ends with the link
	cancel   context.CancelFunc
	forget   time.Duration
	log      zerolog.Logger
	queue    *queue // of what is not urgent, see lane.go
	urgent   *queue
	inOrder  map[string]bool // types of messages that are never urgent
	broken   func()          // is called when what was sent, or was to be, may have been lost
	renewal  func() bool     // the next connection would be under other certificates
	renew    func()          // ends this connection, once nothing is on its way on it
	met      func()          // is called once the peer has answered the greeting
	astray   func()          // is called where it did not: somebody else may be at the other end
	greeting *remote.RemoteMessage
	greeted  atomic.Bool    // the peer is there
	over     chan struct{}  // closed when run has ended
	dropped  *atomic.Uint64 // packets of all links, because a queue was full
	received int            // calls of RecvMsg that returned; these come one after the other
}

// How a link behaves, next to what remote.go says about connections.
const (
	forget     = 10 * time.Second // without the peer, until the link is given up
	stale      = 2 * time.Second  // in the queue, after which a message is not worth sending to a peer that comes back
	maxFrame   = 1 << 20          // bytes; what is packed together, unless one message is larger
	maxQueue   = 16 << 20         // bytes of one log, and half of those of all; the oldest are dropped first: the sender has asked again since
	perMessage = 64               // bytes that an envelope has besides the message, about
)

// run connects until the link is closed or given up.
func (l *link) run() {
	defer close(l.over)
	defer l.cancel()
	last, pause := time.Now(), redialFirst // when the peer was there last
	for {
		if l.session() {
			last, pause = time.Now(), redialFirst
		}
		if l.ctx.Err() != nil || l.queue.isClosed() || time.Since(last) > l.forget {
			return
		}
		select { // a peer that refuses at once is not asked in a circle
		case <-time.After(pause):
		case <-l.ctx.Done():
		}
		pause = min(2*pause, redialMost)
	}
}

// session connects and sends until the connection breaks, and says whether the peer was there.
func (l *link) session() bool {
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	patience := time.AfterFunc(l.forget, cancel)
	stream, err := l.greet(ctx)
	if !patience.Stop() || err != nil {
		l.astray()
		return false
	}
	l.met()
	l.greeted.Store(true)
	defer l.greeted.Store(false)
	expired := time.Now().Add(-stale)
	if old := l.queue.expire(expired) + l.urgent.expire(expired); old > 0 {
		l.log.Debug().Int("messages", old).Msg("what was queued for too long was dropped")
		l.broken()
	}
	if l.drive(ctx, cancel, stream) {
		l.renew()
		return true
	}
	l.broken()
	return true
}

func (l *link) greet(ctx context.Context) (grpc.ClientStream, error) {
	stream, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(l.greeting); err != nil {
		return nil, err
	}
	answer := new(remote.RemoteMessage)
	if err := stream.RecvMsg(answer); err != nil {
		return nil, err
	}
	if r := answer.GetConnectResponse(); r == nil || r.GetBlocked() {
		return nil, errors.New("the peer refuses the connection")
	}
	return stream, nil
}

// SendMsg implements grpc.ClientStream. It never blocks and never fails: what cannot be sent is dropped.
func (l *link) SendMsg(m any) error {
	packet, ok := m.(*remote.RemoteMessage)
	switch {
	case !ok:
		return errors.New("not a packet of protoactor")
	case packet.GetConnectRequest() != nil:
		l.greeting = packet
		go l.run()
		return nil
	}
	urgent, rest := l.part(packet.GetMessageBatch())
	l.push(l.urgent, urgent)
	l.push(l.queue, rest)
	return nil
}

func (l *link) push(q *queue, b *remote.MessageBatch) {
	for _, f := range frames(b, l.log) {
		if dropped := q.push(f); dropped > 0 {
			l.dropped.Add(uint64(dropped))
			l.log.Debug().Int("packets", dropped).Msg("a queue is full, its oldest messages were dropped")
		}
	}
}

// RecvMsg implements grpc.ClientStream: first the answer to the greeting, and at the end of the link that the peer goes,
// which makes protoactor forget the link without calling it an error.
func (l *link) RecvMsg(m any) error {
	packet, ok := m.(*remote.RemoteMessage)
	if !ok {
		return errors.New("not a packet of protoactor")
	}
	l.received++
	if l.received == 1 {
		packet.MessageType = &remote.RemoteMessage_ConnectResponse{ConnectResponse: &remote.ConnectResponse{}}
		return nil
	}
	<-l.over
	if l.received == 2 && !l.queue.isClosed() {
		packet.MessageType = &remote.RemoteMessage_DisconnectRequest{DisconnectRequest: &remote.DisconnectRequest{}}
		return nil
	}
	return io.EOF
}

// CloseSend implements grpc.ClientStream: the writer closes the connection next, so there is nothing to wait for.
func (l *link) CloseSend() error {
	l.close()
	l.cancel()
	return nil
}

// close has nothing more queued.
func (l *link) close() {
	l.queue.close()
	l.urgent.close()
}

// Header implements grpc.ClientStream.
func (*link) Header() (metadata.MD, error) { return metadata.MD{}, nil }

// Trailer implements grpc.ClientStream.
func (*link) Trailer() metadata.MD { return metadata.MD{} }

// Context implements grpc.ClientStream.
func (l *link) Context() context.Context { return l.ctx }

// broken tells whoever subscribes to the system's events that the connection to a peer broke: what was sent to it, and not
// answered, may never be. The peer may be back already, as another process.
type broken struct{ address string }

// links are all links of one process.
type links struct {
	forget  time.Duration // see the constant; tests have less patience
	shakes  *handshakes
	ways    *whereabouts
	broken  func(broken)
	log     zerolog.Logger
	ctx     context.Context // ends with all links
	full    atomic.Uint64   // packets that were dropped because a queue was full
	inOrder map[string]bool // see link
	cancel  context.CancelFunc
	mu      sync.Mutex
	shut    bool
	all     map[*link]bool
}

func newLinks(log zerolog.Logger, told func(broken)) *links {
	ctx, cancel := context.WithCancel(context.Background())
	return &links{forget: forget, broken: told, log: log, ctx: ctx, cancel: cancel, inOrder: inOrder(), all: make(map[*link]bool)}
}

// intercept gives protoactor's writer a link instead of a stream. The context that it asks with is nobody's.
func (s *links) intercept(_ context.Context, desc *grpc.StreamDesc, c *grpc.ClientConn, method string,
	streamer grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	l := &link{
		connect: func(ctx context.Context) (grpc.ClientStream, error) {
			return streamer(s.ways.address(ctx, c.Target()), desc, c, method, options...)
		},
		ctx: ctx, cancel: cancel, forget: s.forget, queue: newQueue(maxQueue), urgent: newQueue(maxUrgentQueue), inOrder: s.inOrder, over: make(chan struct{}),
		broken: func() { s.broken(broken{c.Target()}) }, dropped: &s.full,
		renewal: func() bool { return s.shakes.renewable(c.Target()) },
		renew:   func() { s.shakes.renew(c.Target()) },
		met:     func() { s.ways.met(c.Target()) },
		astray:  func() { s.astray(c.Target()) },
		log:     s.log.With().Str("peer", c.Target()).Logger(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		l.close()
		l.cancel()
	}
	s.all[l] = true
	context.AfterFunc(ctx, func() { s.remove(l) })
	return l, nil
}

// astray ends a connection at whose end the peer may not be, where there is another place to look for it.
func (s *links) astray(address string) {
	if s.ways != nil {
		s.shakes.renew(address)
	}
}

func (s *links) remove(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, l)
}

func (s *links) list() []*link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.all))
}

// load is how many bytes wait in all queues, and how many packets were dropped so far because one was full.
func (s *links) load() (bytes int, dropped uint64) {
	for _, l := range s.list() {
		bytes += l.queue.size() + l.urgent.size()
	}
	return bytes, s.full.Load()
}

// close ends all links: those whose peer is there once it has read what is queued, or after the patience.
func (s *links) close(patience time.Duration) {
	defer s.cancel()
	s.mu.Lock()
	s.shut = true
	s.mu.Unlock()
	all := s.list()
	for _, l := range all {
		l.close()
		if !l.greeted.Load() {
			l.cancel()
		}
	}
	end := time.After(patience)
	for _, l := range all {
		select {
		case <-l.ctx.Done():
		case <-end:
			return
		}
	}
}
