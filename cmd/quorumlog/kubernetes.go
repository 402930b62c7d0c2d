package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/kubernetes"
)

// account is where Kubernetes puts what a pod needs to speak with its API server.
const account = "/var/run/secrets/kubernetes.io/serviceaccount"

// kubernetes is k8s://[HOST[:PORT]]/[NAME]. In a pod, where the API server is, and the rest, is found where Kubernetes puts it;
// elsewhere it is ?ca=FILE&token=FILE&namespace=NAMESPACE.
func (o opened) kubernetes() (discovery.Source, error) {
	if o.hosts == "" {
		host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
		if host == "" || port == "" {
			return nil, errors.New("this is no pod of Kubernetes: KUBERNETES_SERVICE_HOST is not set; name the API server: k8s://HOST/NAME")
		}
		o.hosts = net.JoinHostPort(host, port)
	}
	servers, name, err := o.service("443")
	if err != nil {
		return nil, err
	}
	if len(servers) > 1 || o.user != nil {
		return nil, errors.New("there is one API server, and who this is is in a file: ?token=FILE")
	}
	s := &kubernetes.Source{Server: servers[0], Name: name}
	s.CA = o.or("ca", filepath.Join(account, "ca.crt"))
	s.Token = o.or("token", filepath.Join(account, "token"))
	if s.Namespace = o.or("namespace", ""); s.Namespace == "" {
		text, err := os.ReadFile(filepath.Join(account, "namespace"))
		if err != nil {
			return nil, fmt.Errorf("read the namespace, which is ?namespace=NAMESPACE outside of a pod: %w", err)
		}
		s.Namespace = strings.TrimSpace(string(text))
	}
	own, err := os.Hostname()
	if s.Pod = o.or("pod", own); s.Pod == "" {
		return nil, fmt.Errorf("the name of this pod is not known, so name it, with ?pod=NAME: %w", err)
	}
	return s, nil
}

// or returns an option, or what holds without it.
func (o opened) or(name, otherwise string) string {
	if value, given := o.take(name); given {
		return value
	}
	return otherwise
}
