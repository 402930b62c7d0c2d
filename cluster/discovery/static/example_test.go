package static_test

import (
	"context"
	"fmt"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/static"
)

// A member moves, and whoever watches is told at once.
func Example() {
	source := static.New(discovery.Places{1: {"10.0.0.1:7101"}})
	ctx, cancel := context.WithCancel(context.Background())
	err := source.Watch(ctx, func(p discovery.Places) {
		fmt.Println("member 1 is at", p[1])
		if p[1][0] == "10.0.0.1:7101" {
			source.Set(discovery.Places{1: {"10.0.0.9:7101"}})
		} else {
			cancel()
		}
	})
	fmt.Println(err)
	// Output:
	// member 1 is at [10.0.0.1:7101]
	// member 1 is at [10.0.0.9:7101]
	// <nil>
}
