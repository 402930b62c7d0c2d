// Tls is a client of a log whose members are on three machines, and let nobody in without a certificate. It appends its arguments,
// and prints the log. Beside it is what the machines need:
//
//	certificates.sh              the authority's certificate, the members', and the clients': run it once
//	member-1.yaml, -2, -3        the settings of each machine, as /etc/quorumlog/quorumlog.yaml
//	deploy/systemd in this tree  the unit that starts a member, the same on all machines
//
// Then, from any machine that the members can connect back to:
//
//	go run ./tests/examples/tls -certs certs -name client-billing "paid 5" "paid 7"
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
)

func main() {
	members := flag.String("members", "1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101", "the members of the log")
	certs := flag.String("certs", "certs", "the `directory` of the certificates")
	name := flag.String("name", "client-billing", "whose certificate to show: the `name` of its files, without .crt and .key; empty shows none")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx, *members, security(*certs, *name), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "tls:", err)
		os.Exit(1)
	}
}

// security is how the client and the members know each other. The files are read again when they change: a certificate is renewed
// without a restart.
func security(certs, name string) cluster.Security {
	if name == "" {
		return cluster.Security{} // plain text: refused here beyond the loopback, and by the members everywhere
	}
	return cluster.Security{
		CA:          filepath.Join(certs, "ca.crt"),
		Certificate: filepath.Join(certs, name+".crt"),
		Key:         filepath.Join(certs, name+".key"),
	}
}

func run(ctx context.Context, list string, s cluster.Security, entries []string) (err error) {
	members, err := cluster.ParseMembers(list)
	if err != nil {
		return err
	}
	client, err := cluster.DialSecurely(ctx, members, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	for _, entry := range entries {
		if _, err := client.Append(ctx, []byte(entry)); err != nil {
			return err // of a reader: ErrDenied
		}
	}
	for entry, err := range client.Reader().ReadLatest(ctx, 0, 0) {
		if err != nil {
			return err
		}
		fmt.Println(entry.Position, string(entry.Data))
	}
	return nil
}
