// Index follows the log and makes something else of it: at which positions each word is. It is no member, keeps its own place, and
// begins again there; where the log was truncated above it, it goes on from the index that whoever truncated it has left in the log.
//
//	go run ./tests/examples/index -members ... -file index.json [-compact 1000]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/quorumlog/quorumlog/cluster"
)

func main() {
	members := flag.String("members", "1=127.0.0.1:7101,2=127.0.0.1:7102,3=127.0.0.1:7103", "the members of the log")
	file := flag.String("file", "index.json", "the `file` that keeps the index, and its place")
	compact := flag.Int("compact", 0, "truncate the log every so many `entries`; one process of all should; 0 never does")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *members, *file, *compact); err != nil {
		fmt.Fprintln(os.Stderr, "index:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, list, file string, compact int) (err error) {
	members, err := cluster.ParseMembers(list)
	if err != nil {
		return err
	}
	client, err := cluster.Dial(ctx, members) // DialSecurely, beyond the loopback
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	x, reader := load(file), client.Reader()
	fmt.Println("begins at", x.Next)
	for {
		err := x.follow(ctx, client, reader, compact)
		truncated, above := errors.AsType[*cluster.TruncatedError](err)
		if !above {
			return errors.Join(err, x.save(file))
		}
		if x, err = rebuild(ctx, reader, truncated.Begin); err != nil {
			return err
		}
		fmt.Println("the log was truncated; rebuilt up to", x.Next-1)
	}
}

// follow takes in the entries as they are appended, until the context ends. It goes on whichever member ends.
func (x *index) follow(ctx context.Context, client *cluster.Client, reader *cluster.Reader, compact int) error {
	texts := 0
	for entry, err := range reader.Tail(ctx, x.Next) {
		if err != nil {
			return err
		}
		words := x.add(entry)
		for _, word := range words {
			fmt.Println(word, x.Words[word])
		}
		if len(words) == 0 || compact == 0 {
			continue
		}
		if texts++; texts%compact == 0 {
			if err := x.compact(ctx, client); err != nil {
				return err
			}
		}
	}
	return nil
}
