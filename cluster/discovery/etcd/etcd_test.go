package etcd

import (
	"context"
	"fmt"
	"testing"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/discoverytest"
)

func serve(t *testing.T) string {
	t.Helper()
	address, start := server(t)
	start()
	return address
}

// server is etcd with a directory and ports of its own. Start starts it, again where what it returned was called.
func server(t *testing.T) (address string, start func() (stop func())) {
	t.Helper()
	address = fmt.Sprintf("127.0.0.1:%d", discoverytest.Port(t))
	peers, dir := fmt.Sprintf("http://127.0.0.1:%d", discoverytest.Port(t)), t.TempDir()
	return address, func() func() {
		return discoverytest.Serve(t, address, "etcd", "--data-dir", dir, "--listen-client-urls", "http://"+address,
			"--advertise-client-urls", "http://"+address, "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
			"--initial-cluster", "default="+peers)
	}
}

func TestEtcdTellsWhatIsAnnouncedThere(t *testing.T) {
	address := serve(t)
	discoverytest.Run(t, func(*testing.T) discovery.Source { return &Source{Endpoints: []string{address}, Name: "a"} })
}

func TestAnnouncementsOutliveEtcd(t *testing.T) {
	address, start := server(t)
	stop := start()
	discoverytest.Outlive(t, func(*testing.T) discovery.Source { return &Source{Endpoints: []string{address}, Name: "a"} }, func() {
		stop()
		start()
	})
}

func TestWhatOthersKeepInEtcdIsLeftOut(t *testing.T) {
	s := &Source{Endpoints: []string{serve(t)}, Name: "a"}
	client, err := s.open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }() // the test is over
	for key, text := range map[string]string{"x": "nonsense", "2": `{"id":"random","host":"a","port":1}`, "3": `{"id":"3","host":"a","port":70000}`,
		"4": `{"id":"4","host":"a","port":1,"more":true}`, "../b/5": `{"id":"5","host":"a","port":1}`} {
		if _, err := client.Put(t.Context(), s.prefix()+key, text); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.Watch(ctx, func(p discovery.Places) {
		defer cancel()
		if len(p) != 2 || p[4][0] != "a:1" {
			t.Errorf("heard %v", p)
		}
	}); ctx.Err() == nil {
		t.Error(err)
	}
}

func TestEtcdThatIsNotThereIsAnError(t *testing.T) {
	s := &Source{Endpoints: []string{fmt.Sprintf("127.0.0.1:%d", discoverytest.Port(t))}, Name: "a"}
	if err := s.Watch(t.Context(), func(discovery.Places) { t.Error("something was found") }); err == nil {
		t.Error("there was no error")
	}
}
