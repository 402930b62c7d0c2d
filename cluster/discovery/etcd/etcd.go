// Package etcd is a discovery in etcd.
//
//	/protoactor/NAME/3  {"id":"3","host":"10.0.0.7","port":7101,...}    with a lease of the member's process
//
// That is what protoactor's cluster provider for etcd writes. The provider itself cannot be started without a cluster of protoactor.
package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

// How long a place stays after its member's process was killed, how long a request may take, and how long it may take to take a
// place back.
const (
	lease   = 10 * time.Second
	request = 5 * time.Second
	goodbye = 2 * time.Second
)

// Source is a directory of keys in etcd.
type Source struct {
	Endpoints []string    // host:port
	Name      string      // of the log; /protoactor/NAME/ begins its keys
	Username  string      // empty: nobody signs in
	Password  string      // of Username
	TLS       *tls.Config // nil: plain text
}

var _ discovery.Source = (*Source)(nil)

func (s *Source) prefix() string { return "/protoactor/" + s.Name + "/" }

func (s *Source) open() (*clientv3.Client, error) {
	client, err := clientv3.New(clientv3.Config{
		Endpoints: s.Endpoints, Username: s.Username, Password: s.Password, TLS: s.TLS, DialTimeout: request,
		DialKeepAliveTime: request, DialKeepAliveTimeout: request, Logger: zap.NewNop(), // what goes wrong is returned
	})
	if err != nil {
		return nil, fmt.Errorf("reach etcd at %v: %w", s.Endpoints, err)
	}
	return client, nil
}

// Announce implements discovery.Source.
func (s *Source) Announce(ctx context.Context, own discovery.Place) error {
	text, err := discovery.Marshal(own)
	if err != nil {
		return err
	}
	client, err := s.open()
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // nothing is on its way
	soon, cancel := context.WithTimeout(ctx, request)
	defer cancel()
	held, err := client.Grant(soon, int64(lease/time.Second))
	if err != nil {
		return fmt.Errorf("ask etcd at %v for a lease: %w", s.Endpoints, err)
	}
	defer revoke(client, held.ID)
	key := s.prefix() + strconv.Itoa(int(own.Member))
	if _, err := client.Put(soon, key, string(text), clientv3.WithLease(held.ID)); err != nil {
		return fmt.Errorf("write %s into etcd: %w", key, err)
	}
	beats, err := client.KeepAlive(ctx, held.ID)
	if err != nil {
		return fmt.Errorf("keep the lease of %s: %w", key, err)
	}
	for range beats { // it ends with the context, or the lease
		continue
	}
	return fmt.Errorf("the lease of %s in etcd has ended", key)
}

// revoke takes back what was written under a lease, unless another process has written it since.
func revoke(client *clientv3.Client, id clientv3.LeaseID) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_, _ = client.Revoke(ctx, id) // else it ends by itself
}

// Watch implements discovery.Source.
func (s *Source) Watch(ctx context.Context, found func(discovery.Places)) error {
	client, err := s.open()
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // nothing is on its way
	for {
		revision, err := s.list(ctx, client, found)
		if err != nil {
			return err
		}
		if err := s.await(ctx, client, revision+1); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

func (s *Source) list(ctx context.Context, client *clientv3.Client, found func(discovery.Places)) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, request)
	defer cancel()
	all, err := client.Get(ctx, s.prefix(), clientv3.WithPrefix(), clientv3.WithLimit(discovery.MaxMembers))
	if err != nil {
		return 0, fmt.Errorf("read %s from etcd at %v: %w", s.prefix(), s.Endpoints, err)
	}
	places := make(discovery.Places)
	for _, kv := range all.Kvs {
		if at, err := discovery.Unmarshal(kv.Value); err == nil { // what others keep there is none of ours
			places.Add(at)
		}
	}
	found(places)
	return all.Header.GetRevision(), nil
}

// await waits for a change since a revision.
func (s *Source) await(ctx context.Context, client *clientv3.Client, since int64) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	for change := range client.Watch(ctx, s.prefix(), clientv3.WithPrefix(), clientv3.WithRev(since)) {
		if err := change.Err(); err != nil {
			return fmt.Errorf("watch %s in etcd: %w", s.prefix(), err)
		}
		if len(change.Events) > 0 {
			return nil
		}
	}
	return errors.New("etcd tells no more")
}
