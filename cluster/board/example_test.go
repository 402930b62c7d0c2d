package board_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/board"
)

// Before there is a member, the board says so: whoever sends clients waits.
func ExampleNew() {
	b := board.New()
	for _, path := range []string{"/livez", "/readyz"} {
		answer := httptest.NewRecorder()
		b.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Println(path, answer.Code, strings.TrimSpace(answer.Body.String()))
	}
	// Output:
	// /livez 200 ok
	// /readyz 503 the member is not up yet
}

// A program that embeds a member shows it on a port of its own, beside its own metrics. One that has a registry of its own needs no
// board for those: it registers node.Collector().
func Example() {
	embedded := func(ctx context.Context, c cluster.Config) error {
		b := board.New(collectors.NewGoCollector())
		server := &http.Server{Addr: "127.0.0.1:9101", Handler: b, ReadHeaderTimeout: 10 * time.Second}
		go func() { fmt.Println("the board is not served any more:", server.ListenAndServe()) }() // a program logs that
		defer server.Close()                                                                      //nolint:errcheck // there is nothing to save

		node, err := cluster.Start(ctx, c)
		if err != nil {
			return err
		}
		defer node.Close() //nolint:errcheck // why it stopped is in Err
		b.Show(node, c.ID)
		<-node.Done()
		return node.Err()
	}
	fmt.Println(embedded(context.Background(), cluster.Config{
		ID: 1, Data: "data/1", AutoInitialize: true, Members: []cluster.Member{{ID: 1, Address: "127.0.0.1:7101"}},
	}))
}
