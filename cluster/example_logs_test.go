package cluster_test

import (
	"context"
	"fmt"
	"os"

	"github.com/quorumlog/quorumlog/cluster"
)

// A process with two logs more than the one without a name. All share its address, its connections and its disk; each has positions and a
// writer of its own.
func ExampleNode_OpenLog() {
	ctx := context.Background()
	data, err := os.MkdirTemp("", "quorumlog")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(data) }() // a temporary directory: nothing is lost if it stays

	node, err := cluster.Start(ctx, cluster.Config{
		ID: 1, Data: data + "/1", AutoInitialize: true, Logs: []string{"users"},
		Members: []cluster.Member{{ID: 1, Address: freeAddress()}},
	})
	if err != nil {
		panic(err)
	}
	defer func() { fmt.Println("closed:", node.Close()) }() // with all its logs
	orders, err := node.OpenLog(ctx, cluster.LogConfig{Name: "orders", AutoInitialize: true})
	if err != nil {
		panic(err)
	}
	for _, log := range node.Logs() {
		if err := log.Recovered(ctx); err != nil {
			panic(err)
		}
		fmt.Printf("log %q votes\n", log.Name())
	}
	at, err := orders.Append(ctx, []byte("an order"))
	fmt.Println("appended at", at, err)
	users, err := node.Log("users") // a client of it, through any member; the node itself is among node.Logs
	if err != nil {
		panic(err)
	}
	at, err = users.Append(ctx, []byte("a user"))
	fmt.Println("appended at", at, err)
	// Output:
	// log "" votes
	// log "orders" votes
	// log "users" votes
	// appended at 1 <nil>
	// appended at 1 <nil>
	// closed: <nil>
}
