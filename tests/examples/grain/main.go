// Grain is counters that are found by their names, wherever they run: they are virtual actors of protoactor's cluster module, and their
// state is in the log. Type "alice 5" at any member, kill the one that says where alice begins, and type it at another.
//
//	go run ./tests/examples/grain -id 1    and so on for 2 and 3, in terminals of their own
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
	"strings"
	"syscall"

	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/grain"
	"github.com/quorumlog/quorumlog/log"
)

func main() {
	id := flag.Uint("id", 1, "the `id` of this member")
	members := flag.String("members", "1=127.0.0.1:7101,2=127.0.0.1:7102,3=127.0.0.1:7103", "all members of the log, the same `list` for each")
	hosts := flag.String("hosts", "127.0.0.1:7201,127.0.0.1:7202,127.0.0.1:7203", "where each says that it hosts grains, the same `list` for each")
	data := flag.String("data", "data", "the `directory` for the members' data")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, int(*id), *members, strings.Split(*hosts, ","), *data); err != nil {
		fmt.Fprintln(os.Stderr, "grain:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, id int, list string, hosts []string, data string) (err error) {
	members, err := cluster.ParseMembers(list)
	if err != nil {
		return err
	}
	node, err := cluster.Start(ctx, cluster.Config{ // it has an actor system of its own: what reaches the grains' does not reach the log
		ID: log.ReplicaID(id), Members: members, Data: filepath.Join(data, fmt.Sprint(id)), AutoInitialize: true, AutoElect: true,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Close()) }()
	actors := node.Persist(cluster.PersistenceConfig{SnapshotEvery: 100, TruncateEvery: 10_000})
	defer func() { err = errors.Join(err, actors.Close()) }()
	counters, err := grain.Kind(grain.Config{
		Name: "counter", Provider: actors.Provider, New: func() persistence.Persistent { return &counter{} },
	})
	if err != nil {
		return err
	}
	c, err := join(ctx, id, hosts, counters)
	if err != nil {
		return err
	}
	defer c.Shutdown(false)
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			fmt.Println(ask(ctx, c, in.Text()))
		}
	}()
	select {
	case <-node.Done(): // Close says why
	case <-ctx.Done():
	}
	return nil
}
