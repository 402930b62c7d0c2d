package kubernetes

import (
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/discoverytest"
)

func follow(t *testing.T, s *Source) *discovery.Directory {
	t.Helper()
	d := discovery.Follow(s, zerolog.Nop())
	t.Cleanup(d.Close)
	return d
}

func TestPodsThatMoveAreFound(t *testing.T) {
	c := serve(t)
	c.runs("log-0", "10.1.0.1")
	c.runs("log-1", "10.1.0.2")
	c.runs("other", "10.1.0.3")
	client := follow(t, c.source(""))
	first := follow(t, c.source("log-0"))
	first.Announce(discovery.Place{Member: 1, Address: "0.0.0.1:1001"})
	discoverytest.Await(t, client, "10.1.0.1:1001")
	follow(t, c.source("log-1")).Announce(discovery.Place{Member: 2, Address: "log-1:1002"})
	discoverytest.Await(t, client, "10.1.0.1:1001", "10.1.0.2:1002")
	first.Close()
	discoverytest.Await(t, follow(t, c.source("")), "10.1.0.2:1002")
	c.delete("log-0")
	c.runs("log-0", "fd00::1")
	follow(t, c.source("log-0")).Announce(discovery.Place{Member: 1, Address: "a:1003"})
	discoverytest.Await(t, client, "[fd00::1]:1003", "10.1.0.2:1002")
}

func TestTokenIsReadAnew(t *testing.T) {
	c := serve(t)
	c.runs("log-0", "10.1.0.1")
	follow(t, c.source("log-0")).Announce(discovery.Place{Member: 1, Address: "a:1001"})
	late := c.source("")
	late.Token += ".late"
	if err := os.WriteFile(late.Token, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := late.Watch(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "401") {
		t.Fatalf("who is not known was answered: %v", err)
	}
	client := follow(t, late)
	if err := os.WriteFile(late.Token, []byte(member+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	discoverytest.Await(t, client, "10.1.0.1:1001")
}

func TestMembersAreFoundOnceTheServerIsBack(t *testing.T) {
	c := serve(t)
	c.runs("log-0", "10.1.0.1")
	c.runs("log-1", "10.1.0.2")
	client := follow(t, c.source(""))
	follow(t, c.source("log-0")).Announce(discovery.Place{Member: 1, Address: "a:1001"})
	discoverytest.Await(t, client, "10.1.0.1:1001")
	c.stop()
	c.start()
	c.ready()
	follow(t, c.source("log-1")).Announce(discovery.Place{Member: 2, Address: "a:1002"})
	discoverytest.Await(t, client, "10.1.0.1:1001", "10.1.0.2:1002")
	a, err := c.source("").open()
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	if err := a.await(t.Context(), labelCluster, "1"); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("changes were watched since a version that the server knows no more: %v", err)
	}
}

func TestKubernetesThatIsNotThereIsAnError(t *testing.T) {
	s := &Source{Server: "127.0.0.1:9", CA: "missing", Namespace: "a", Name: "a"}
	if err := s.Watch(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "authority") {
		t.Errorf("heard %v", err)
	}
}
