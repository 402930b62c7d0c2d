package discovery_test

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

// inventory is a source of a program's own: here it knows one thing, and then waits to be told another.
type inventory struct{ discovery.Written } // members need not announce themselves

func (inventory) Watch(ctx context.Context, found func(discovery.Places)) error {
	places := discovery.Places{}
	places.Add(discovery.Place{Member: 3, Address: "10.0.0.7:7101"})
	places.Add(discovery.Place{Member: 3, Address: "no address"}) // is left out
	found(places)
	<-ctx.Done()
	return nil
}

// A program hands its source to cluster.Config.Discovery, or to cluster.DialDiscovered, which follow it like this.
func Example() {
	d := discovery.Follow(inventory{}, zerolog.Nop())
	defer d.Close()
	<-d.Told()
	fmt.Println(d.Resolve(3), d.Resolve(1)) // where it is not known, the member list says it
	// Output: [10.0.0.7:7101] []
}
