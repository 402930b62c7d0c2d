package member_test

import (
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/messages"
)

// A member is one actor with all that it needs below it. This one is alone in its log. In a program, package cluster spawns it in
// the program's own actor system, with a disk and the real clock.
func Example() {
	w := actortest.NewWorld(7)
	defer w.Close()
	node, ids := w.Node("a"), []log.ReplicaID{1}
	root := node.Spawn("quorumlog", member.Props(member.Config{
		Ensemble: ensemble.Ensemble{
			Self: 1, Members: ids, Patience: ensemble.Usual(), Clock: node.Clock(), Random: node.Random(), Log: zerolog.Nop(),
		},
		Store:   memory.New(storage.Fresh(storage.Metadata{Cluster: "example", Replica: 1, Members: ids}, 7)),
		Cluster: identity.ClusterID{1}, Configuration: 1, AutoInitialize: true,
		Report: func(event any) {
			switch e := event.(type) {
			case replica.StatusChanged:
				fmt.Println(e.From, "->", e.To)
			case member.Recovered:
				fmt.Println("clients are served")
			case member.Failed: // end the process
				panic(e.Err)
			}
		},
	}))
	w.Run(10 * time.Second)

	client := w.Node("b").Probe("client")
	gateway := w.Node("a").PID(root.GetId() + "/" + member.Gateway)
	client.Request(gateway, &messages.AppendRequest{Entries: [][]byte{[]byte("one")}})
	answer, err := actortest.Next[*messages.AppendResponse](client, time.Minute)
	fmt.Println(answer.GetRange().GetFirst(), err)
	// Output:
	// EMPTY -> STARTING
	// STARTING -> VOTING
	// clients are served
	// 1 <nil>
}
