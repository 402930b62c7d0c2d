package cluster

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
)

// conn asks members and waits for their answers. It is an actor of its own, and no protoactor future: those restart their
// numbers with the process, so that an answer meant for the former process could reach the new one.
type conn struct {
	system *actor.ActorSystem
	inbox  *actor.PID

	mu      sync.Mutex
	waiting map[uint64]chan<- response
	heard   map[string]time.Time // when a member answered last, by its address
}

// response is an answer of a member. Every answer to a client repeats the number of its request.
type response interface {
	proto.Message
	GetRequest() uint64
}

func newConn(system *actor.ActorSystem) *conn {
	c := &conn{system: system, waiting: make(map[uint64]chan<- response), heard: make(map[string]time.Time)}
	c.inbox = system.Root.SpawnPrefix(actor.PropsFromFunc(c.receive), clientPrefix)
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
	if waiting, ok := c.waiting[m.GetRequest()]; ok {
		delete(c.waiting, m.GetRequest())
		waiting <- m
	}
}

// ask sends a request once and waits for its answer. Build is given the request's number.
func (c *conn) ask(ctx context.Context, to *actor.PID, build func(request uint64) proto.Message) (response, error) {
	request := rand.Uint64()
	answer := make(chan response, 1)
	c.mu.Lock()
	c.waiting[request] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, request)
		c.mu.Unlock()
	}()
	c.system.Root.RequestWithCustomSender(to, build(request), c.inbox)
	select {
	case m := <-answer:
		c.hear(to.GetAddress())
		return m, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *conn) hear(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard[address] = time.Now()
}

// heardSince says whether a member answered anything since then.
func (c *conn) heardSince(address string, since time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard[address].After(since)
}

func (c *conn) close() { c.system.Root.Stop(c.inbox) }
