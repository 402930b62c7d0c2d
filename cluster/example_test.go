package cluster_test

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/quorumlog/quorumlog/cluster"
)

// A log of one member, in this process. A log that survives the loss of a machine has three: then Members lists all of
// them, and each process starts the one whose ID it is.
func Example() {
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
	if err := node.Recovered(ctx); err != nil { // the local replica votes
		panic(err)
	}
	writer, err := node.Writer(ctx) // every other writer is fenced from now on
	if err != nil {
		panic(err)
	}
	for _, entry := range []string{"one", "two", "three"} {
		at, err := writer.Append(ctx, []byte(entry))
		fmt.Println("appended at", at, err)
	}
	for entry, err := range node.Reader().Read(ctx, 0, 0) {
		fmt.Println(entry.Position, string(entry.Data), err)
	}
	fmt.Println("closed:", node.Close())
	// Output:
	// appended at 1 <nil>
	// appended at 2 <nil>
	// appended at 3 <nil>
	// 1 one <nil>
	// 2 two <nil>
	// 3 three <nil>
	// closed: <nil>
}

func freeAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer func() { _ = l.Close() }() // the port is only asked for
	return l.Addr().String()
}
