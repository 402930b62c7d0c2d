// Package dns is a discovery that asks the DNS for service records (SRV), which something else writes: a headless service of
// Kubernetes, Consul, or a hand.
//
//	_quorumlog._tcp.example.org.  SRV  0 0 7101  quorumlog-1.example.org.
//	_quorumlog._tcp.example.org.  SRV  0 0 7101  quorumlog-2.example.org.
//
// A target's first label ends with the member's id. Where names count from 0, as those of a StatefulSet do, Offset is 1. The
// target is looked up when it is connected to. Members that only change their IP address, and not their host name, need no
// discovery: host names in the member list are looked up at each try.
package dns

import (
	"context"
	"fmt"
	"net"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/log"
)

// How often the DNS is asked, unless it is said, and how long it has to answer.
const (
	every   = 5 * time.Second
	atLeast = 100 * time.Millisecond
	answer  = 5 * time.Second
)

// Source is a name in the DNS.
type Source struct {
	discovery.Written
	Name   string        // whose SRV records name the members, such as _quorumlog._tcp.example.org
	Server string        // host:port of a server to ask; empty: those of the system
	Offset int           // what is added to the number in a target to get the member's id
	Every  time.Duration // how often it is asked; 0: every 5 s
}

var _ discovery.Source = (*Source)(nil)

// Watch implements discovery.Source. A server that fails, or knows no record, is an error.
func (s *Source) Watch(ctx context.Context, found func(discovery.Places)) error {
	resolver := s.resolver()
	var last discovery.Places
	again := time.NewTicker(s.pause())
	defer again.Stop()
	for {
		places, err := s.ask(ctx, resolver)
		if err != nil {
			return err
		}
		if last == nil || !reflect.DeepEqual(places, last) {
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

func (s *Source) pause() time.Duration {
	if s.Every == 0 {
		return every
	}
	return max(s.Every, atLeast)
}

func (s *Source) resolver() *net.Resolver {
	if s.Server == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Server)
	}}
}

func (s *Source) ask(ctx context.Context, resolver *net.Resolver) (discovery.Places, error) {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	_, records, err := resolver.LookupSRV(ctx, "", "", s.Name)
	if err != nil && len(records) == 0 {
		return nil, fmt.Errorf("ask for the SRV records of %s: %w", s.Name, err)
	}
	places, ids := make(discovery.Places), 0
	for _, r := range records {
		host := strings.TrimSuffix(r.Target, ".")
		if id, ok := s.member(host); ok {
			ids++
			places.Add(discovery.Place{Member: id, Address: net.JoinHostPort(host, strconv.Itoa(int(r.Port)))})
		}
	}
	if ids == 0 {
		return nil, fmt.Errorf("none of the %d targets of %s is a member: the first label of a target ends with a member's id, "+
			"as quorumlog-1.example.org does", len(records), s.Name)
	}
	return places, nil
}

// member reads the number at the end of the first label.
func (s *Source) member(host string) (log.ReplicaID, bool) {
	label, _, _ := strings.Cut(host, ".")
	digits := label[len(strings.TrimRight(label, "0123456789")):]
	n, err := strconv.ParseUint(digits, 10, 16)
	id := int64(n) + int64(s.Offset)
	if err != nil || id < 1 || id > 65535 {
		return 0, false
	}
	return log.ReplicaID(id), true
}
