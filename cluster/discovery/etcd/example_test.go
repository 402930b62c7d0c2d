package etcd_test

import (
	"fmt"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/etcd"
)

// It needs an etcd at 10.0.0.5, so it is not run. cluster.Config.Discovery takes the source as it is.
func Example() {
	d := discovery.Follow(&etcd.Source{Endpoints: []string{"10.0.0.5:2379"}, Name: "quorumlog"}, zerolog.Nop())
	defer d.Close() // takes back what was announced
	d.Announce(discovery.Place{Member: 3, Address: "10.0.0.7:7101"})
	<-d.Told()
	fmt.Println(d.Resolve(3))
}
