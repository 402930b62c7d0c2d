package persistence_test

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/journal"
)

// Two processes believe that the actor "account/7" is theirs. Both keepers write to one log, and both know whose events count.
func Example() {
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) {
		here, there := process(c, "here"), process(c, "there")

		first := ask[persistence.Activated](here, persistence.Activate{Owner: "account/7", By: "here"})
		written := ask[persistence.Written](here, event(first.Activation, first.Next, wrapperspb.Int64(100)))
		fmt.Println("written behind the activation:", written.At > first.Activation)

		second := ask[persistence.Activated](there, persistence.Activate{Owner: "account/7", By: "there"})
		fmt.Println("there are events:", second.Next)
		refused := ask[persistence.Refused](here, event(first.Activation, second.Next, wrapperspb.Int64(-100)))
		fmt.Println(refused.Err)
	})
	fmt.Println(err)
	// Output:
	// written behind the activation: true
	// there are events: 1
	// another activation of the actor writes: "account/7" was activated at position 3 of the log, by "there": end this one
	// <nil>
}

// keeper is that of one process, and somebody who asks it.
type keeper struct {
	*actortest.Probe
	pid *actor.PID
}

// process starts a keeper. In a program Node.Persist does it, or Client.Persist, of package cluster.
func process(c *logtest.Cluster, name string) keeper {
	node := c.World.Node(name)
	port := node.Spawn("port", c.Port(node))
	pid := node.Spawn("keeper", actor.PropsFromProducer(persistence.Keeper(persistence.Settings{Port: port, Clock: node.Clock()})))
	return keeper{node.Probe("actor"), pid}
}

func ask[T any](k keeper, question any) T {
	k.Request(k.pid, question)
	answer, err := actortest.Next[T](k.Probe, time.Minute)
	if err != nil {
		panic(err)
	}
	return answer
}

// event is what Journal.Persist asks for: an event of account 7.
func event(by log.Position, index uint64, m proto.Message) persistence.Write {
	event, err := anypb.New(m)
	if err != nil {
		panic(err)
	}
	return persistence.Write{
		Entry: journal.Entry{Owner: "account/7", Kind: journal.Events, Activation: by, Index: index, Count: 1},
		Body:  codec.JournalBody{Events: []*anypb.Any{event}},
	}
}
