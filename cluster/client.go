package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/semaphore"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
)

// Client is the verbs of a log through any of its members. It is safe for many goroutines.
//
// Every call ends when its context does, or after DefaultTimeout where the context has no deadline.
type Client struct {
	name    string // of the log
	conn    *conn
	access  access
	closing func()
	parent  *Client      // whose connections it uses; nil: they are its own
	given   []Member     // the list that it was made with
	tracer  trace.Tracer // nil: nothing is traced

	flight    *semaphore.Weighted // bytes of entries that may be on their way
	gathering *gathering          // of appends without a fence

	mu      sync.Mutex
	logs    map[string]*Client       // that use its connections
	shut    bool                     // no more of these
	lacking map[log.ReplicaID]error  // members that say that they have no such log
	members []Member                 // as this client knows
	changed membership.Configuration // what they were changed to; of epoch 0 for the list that the client was given
	target  Member                   // who wrote last, as far as this client knows; the first to ask
	keptUp  time.Time                // when it was last asked, beside other things, who the members are
	once    sync.Once
}

// maxFlight is how many bytes of entries a client has on their way at most, and perEntry what each counts besides; further
// calls wait. A link drops what it cannot hold (maxQueue), and an append is sent only once.
const (
	maxFlight = 8 << 20
	perEntry  = 64
)

// DefaultTimeout bounds a call whose context has no deadline.
const DefaultTimeout = 30 * time.Second

// Dial returns a client of the log with these members. It has an actor system and an address of its own, on a free port,
// since the members answer to it: there must be no NAT and no firewall between them. It does not wait for any member: the first call does.
//
// It shows no certificate, and takes members on the loopback only; see DialSecurely.
func Dial(ctx context.Context, members []Member) (*Client, error) {
	return DialSecurely(ctx, members, Security{})
}

// DialSecurely is Dial with certificates: those of a client, or of a reader, which gets ErrDenied for whatever is not a read.
func DialSecurely(ctx context.Context, members []Member, s Security) (*Client, error) {
	return dial(ctx, members, s, nil)
}

// DialDiscovered is DialSecurely where members may be elsewhere than the list says: what the source says is tried beside it. See
// Config.Discovery.
func DialDiscovered(ctx context.Context, members []Member, s Security, source discovery.Source) (*Client, error) {
	return dial(ctx, members, s, source)
}

func dial(ctx context.Context, members []Member, s Security, source discovery.Source) (_ *Client, err error) {
	if err := validateMembers(members); err != nil {
		return nil, fmt.Errorf("members: %w", err)
	}
	addresses := make([]string, len(members))
	for i, m := range members {
		addresses[i] = m.Address
	}
	if err := s.Validate(addresses...); err != nil {
		return nil, fmt.Errorf("security: %w", err)
	}
	logger := zerolog.Nop()
	access, err := s.openAsClient(members, logger)
	if err != nil {
		return nil, err
	}
	access.ways = newWhereabouts(source, access.members, s, logger)
	defer func() {
		if err != nil {
			access.ways.close()
		}
	}()
	host, err := access.ways.ownHost(ctx, addresses)
	if err != nil {
		return nil, err
	}
	address, err := freeAddress(host)
	if err != nil {
		return nil, err
	}
	system := newSystem(logger, address)
	transport, err := startRemote(system, address, address, access, logger)
	if err != nil {
		system.Shutdown()
		return nil, err
	}
	c := newClient(system, "", members, members[rand.IntN(len(members))])
	c.conn.faults, c.access = transport.faults(), access
	transport.open()
	c.closing = func() {
		access.ways.close()
		transport.stop(transportPatience)
		system.Shutdown()
	}
	return c, nil
}

func newClient(system *actor.ActorSystem, name string, members []Member, first Member) *Client {
	c := &Client{
		name: name, conn: newConn(system), given: members, members: slices.Clone(members), target: first, closing: func() {},
		logs: make(map[string]*Client), lacking: make(map[log.ReplicaID]error), flight: semaphore.NewWeighted(maxFlight),
	}
	c.gathering = &gathering{write: c.write}
	return c
}

