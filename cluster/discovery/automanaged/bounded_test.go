package automanaged

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/discoverytest"
)

// announced is a host on which a member says where it is.
func announced(t *testing.T) string {
	t.Helper()
	all := hosts(t, 1)
	member(t, all, 0, discovery.Place{Member: 1, Address: "127.0.0.1:1001"})
	client := discovery.Follow(&Source{Hosts: all, Name: "log"}, zerolog.Nop())
	defer client.Close()
	discoverytest.Await(t, client, "127.0.0.1:1001")
	return all[0]
}

func TestWhoHasAskedGivesItsPlaceBack(t *testing.T) {
	response, err := http.Get("http://" + announced(t) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // the test is over
	if !response.Close {
		t.Error("the connection stays open")
	}
}

func TestThoseWhoAskAreBounded(t *testing.T) {
	host := announced(t)
	began := time.Now()
	for range maxAsking {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() }) // the member has closed it already
	}
	response, err := http.Get("http://" + host + path)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close() // it was answered
	if waited := time.Since(began); waited < patient {
		t.Errorf("%d that say nothing left a place for one more after %v", maxAsking, waited)
	}
}
