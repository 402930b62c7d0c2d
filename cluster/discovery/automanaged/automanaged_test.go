package automanaged

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/discoverytest"
)

// hosts are places on which nobody listens yet.
func hosts(t *testing.T, n int) []string {
	t.Helper()
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("127.0.0.1:%d", discoverytest.Port(t))
	}
	return all
}

// member announces a member on a host, until what it returns is called.
func member(t *testing.T, all []string, host int, own discovery.Place) (stop func()) {
	t.Helper()
	d := discovery.Follow(&Source{Hosts: all, Listen: all[host], Name: "log"}, zerolog.Nop())
	d.Announce(own)
	t.Cleanup(d.Close)
	return d.Close
}

func TestMembersThatMoveAmongTheHostsAreFound(t *testing.T) {
	all := hosts(t, 3)
	client := discovery.Follow(&Source{Hosts: all, Name: "log"}, zerolog.Nop())
	defer client.Close()
	leave := member(t, all, 0, discovery.Place{Member: 1, Address: "127.0.0.1:1001"})
	member(t, all, 1, discovery.Place{Member: 65535, Address: "[::1]:1002"})
	discoverytest.Await(t, client, "127.0.0.1:1001", "[::1]:1002")
	leave()
	member(t, all, 2, discovery.Place{Member: 1, Address: "host.example.org:1003"})
	discoverytest.Await(t, client, "host.example.org:1003", "[::1]:1002")
}

func TestMemberSaysWhatProtoactorReads(t *testing.T) {
	all := hosts(t, 1)
	member(t, all, 0, discovery.Place{Member: 3, Address: "10.0.0.7:7101"})
	client := discovery.Follow(&Source{Hosts: all, Name: "log"}, zerolog.Nop())
	defer client.Close()
	discoverytest.Await(t, client, "10.0.0.7:7101")
	response, err := http.Get("http://" + all[0] + "/_health")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // the test is over
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]any
	if err := json.Unmarshal(text, &said); err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(all[0], ":")
	said["auto_manage_port"] = fmt.Sprint(said["auto_manage_port"])
	want := map[string]any{
		"id": "3", "address": "10.0.0.7", "port": 7101.0, "auto_manage_port": port, "kinds": []any{}, "cluster_name": "log",
	}
	if !reflect.DeepEqual(said, want) {
		t.Errorf("it said %s", text)
	}
}

// answering is a host that answers everybody the same.
func answering(t *testing.T, status int, text string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text) // whoever asked may be gone
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestOnlyMembersOfTheLogAreBelieved(t *testing.T) {
	const fine = `{"id":"1","address":"a","port":1,"cluster_name":"log"}`
	for name, host := range map[string]string{
		"another log":   answering(t, 200, `{"id":"2","address":"a","port":2,"cluster_name":"other"}`),
		"a random id":   answering(t, 200, `{"id":"x","address":"a","port":2,"cluster_name":"log"}`),
		"no port":       answering(t, 200, `{"id":"2","address":"a","cluster_name":"log"}`),
		"nonsense":      answering(t, 200, `nonsense`),
		"too long":      answering(t, 200, `{"kinds":["`+strings.Repeat("x", most)+`"],"id":"2","address":"a","port":2,"cluster_name":"log"}`),
		"an error":      answering(t, 500, fine),
		"a redirection": answering(t, 302, fine),
		"nothing":       hosts(t, 1)[0],
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			s := &Source{Hosts: []string{host, answering(t, 200, fine)}, Name: "log"}
			if err := s.Watch(ctx, func(p discovery.Places) {
				if !reflect.DeepEqual(p, discovery.Places{1: {"a:1"}}) {
					t.Errorf("heard %v", p)
				}
				cancel()
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestItIsAnErrorThatNobodyAnswers(t *testing.T) {
	s := &Source{Hosts: append(hosts(t, 1), answering(t, 404, "")), Name: "log"}
	err := s.Watch(t.Context(), func(discovery.Places) { t.Error("something was found") })
	if err == nil || !strings.Contains(err.Error(), s.Hosts[0]) || !strings.Contains(err.Error(), s.Hosts[1]) {
		t.Errorf("the hosts are not named: %v", err)
	}
}