// Close ends the client. Calls that wait end with ErrClosed, or with ErrIndeterminate where a member was asked to write.
func (c *Client) Close() error {
	c.close()
	return nil
}

func (c *Client) close() {
	c.once.Do(func() {
		c.closeLogs()
		c.conn.close()
		c.closing()
	})
}

// Members is the member list, as far as this client knows: it begins with the one that it was given, and follows changes of the
// members that it hears of. Membership asks.
func (c *Client) Members() []Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.members)
}

// Append appends an entry of at most 1 MiB and returns its position, through whichever member writes, or is elected. Where
// too much is on its way already, it waits. Appends that many goroutines make at once share messages.
//
// What it is told stays true whoever fails: an entry whose outcome is unknown is sent again, to whoever writes by then, until it is
// known to be in the log, once. So ErrIndeterminate, that the entry may or may not be in the log, or come to be, is returned only
// where the context ends before that, or the client is closed; or as ErrSessionEvicted. After any other error it is not.
//
// Entries that one goroutine appends, each after the one before was acknowledged, are in the log in that order, whatever fails.
func (c *Client) Append(ctx context.Context, entry []byte) (log.Position, error) {
	return c.append(ctx, c.gathering, [][]byte{entry}, false)
}

// AppendBatch appends up to 1,024 entries of at most 1 MiB together, at consecutive positions, and returns the first. The
// entries are the caller's again when it returns.
//
// Where the member that writes fails just then, the first entries may be in the log before the others come to be: then it
// returns a SplitError with the positions.
func (c *Client) AppendBatch(ctx context.Context, entries [][]byte) (log.Position, error) {
	return c.append(ctx, c.gathering, entries, false)
}

// TryAppend is AppendBatch for callers who rather do something else than wait: where 8 MiB of entries are on their way from
// this client, or 64 MiB wait at the member that writes, it returns ErrBusy at once.
func (c *Client) TryAppend(ctx context.Context, entries [][]byte) (log.Position, error) {
	return c.append(ctx, c.gathering, entries, true)
}

// Truncate drops every position before to, and returns the position of the truncation itself.
func (c *Client) Truncate(ctx context.Context, to log.Position) (log.Position, error) {
	return first(c.write(ctx, newTruncate(to, 0)))
}

// write is a request to a writer.
type write struct {
	build func(request uint64) proto.Message
	sent  func() // is called once the request is on its way; nil for nothing
	try   bool   // where the member has too much to do, that is an error at once
	batch *batch // what is appended; nil for a truncation
}

// first is the position of a write that has one.
func first(places []log.Range, err error) (log.Position, error) {
	if err != nil {
		return 0, err
	}
	return places[0].First, nil
}

func badAppend(entries [][]byte, err error) error {
	if errors.Is(err, codec.ErrTooLarge) || len(entries) > log.MaxRun {
		return fmt.Errorf("%w: an entry has at most 1 MiB, and a batch 1 MiB and %d entries: split it", ErrTooLarge, log.MaxRun)
	}
	return fmt.Errorf("append: %w", err)
}

func newTruncate(to log.Position, fence log.Proposal) write {
	return write{build: func(request uint64) proto.Message {
		return &messages.TruncateRequest{Request: request, To: uint64(to), Writer: uint64(fence)}
	}}
}

// gather has entries gathered with others, once there is room for them.
func (c *Client) gather(ctx context.Context, g *gathering, entries [][]byte, try bool) (log.Position, error) {
	if err := c.mayChange(); err != nil {
		return 0, err
	}
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	a, err := newAppending(ctx, entries, try)
	if err != nil {
		return 0, err
	}
	size := min(int64(a.bytes+perEntry*len(entries)), maxFlight)
	switch {
	case try && !c.flight.TryAcquire(size):
		return 0, fmt.Errorf("%w: %d bytes of other entries are on their way", ErrBusy, maxFlight)
	case !try:
		if err := c.flight.Acquire(ctx, size); err != nil {
			return 0, fmt.Errorf("%w: %d bytes of other entries are on their way: %w", ErrBusy, maxFlight, err)
		}
	}
	defer c.flight.Release(size)
	return g.append(a)
}

