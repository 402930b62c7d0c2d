package discoverytest_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/discoverytest"
	"github.com/quorumlog/quorumlog/cluster/discovery/zookeeper"
)

// A discovery of your own is tested like this; here it is the one for ZooKeeper. Nothing is printed: what it does not keep is told to
// the test, which is skipped where there is no server.
func Example() {
	tests := func(t *testing.T) {
		server := discoverytest.ServeZooKeeper(t)
		discoverytest.Run(t, func(*testing.T) discovery.Source { // one more process each time
			return &zookeeper.Source{Servers: []string{server.Address}, Name: "log"}
		})
	}
	_ = tests // in a test file: func TestMine(t *testing.T)
}
