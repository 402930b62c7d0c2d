package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"
)

// conn asks members and waits for their answers. It is an actor of its own, and no protoactor future: those restart their
// numbers with the process, so that an answer meant for the former process could reach the new one.
type conn struct {
	system *actor.ActorSystem
	inbox  *actor.PID
	events *eventstream.Subscription
	closed chan struct{}
	faults *faults // nil: nobody knows why a member does not answer

	mu      sync.Mutex
	waiting map[uint64]waiting
	heard   map[string]time.Time // when a member answered last, by its address
}

// waiting is a request that is out.
type waiting struct {
	address string
	answer  chan<- response // closed where none may come any more
}

// Whoever was killed and started again never heard of what the process before it was asked, and answers everything else.
var errBroken = errors.New("the connection to it broke")

// A client that was closed asks nobody any more (errShut), and waits for nobody (errEnded).
var (
	errShut  = fmt.Errorf("%w: this client, or its node", ErrClosed)
	errEnded = errors.New("this client, or its node, was closed")
)

// lastWords is how long an answer may still be on its way from a member when the connection to it has broken: answers come
// on another one.
const lastWords = 100 * time.Millisecond

// response is an answer of a member. Every answer to a client repeats the number of its request.
type response interface {
	proto.Message
	GetRequest() uint64
}

func newConn(system *actor.ActorSystem) *conn {
	c := &conn{
		system: system, closed: make(chan struct{}), waiting: make(map[uint64]waiting), heard: make(map[string]time.Time),
	}
	c.inbox = system.Root.SpawnPrefix(actor.PropsFromFunc(c.receive), clientPrefix)
	c.events = system.EventStream.Subscribe(c.follow)
	return c
}

// clientPrefix begins the names of the actors that receive a client's answers.
const clientPrefix = "client-"

func (c *conn) receive(ctx actor.Context) {
	m, ok := ctx.Message().(response)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if w, ok := c.waiting[m.GetRequest()]; ok {
		delete(c.waiting, m.GetRequest())
		w.answer <- m
	}
}

// follow is told of everything that happens in the system.
func (c *conn) follow(event any) {
	switch e := event.(type) {
	case broken:
		c.lose(e.address)
	case *remote.EndpointTerminatedEvent: // how a remote that the program has started says so
		c.lose(e.Address)
	}
}

// lose gives up, soon, whatever a member was asked until now. It may be gone, and nobody knows until it is heard again.
func (c *conn) lose(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.heard, address)
	var lost []uint64
	for request, w := range c.waiting {
		if w.address == address {
			lost = append(lost, request)
		}
	}
	if len(lost) > 0 {
		time.AfterFunc(lastWords, func() { c.giveUp(lost) })
	}
}

func (c *conn) giveUp(requests []uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, request := range requests {
		if w, ok := c.waiting[request]; ok {
			delete(c.waiting, request)
			close(w.answer)
		}
	}
}

// ask sends a request once and waits for its answer, at most until the connection to the member breaks. Build is given the
// request's number.
func (c *conn) ask(ctx context.Context, to *actor.PID, build func(request uint64) proto.Message) (response, error) {
	return c.askThen(ctx, to, build, nil)
}

// askThen is ask, and calls sent once the request is on its way, if that is not nil.
func (c *conn) askThen(
	ctx context.Context, to *actor.PID, build func(request uint64) proto.Message, sent func(),
) (response, error) {
	if c.isClosed() {
		return nil, errShut
	}
	request := rand.Uint64()
	answer := make(chan response, 1)
	c.mu.Lock()
	c.waiting[request] = waiting{to.GetAddress(), answer}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, request)
		c.mu.Unlock()
	}()
	c.system.Root.RequestWithCustomSender(to, build(request), c.inbox)
	if sent != nil {
		sent()
	}
	select {
	case m, ok := <-answer:
		if !ok {
			return nil, errBroken
		}
		c.hear(to.GetAddress())
		return m, nil
	case <-c.closed:
		return nil, errEnded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *conn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

func (c *conn) hear(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard[address] = time.Now()
}

// forget makes a member one that was not heard lately.
func (c *conn) forget(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.heard, address)
}

// heardSince says whether a member answered anything since then.
func (c *conn) heardSince(address string, since time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard[address].After(since)
}

func (c *conn) close() {
	c.system.EventStream.Unsubscribe(c.events)
	_ = c.system.Root.PoisonFuture(c.inbox).Wait() // the answers that are in the inbox count
	close(c.closed)
}
