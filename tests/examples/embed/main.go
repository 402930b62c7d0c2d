// Embed is a program that has a member of the log in it. Three of them are a log that goes on without any one of them, or its
// disk: delete the data of one, start it again, and it prints the same lines as the others.
//
//	go run ./tests/examples/embed -id 1    and so on for 2 and 3, in terminals of their own
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

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
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, id log.ReplicaID, list, data string) (err error) {
	members, err := cluster.ParseMembers(list)
	if err != nil {
		return err
	}
	node, err := cluster.Start(ctx, cluster.Config{
		ID: id, Members: members, Data: filepath.Join(data, fmt.Sprint(id)),
		AutoInitialize: true, // members that are all new begin a new log
		AutoElect:      true, // somebody writes as long as a quorum can talk
	})
	if err != nil {
		return err
	}
	// A member that writes hands over to another one. What Close returns is why the node had stopped by itself, if it had.
	defer func() { err = errors.Join(err, node.Close()) }()
	if err := node.Recovered(ctx); err != nil { // this member votes: it has what it missed
		return err
	}

	// Whichever member writes appends it. Once there is a position, a quorum of the members has the entry on its disks.
	at, err := node.Append(ctx, fmt.Appendf(nil, "member %d was here", id))
	if err != nil {
		return err
	}
	fmt.Println("appended at", at)

	// What the members read is the same, in the same order. It comes from the disk of this one.
	for entry, err := range node.Reader().Tail(ctx, 0) {
		if err != nil {
			return err
		}
		fmt.Println(entry.Position, string(entry.Data))
	}
	return nil // interrupted
}
