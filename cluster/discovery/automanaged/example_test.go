package automanaged_test

import (
	"fmt"
	"net"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/automanaged"
)

// Member 3 says where it is, on one of two hosts. A client asks both.
func Example() {
	hosts := []string{free(), free()}
	member := discovery.Follow(&automanaged.Source{Hosts: hosts, Listen: hosts[1], Name: "log"}, zerolog.Nop())
	defer member.Close()
	member.Announce(discovery.Place{Member: 3, Address: "10.0.0.7:7101"})

	client := discovery.Follow(&automanaged.Source{Hosts: hosts, Name: "log"}, zerolog.Nop())
	defer client.Close()
	<-client.Told()
	fmt.Println(client.Resolve(3))
	// Output: [10.0.0.7:7101]
}

// free is a host:port of the loopback on which nobody listens.
func free() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer func() { _ = l.Close() }() // the port is only asked for
	return l.Addr().String()
}
