package main

import (
	"context"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	virtual "github.com/asynkron/protoactor-go/cluster"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/cluster/grain"
)

// counter adds up numbers. Whoever asks may be another process: what it takes and answers are protobufs.
type counter struct {
	grain.Mixin
	total int64
}

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
		fmt.Println(virtual.GetClusterIdentity(ctx).GetIdentity(), "begins at", c.total)
	case *wrapperspb.Int64Value:
		if err := c.Persist(ctx, m); err != nil {
			grain.Refuse(ctx, err) // whoever asks can tell a fence from a log that has no quorum
			return
		}
		ctx.Respond(wrapperspb.Int64(c.total))
	}
}

// ask has the counter of a name add a number, wherever it runs. What got no answer may have been counted: a program that has to know
// gives its requests numbers, and keeps the last one in the state.
func ask(ctx context.Context, c *virtual.Cluster, line string) string {
	var name string
	var number int64
	if _, err := fmt.Sscan(line, &name, &number); err != nil {
		return "type a name and a number: " + err.Error()
	}
	answer, err := grain.Request(ctx, c, "counter", name, wrapperspb.Int64(number))
	if err != nil {
		return "no answer: " + err.Error()
	}
	total, ours := answer.(*wrapperspb.Int64Value)
	if !ours {
		return fmt.Sprintf("%s answers with a %T", name, answer)
	}
	return fmt.Sprint(name, " has ", total.GetValue())
}
