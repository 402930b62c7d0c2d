package discoverytest

import (
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

// Outlive checks that who announces a place, and who watches, go on once a server was stopped and started again, which is what
// restart does; whether it still knows what it knew is all one.
func Outlive(t *testing.T, open func(*testing.T) discovery.Source, restart func()) {
	t.Helper()
	follow := func() *discovery.Directory {
		d := discovery.Follow(open(t), zerolog.Nop())
		t.Cleanup(d.Close)
		return d
	}
	watches, announces := follow(), follow()
	announces.Announce(discovery.Place{Member: 1, Address: "127.0.0.1:1001"})
	Await(t, watches, "127.0.0.1:1001")
	restart()
	follow().Announce(discovery.Place{Member: 2, Address: "127.0.0.1:1002"})
	Await(t, watches, "127.0.0.1:1001", "127.0.0.1:1002")
	Await(t, follow(), "127.0.0.1:1001", "127.0.0.1:1002")
}

// Await waits until the places that a directory knows, by their members' ids, are these.
func Await(t *testing.T, d *discovery.Directory, want ...string) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for end := time.After(patience); !slices.Equal(d.All(), want); {
		select {
		case <-again.C:
		case <-end:
			t.Fatalf("the members are said to be at %v, and not at %v", d.All(), want)
		}
	}
}
