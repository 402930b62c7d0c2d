package process

import (
	"fmt"
	"testing"

	"github.com/quorumlog/quorumlog/cluster/discovery/discoverytest"
)

func TestMembersThatMoveAreFoundInEtcd(t *testing.T) {
	t.Parallel()
	address, peers := fmt.Sprintf("127.0.0.1:%d", discoverytest.Port(t)), fmt.Sprintf("http://127.0.0.1:%d", discoverytest.Port(t))
	discoverytest.Serve(t, address, "etcd", "--data-dir", t.TempDir(), "--listen-client-urls", "http://"+address,
		"--advertise-client-urls", "http://"+address, "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
		"--initial-cluster", "default="+peers)
	(&found{Cluster: New(t, 3), url: "etcd://" + address + "/log", places: make(map[int]string)}).moves()
}

func TestMembersThatMoveAreFoundInZooKeeper(t *testing.T) {
	t.Parallel()
	address := discoverytest.ServeZooKeeper(t).Address
	(&found{Cluster: New(t, 3), url: "zk://user:password@" + address + "/log", places: make(map[int]string)}).moves()
}
