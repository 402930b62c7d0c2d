// Package kubernetes is a discovery among the pods of a Kubernetes cluster, by labels that members put on their own pods.
//
//	cluster.proto.actor/cluster=NAME  cluster.proto.actor/member-id=3  cluster.proto.actor/port=7101     and the IP that the pod has
//
// That is what protoactor's cluster provider for Kubernetes writes. The provider itself cannot be started without a cluster of
// protoactor. Other than there, a pod need not be ready: a member that recovers has to be found so that it gets ready.
//
// The pods of a StatefulSet need none of this: each has a host name that lasts (log-0.log), which the member list may name and
// which is looked up at each try to connect. This is for pods whose names do not last, and where the DNS is late.
//
//	kubernetes.go   what is written there, and read
//	api.go          how the API server is asked
package kubernetes

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

const (
	labelCluster = "cluster.proto.actor/cluster"
	labelMember  = "cluster.proto.actor/member-id"
	labelPort    = "cluster.proto.actor/port"
)

// How often a member makes sure of its labels, and how long it may take to take them away; and how often the pods are listed at most,
// should the server, or a proxy, not wait for a change.
const (
	again   = 30 * time.Second
	least   = time.Second
	goodbye = 2 * time.Second
)

// Source is the pods of a namespace that have the label of a log.
type Source struct {
	Server    string // host:port of the API server
	CA        string // file with the authority that vouches for it
	Token     string // file with the token that is shown to it; it is read anew for each request, as it is replaced now and then
	Namespace string // in which the pods are
	Name      string // of the log, as far as it is a label: at most 63 letters, digits and - _ .
	Pod       string // in which this process is; needed to announce only
}

var _ discovery.Source = (*Source)(nil)

// pod is as much of a pod as counts here.
type pod struct {
	Metadata struct {
		Created time.Time         `json:"creationTimestamp"`
		Labels  map[string]string `json:"labels"`
	} `json:"metadata"`
	Status struct {
		Phase string `json:"phase"`
		IP    string `json:"podIP"`
	} `json:"status"`
}

// pods is a list of them, and its version.
type pods struct {
	Metadata struct {
		Version string `json:"resourceVersion"`
	} `json:"metadata"`
	Items []pod `json:"items"`
}

// Announce implements discovery.Source. Of the address, only the port is told: the host is the IP that Kubernetes gave to the pod.
func (s *Source) Announce(ctx context.Context, own discovery.Place) error {
	_, port, err := net.SplitHostPort(own.Address)
	if err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.close()
	defer func() {
		soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		_ = a.label(soon, s.Pod, map[string]*string{labelCluster: nil, labelMember: nil, labelPort: nil}) // else they go with the pod
	}()
	id := strconv.Itoa(int(own.Member))
	sure := time.NewTicker(again)
	defer sure.Stop()
	for {
		if err := a.label(ctx, s.Pod, map[string]*string{labelCluster: &s.Name, labelMember: &id, labelPort: &port}); err != nil {
			return err
		}
		select {
		case <-sure.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Watch implements discovery.Source.
func (s *Source) Watch(ctx context.Context, found func(discovery.Places)) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.close()
	selector := labelCluster + "=" + s.Name
	turn := time.NewTicker(least)
	defer turn.Stop()
	for {
		all, err := a.list(ctx, selector)
		if err != nil {
			return err
		}
		found(places(all.Items))
		if err := a.await(ctx, selector, all.Metadata.Version); err != nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-turn.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// places are where the members' pods are, the newest first: that of a machine that is gone stays for a while.
func places(all []pod) discovery.Places {
	slices.SortStableFunc(all, func(a, b pod) int { return b.Metadata.Created.Compare(a.Metadata.Created) })
	found := make(discovery.Places)
	for _, p := range all {
		port, err := strconv.Atoi(p.Metadata.Labels[labelPort])
		if err != nil || p.Status.IP == "" || p.Status.Phase == "Succeeded" || p.Status.Phase == "Failed" {
			continue // it is no member's, has no place yet, or has one no more
		}
		if at, err := discovery.Found(p.Metadata.Labels[labelMember], p.Status.IP, port); err == nil { // others have other ids
			found.Add(at)
		}
	}
	return found
}
