package replica_test

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
)

// A replica on a disk of its own, asked by another actor of its process. Peers ask it with the messages of package messages.
func Example() {
	w := actortest.NewWorld(7)
	defer w.Close()
	node := w.Node("a")
	store := memory.New(storage.Metadata{
		Cluster: "example", Replica: 1, Members: []log.ReplicaID{1}, Status: status.Voting,
		Incarnation: identity.Incarnation{Generation: 1, Disk: 7}, Boot: 1,
	})
	pid := node.Spawn("replica", actor.PropsFromProducer(replica.New(replica.Config{
		Store: store, Cluster: identity.ClusterID{1}, Configuration: 1, Members: []log.ReplicaID{1},
		Clock: node.Clock(), Random: node.Random(), Log: zerolog.Nop(),
	})))
	asker := node.Probe("asker")

	asker.Request(pid, replica.Reserve{Above: log.NewProposal(4, 3)})
	reserved, err := actortest.Next[replica.Reserved](asker, time.Second)
	fmt.Println("never used before:", reserved.By, err)

	by := reserved.By
	asker.Request(pid, replica.Learn{Actions: []log.Action{
		{Position: 1, Promised: by, Performed: by, Learned: true, Value: log.Value{Kind: log.Append, Data: []byte("chosen")}},
	}})
	asker.Request(pid, replica.Read{})
	page, err := actortest.Next[replica.Page](asker, time.Second)
	fmt.Println(page.Range, string(page.Actions[0].Value.Data), err)
	fmt.Println("on its disk:", store.Metadata().Highest)
	// Output:
	// never used before: 5.1 <nil>
	// [1, 1] chosen <nil>
	// on its disk: 5.1
}
