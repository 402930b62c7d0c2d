package cluster_test

import (
	"context"
	"fmt"
	"os"

	"github.com/quorumlog/quorumlog/cluster"
)

// What happens at a member is on the event stream of its actor system, beside protoactor's own events. A program that gives the
// system (Config.System) may subscribe before it starts the member. Node.Events is for one subscriber at its own pace.
func ExampleEvent() {
	ctx := context.Background()
	data, err := os.MkdirTemp("", "quorumlog")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(data) }() // a temporary directory: nothing is lost if it stays

	node, err := cluster.Start(ctx, cluster.Config{
		ID: 1, Data: data + "/1", AutoInitialize: true,
		Members: []cluster.Member{{ID: 1, Address: freeAddress()}},
	})
	if err != nil {
		panic(err)
	}
	ended := make(chan struct{})
	node.System().EventStream.Subscribe(func(event any) { // on the stream: whoever is slow holds up the other subscribers
		if e, ok := event.(cluster.Stopped); ok {
			fmt.Println("the stream: member", e.Member, "has stopped:", e.Err)
			close(ended)
		}
	})
	if err := node.Recovered(ctx); err != nil {
		panic(err)
	}
	if _, err := node.Writer(ctx); err != nil {
		panic(err)
	}
	for event := range node.EventsAfter(ctx, 0) { // from the member's beginning; Events is from now on
		switch e := event.(type) {
		case cluster.StatusChanged:
			fmt.Println(e.From, "->", e.To)
		case cluster.Recovered:
			fmt.Println("votes")
		case cluster.Elected:
			fmt.Println("writes under", e.Proposal)
			go func() { _ = node.Close() }() // it returns why the member had stopped before
		case cluster.Stopped:
			<-ended
			fmt.Println("stopped:", e.Err)
		}
	}
	// Output:
	// EMPTY -> STARTING
	// STARTING -> VOTING
	// votes
	// writes under 1.1
	// the stream: member 1 has stopped: <nil>
	// stopped: <nil>
}
