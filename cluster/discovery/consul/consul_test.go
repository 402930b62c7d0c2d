package consul

import (
	"fmt"
	"testing"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/discoverytest"
)

func TestConsulTellsWhatIsAnnouncedThere(t *testing.T) {
	port := discoverytest.Port(t)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	ports := fmt.Sprintf("ports{dns=-1 grpc=-1 server=%d serf_lan=%d serf_wan=-1}", discoverytest.Port(t), discoverytest.Port(t))
	discoverytest.Serve(t, address, "consul", "agent", "-dev", "-bind", "127.0.0.1", "-http-port", fmt.Sprint(port), "-hcl", ports)
	discoverytest.Run(t, func(t *testing.T) discovery.Source {
		s, err := New("quorumlog", address)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
