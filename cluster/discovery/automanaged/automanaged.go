// Package automanaged is a discovery without a server: each member says where it is, over HTTP, and everybody asks all of the hosts
// that there may be.
//
//	GET /_health  {"id":"3","address":"10.0.0.7","auto_manage_port":6330,"port":7101,"kinds":[],"cluster_name":"NAME"}
//
// That is what protoactor's cluster provider of that name speaks. The provider itself cannot be started without a cluster of
// protoactor. It finds members that move among hosts that are known; those that may be anywhere need one of the other discoveries.
package automanaged

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"golang.org/x/net/netutil"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

// Port is where members say where they are, unless something else is agreed on.
const Port = "6330"

const path = "/_health"

// How often the hosts are asked, and how long one may take to ask or answer.
const (
	every   = 2 * time.Second
	patient = 2 * time.Second
)

// maxAsking is how many are answered at the same time; who comes then waits for one that ends.
const maxAsking = 256

// Source is a list of hosts.
type Source struct {
	Hosts  []string // host:port of each host that may be asked
	Listen string   // host:port on which a member says where it is; without a host on all addresses
	Name   string   // of the log: those of others are left out
}

var _ discovery.Source = (*Source)(nil)

// node is what a member says.
type node struct {
	ID      string   `json:"id"`
	Address string   `json:"address"` // the host alone
	Asked   int      `json:"auto_manage_port"`
	Port    int      `json:"port"`
	Kinds   []string `json:"kinds"`
	Cluster string   `json:"cluster_name"`
}

// Announce implements discovery.Source: it answers those who ask.
func (s *Source) Announce(ctx context.Context, own discovery.Place) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("say where this member is: %w", err)
	}
	text, err := s.says(own, l.Addr())
	if err != nil {
		return errors.Join(err, l.Close())
	}
	all := http.NewServeMux()
	all.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text) // whoever asked may be gone
	})
	server := &http.Server{Handler: all, ReadTimeout: patient, WriteTimeout: patient, MaxHeaderBytes: 4096}
	server.SetKeepAlivesEnabled(false)                            // everybody comes every 2 s, and would never leave
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody needs to hear the end of an answer
	defer stop()
	return fmt.Errorf("say where this member is: %w", server.Serve(netutil.LimitListener(l, maxAsking)))
}

func (s *Source) says(own discovery.Place, at net.Addr) ([]byte, error) {
	host, text, err := net.SplitHostPort(own.Address)
	if err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	n := node{ID: strconv.Itoa(int(own.Member)), Address: host, Port: port, Kinds: []string{}, Cluster: s.Name}
	if tcp, ok := at.(*net.TCPAddr); ok {
		n.Asked = tcp.Port
	}
	out, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	return out, nil
}

// Watch implements discovery.Source. It is an error that nobody answers.
func (s *Source) Watch(ctx context.Context, found func(discovery.Places)) error {
	a := newAsker(s.Name)
	defer a.client.CloseIdleConnections()
	again := time.NewTicker(every)
	defer again.Stop()
	for last := (discovery.Places)(nil); ; {
		places, err := a.all(ctx, s.Hosts)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(places, last) {
			found(places)
			last = places
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil
		}
	}
}