// write asks one member after the other, until one wrote or the outcome is certain or unknown. It goes on after answers that say
// that nothing was written, and, where the entries have numbers by which they can be found, after any others.
func (c *Client) write(ctx context.Context, w write) ([]log.Range, error) {
	if err := c.mayChange(); err != nil {
		return nil, err
	}
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	return c.writeOn(ctx, w, nil)
}

// writeOn is write after an attempt that failed, if last is not nil.
func (c *Client) writeOn(ctx context.Context, w write, last error) ([]log.Range, error) {
	var named time.Time // when a member named a writer that was not heard since
	for try := 0; ; try++ {
		if last != nil && w.ready(ctx) != nil {
			return nil, w.ended(last)
		}
		target, err := c.reach(ctx)
		if err != nil {
			return nil, w.ended(errors.Join(err, last))
		}
		places, err := c.writeTo(ctx, target, w)
		if err == nil {
			c.prefer(target)
			return places, nil
		}
		c.doubt(target, err)
		again, final := w.judge(err)
		if !again {
			return places, final
		}
		last = err
		if errors.Is(err, ErrNotElected) {
			named = c.detour(ctx, target, named)
		}
		if err := c.pause(ctx, try); err != nil {
			return nil, w.ended(last)
		}
	}
}

// mayChange says no to a reader: the members would drop what it asks, without a word.
func (c *Client) mayChange() error {
	if own, reads := c.access.reads(); reads {
		return fmt.Errorf("%w: %s may only read: use a client's certificate (quorumlog cert client)", ErrDenied, own)
	}
	return nil
}

// retryable says whether a write may be tried once more: this attempt is certainly not in the log, and the next one may succeed.
func retryable(err error) bool {
	if errors.Is(err, errShut) {
		return false
	}
	for _, kind := range []error{ErrNotElected, ErrNotVoting, ErrNoQuorum, ErrBusy, ErrNoLog, ErrClosed} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// doubt has a member asked whether it votes, before it is asked to write again: that it answers is not enough. One that
// found no quorum, or could not tell what became of a write, may be cut off from the others: the next one is asked first.
func (c *Client) doubt(m Member, err error) {
	switch {
	case errors.Is(err, ErrNotVoting) || errors.Is(err, ErrClosed) || errors.Is(err, ErrNoLog):
		c.conn.forget(m.Address)
	case errors.Is(err, ErrNoQuorum) || errors.Is(err, ErrIndeterminate):
		c.leave(m)
	}
}

// pause waits a random time, longer with every try, at most half a second.
func (c *Client) pause(ctx context.Context, try int) error {
	limit := min(10*time.Millisecond<<min(try, 6), 500*time.Millisecond)
	select {
	case <-time.After(limit/2 + rand.N(limit/2)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writeOnce asks a member once. With an error it returns where the first entries are, if those are in the log nevertheless.
func (c *Client) writeOnce(ctx context.Context, m Member, w write) ([]log.Range, error) {
	answer, err := c.askThen(ctx, m, w.build, w.sent)
	if errors.Is(err, errShut) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: member %d at %s does not answer: %w", ErrIndeterminate, m.ID, m.Address, err)
	}
	switch a := answer.(type) {
	case *messages.AppendResponse:
		places, n, err := codec.DecodeAppended(a)
		switch f := a.GetFailure(); {
		case w.batch == nil || err != nil || n > uint64(w.batch.entries()) || f == nil && n < uint64(w.batch.entries()):
			return nil, errors.Join(fmt.Errorf("%w: member %d at %s answered with %d positions", ErrIndeterminate, m.ID, m.Address, n), err)
		case f != nil:
			c.redirect(f)
			return places, failure(m, f)
		}
		return places, nil
	case *messages.TruncateResponse:
		if f := a.GetFailure(); f != nil {
			c.redirect(f)
			return nil, failure(m, f)
		}
		return []log.Range{log.Span(log.Position(a.GetPosition()), 1)}, nil
	}
	return nil, fmt.Errorf("%w: member %d at %s answered with a %T", ErrIndeterminate, m.ID, m.Address, answer)
}

func withDefaultTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, DefaultTimeout)
}
