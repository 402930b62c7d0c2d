// Package consul is a discovery in Consul: a service of the log's name, with an instance for each member.
//
//	NAME  NAME-3  10.0.0.7:7101  meta id=3    with a check that passes as long as the member's process says so
//
// That is what protoactor's cluster provider for Consul writes, but for the instance's id: a member's lasts. The provider itself
// cannot be started without a cluster of protoactor. Where Consul serves the DNS, it needs no discovery of its own in clients.
package consul

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

// How long a place counts after its member's process was killed, how often that says that it is there, and how long Consul may wait
// for a change, and may take to answer otherwise. It is asked once a second at most, should it not wait: a proxy may answer itself.
const (
	lasts   = 10 * time.Second
	beat    = 3 * time.Second
	forget  = time.Minute // Consul's least
	wait    = 30 * time.Second
	request = 5 * time.Second
	least   = time.Second
	goodbye = 2 * time.Second
)

// Source is a service of Consul.
type Source struct {
	client *api.Client
	name   string
}

var _ discovery.Source = (*Source)(nil)

// New returns the source of a service, at the agent of a host:port. A token, and TLS, are in the environment, where Consul's own
// tools look for them (CONSUL_HTTP_TOKEN, CONSUL_HTTP_SSL, CONSUL_CACERT and so on).
func New(name, agent string) (*Source, error) {
	c := api.DefaultConfig()
	c.Address = agent
	client, err := api.NewClient(c)
	if err != nil {
		return nil, fmt.Errorf("consul: %w", err)
	}
	return &Source{client, name}, nil
}

// Announce implements discovery.Source.
func (s *Source) Announce(ctx context.Context, own discovery.Place) error {
	service, err := s.service(own)
	if err != nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, request)
	defer cancel()
	if err := s.client.Agent().ServiceRegisterOpts(service, api.ServiceRegisterOpts{}.WithContext(soon)); err != nil {
		return fmt.Errorf("tell Consul where this member is: %w", err)
	}
	defer s.leave(service.ID)
	again := time.NewTicker(beat)
	defer again.Stop()
	for {
		if err := s.beat(ctx, service.ID); err != nil {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Source) service(own discovery.Place) (*api.AgentServiceRegistration, error) {
	host, text, err := net.SplitHostPort(own.Address)
	if err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	id := strconv.Itoa(int(own.Member))
	return &api.AgentServiceRegistration{
		ID: s.name + "-" + id, Name: s.name, Address: host, Port: port, Meta: map[string]string{"id": id},
		Check: &api.AgentServiceCheck{TTL: lasts.String(), DeregisterCriticalServiceAfter: forget.String()},
	}, nil
}

func (s *Source) beat(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, request)
	defer cancel()
	options := (&api.QueryOptions{}).WithContext(ctx)
	if err := s.client.Agent().UpdateTTLOpts("service:"+id, "", api.HealthPassing, options); err != nil {
		return fmt.Errorf("tell Consul that this member is there: %w", err)
	}
	return nil
}

func (s *Source) leave(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_ = s.client.Agent().ServiceDeregisterOpts(id, (&api.QueryOptions{}).WithContext(ctx)) // else it fails its check
}

// Watch implements discovery.Source.
func (s *Source) Watch(ctx context.Context, found func(discovery.Places)) error {
	again := time.NewTicker(least)
	defer again.Stop()
	for index := uint64(0); ctx.Err() == nil; {
		options := (&api.QueryOptions{WaitIndex: index, WaitTime: wait}).WithContext(ctx)
		all, said, err := s.client.Health().Service(s.name, "", true, options)
		switch {
		case err != nil:
			return fmt.Errorf("ask Consul for %s: %w", s.name, err)
		case said.LastIndex == 0:
			return errors.New("what answers is no Consul: it has no index")
		case said.LastIndex < index: // its data are others
			index = 0
		default:
			index = said.LastIndex
			found(places(all))
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// places are where the instances are that are members.
func places(all []*api.ServiceEntry) discovery.Places {
	found := make(discovery.Places)
	for _, entry := range all {
		at, err := discovery.Found(entry.Service.Meta["id"], entry.Service.Address, entry.Service.Port)
		if err == nil { // other instances are none of ours
			found.Add(at)
		}
	}
	return found
}
