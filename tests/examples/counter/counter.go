package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/persistence"
)

// counter adds up numbers. Its state changes in Apply and Restore only: what is replayed takes the same way as what is new.
type counter struct {
	persistence.Mixin
	total int64
}

// add is answered by the total, an int64, or by an error. It stays in this process; events are protobufs, as they are stored.
type add struct{ number int64 }

// PersistenceID names the journal of the counter, wherever it runs.
func (*counter) PersistenceID(actor.Context) string { return "counter" }

// Apply counts an event.
func (c *counter) Apply(event proto.Message) {
	if number, ours := event.(*wrapperspb.Int64Value); ours {
		c.total += number.GetValue()
	}
}

// Restore begins with a snapshot.
func (c *counter) Restore(state proto.Message) {
	c.total = 0
	c.Apply(state)
}

// State is what a snapshot holds.
func (c *counter) State() proto.Message { return wrapperspb.Int64(c.total) }

// Receive implements actor.Actor.
func (c *counter) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case persistence.Recovered:
		fmt.Println("the counter begins at", c.total)
	case add:
		if err := c.Persist(ctx, wrapperspb.Int64(m.number)); err != nil {
			ctx.Respond(err)
			return
		}
		ctx.Respond(c.total)
	case persistence.Lost:
		fmt.Println("the counter is gone:", m.Err)
	}
}

// ask has the counter add a number, and returns the total. Where no counter runs here, one is started, which takes the journal over
// from whoever had it.
func ask(root *actor.RootContext, props *actor.Props, line string) (total any, err error) {
	number, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		return nil, err
	}
	pid, err := root.SpawnNamed(props, "counter")
	if err != nil && !errors.Is(err, actor.ErrNameExists) { // it runs
		return nil, err
	}
	answer, err := root.RequestFuture(pid, add{number}, time.Minute).Result()
	if failed, ok := answer.(error); ok { // the number may be in the journal or not: the next counter begins with what is
		return nil, errors.Join(failed, root.StopFuture(pid).Wait())
	}
	return answer, err
}
