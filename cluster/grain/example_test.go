package grain_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/asynkron/protoactor-go/actor"
	virtual "github.com/asynkron/protoactor-go/cluster"
	provider "github.com/asynkron/protoactor-go/cluster/clusterproviders/test"
	"github.com/asynkron/protoactor-go/cluster/identitylookup/disthash"
	"github.com/asynkron/protoactor-go/remote"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/grain"
	"github.com/quorumlog/quorumlog/messages"
)

// A program that is a client of protoactor's cluster, and of no log, appends to one by its name. Grains whose state is in the log are in
// tests/examples/grain.
func Example() {
	data, err := os.MkdirTemp("", "quorumlog")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(data) }() // a temporary directory: nothing is lost if it stays

	// A member of protoactor's cluster that hosts the log, in the same process: of one, and the log has one member.
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	logs := make(map[string]*cluster.Client)
	member := virtual.New(system, virtual.Configure("example", provider.NewTestProvider(provider.NewInMemAgent()), disthash.New(),
		remote.Configure("127.0.0.1", 0), virtual.WithKinds(grain.LogKind(logs))))
	member.StartMember()
	node, err := cluster.Start(context.Background(), cluster.Config{
		ID: 1, Data: data + "/1", AutoInitialize: true, System: system,
		Members: []cluster.Member{{ID: 1, Address: system.Address()}},
	})
	if err != nil {
		panic(err)
	}
	logs[""] = node.Client

	// Session and Sequence make it harmless to ask again where no answer came.
	request := &messages.AppendRequest{Entries: [][]byte{[]byte("by its name")}, Session: []byte("0123456789abcdef"), Sequence: 1}
	for range 2 {
		answer, err := grain.Request(context.Background(), member, grain.LogName, grain.LogName, request)
		if err != nil {
			panic(err)
		}
		fmt.Println("appended at", answer.(*messages.AppendResponse).GetRange().GetFirst())
	}
	for entry, err := range node.Reader().Read(context.Background(), 0, 0) {
		fmt.Println(entry.Position, string(entry.Data), err)
	}
	fmt.Println("closed:", node.Close())
	member.Shutdown(false)
	// Output:
	// appended at 1
	// appended at 1
	// 1 by its name <nil>
	// closed: <nil>
}
