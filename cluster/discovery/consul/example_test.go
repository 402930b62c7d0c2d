package consul_test

import (
	"fmt"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/consul"
)

// It needs an agent of Consul on this machine, so it is not run. cluster.Config.Discovery takes the source as it is.
func Example() {
	source, err := consul.New("quorumlog", "127.0.0.1:8500") // the token is in CONSUL_HTTP_TOKEN
	if err != nil {
		panic(err)
	}
	d := discovery.Follow(source, zerolog.Nop())
	defer d.Close() // takes back what was announced
	d.Announce(discovery.Place{Member: 3, Address: "10.0.0.7:7101"})
	<-d.Told()
	fmt.Println(d.Resolve(3))
}
