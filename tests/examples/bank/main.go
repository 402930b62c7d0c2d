// Bank moves money between accounts, each of which is an actor with a journal of its own in the log. The sum stays the same, whatever is
// killed in the middle; the accounts go on at another member, and those that they were taken from are fenced.
//
//	go run ./tests/examples/bank -id 1    and so on for 2 and 3, in terminals of their own; then type: anna ben 30, or: audit
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

func main() {
	id := flag.Uint("id", 1, "the `id` of this member")
	members := flag.String("members", "1=127.0.0.1:7101,2=127.0.0.1:7102,3=127.0.0.1:7103", "all members, the same `list` for each")
	data := flag.String("data", "data", "the `directory` for the members' data")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, log.ReplicaID(*id), *members, *data); err != nil {
		fmt.Fprintln(os.Stderr, "bank:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, id log.ReplicaID, list, data string) (err error) {
	members, err := cluster.ParseMembers(list)
	if err != nil {
		return err
	}
	node, err := cluster.Start(ctx, cluster.Config{
		ID: id, Members: members, Data: filepath.Join(data, fmt.Sprint(id)), AutoInitialize: true, AutoElect: true,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Close()) }()
	actors := node.Persist(cluster.PersistenceConfig{SnapshotEvery: 20, TruncateEvery: 200})
	defer func() { err = errors.Join(err, actors.Close()) }()

	system := actor.NewActorSystem()
	defer system.Shutdown()
	accounts := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &bank{actors.Provider} }))
	for typed := lines(); ; {
		select {
		case line := <-typed:
			said, err := teller{system.Root, accounts}.do(line)
			if err != nil {
				said = fmt.Sprint("error: ", err)
			}
			fmt.Println(said)
		case <-node.Done(): // Close says why
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// lines are those that are typed in. A process that nobody types into is a member all the same.
func lines() <-chan string {
	typed := make(chan string)
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			typed <- in.Text()
		}
	}()
	return typed
}
