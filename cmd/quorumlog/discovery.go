package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/automanaged"
	"github.com/quorumlog/quorumlog/cluster/discovery/consul"
	"github.com/quorumlog/quorumlog/cluster/discovery/dns"
	"github.com/quorumlog/quorumlog/cluster/discovery/etcd"
	listing "github.com/quorumlog/quorumlog/cluster/discovery/file"
	"github.com/quorumlog/quorumlog/cluster/discovery/zookeeper"
)

// addDiscovery adds what says where members are that moved: the same for members and clients.
func (s *settings) addDiscovery(command *cobra.Command) {
	command.Flags().StringVar(&s.discovery, "discovery", "", "`URL` that says where members are that moved: "+strings.Join(discoveries(), ", "))
	own(command, "discovery", true)
}

// addAnnounce adds what a member tells the discovery.
func (s *settings) addAnnounce(command *cobra.Command) {
	command.Flags().StringVar(&s.announce, "announce", "", "`address` that --discovery is told; without it --listen where that names a host, else the one in --members")
	own(command, "announce", true)
}

// discoveries are the URLs that --discovery takes.
func discoveries() []string {
	return []string{"file:///PATH", "dns://[SERVER]/NAME", "etcd://HOST,.../NAME", "consul://HOST/NAME", "zk://HOST,.../NAME", "automanaged://HOST,.../NAME", "k8s://[HOST]/NAME"}
}

// opened is a URL of a discovery: url.URL takes one host only.
type opened struct {
	scheme, hosts, path string
	user                *url.Userinfo // nil: nobody in particular
	options             url.Values
}

// source opens what --discovery says; nil where it says nothing. Nothing is connected to yet.
func (s *settings) source() (discovery.Source, error) {
	if s.discovery == "" {
		return nil, nil
	}
	source, err := openDiscovery(s.discovery)
	if err != nil {
		return nil, usagef("--discovery: %w; it is one of %s", err, strings.Join(discoveries(), ", "))
	}
	return source, nil
}

func openDiscovery(text string) (discovery.Source, error) {
	o, err := parseDiscovery(text)
	if err != nil {
		return nil, err
	}
	source, err := o.open()
	if err != nil {
		return nil, err
	}
	for name := range o.options { // what was understood is taken out
		return nil, fmt.Errorf("%q is none of its options", name)
	}
	return source, nil
}

func parseDiscovery(text string) (opened, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return opened{}, errors.New("a URL has a scheme and two slashes; a file has an absolute path, after a third")
	}
	end := strings.IndexAny(rest+"/", "/?#")
	who, hosts, named := strings.Cut(rest[:end], "@")
	if !named {
		who, hosts = "", who
	}
	u, err := url.Parse(scheme + "://" + who + "@host" + rest[end:])
	if err != nil {
		return opened{}, errors.New("that is no URL") // and what is in it is nobody's matter: a password, perhaps
	}
	o := opened{scheme: u.Scheme, hosts: hosts, path: u.Path, options: u.Query()}
	if named {
		o.user = u.User
	}
	return o, nil
}

func (o opened) open() (discovery.Source, error) {
	switch o.scheme {
	case "file":
		if o.hosts != "" || !filepath.IsAbs(o.path) {
			return nil, errors.New("a file has an absolute path, after three slashes")
		}
		return listing.New(o.path), nil
	case "dns":
		return o.dns()
	case "etcd":
		return o.etcd()
	case "consul":
		return o.consul()
	case "zk":
		return o.zookeeper()
	case "automanaged":
		return o.automanaged()
	case "k8s":
		return o.kubernetes()
	}
	return nil, fmt.Errorf("nothing is known of %q", o.scheme)
}

// etcd is etcd://[USER:PASSWORD@]HOST[:PORT],.../[NAME].
func (o opened) etcd() (discovery.Source, error) {
	endpoints, name, err := o.service("2379")
	if err != nil {
		return nil, err
	}
	password, _ := o.user.Password()
	s := &etcd.Source{Endpoints: endpoints, Name: name, Username: o.user.Username(), Password: password}
	s.TLS, err = o.tls()
	return s, err
}

// consul is consul://HOST[:PORT]/[NAME]. A token is in the environment (CONSUL_HTTP_TOKEN), where other tools look for it too.
func (o opened) consul() (discovery.Source, error) {
	agents, name, err := o.service("8500")
	if err != nil {
		return nil, err
	}
	if len(agents) > 1 || o.user != nil {
		return nil, errors.New("there is one agent, the one of this machine, and a token is given as CONSUL_HTTP_TOKEN")
	}
	return consul.New(name, agents[0])
}

// zookeeper is zk://[USER:PASSWORD@]HOST[:PORT],.../[NAME].
func (o opened) zookeeper() (discovery.Source, error) {
	servers, name, err := o.service("2181")
	if err != nil {
		return nil, err
	}
	s := &zookeeper.Source{Servers: servers, Name: name}
	if password, given := o.user.Password(); given {
		s.Digest = o.user.Username() + ":" + password
	} else if o.user != nil {
		return nil, errors.New("a user of ZooKeeper has a password: zk://USER:PASSWORD@HOST/NAME")
	}
	return s, nil
}

// automanaged is automanaged://HOST[:PORT],.../[NAME], with ?listen=[HOST]:PORT.
func (o opened) automanaged() (discovery.Source, error) {
	hosts, name, err := o.service(automanaged.Port)
	if err != nil {
		return nil, err
	}
	if o.user != nil {
		return nil, errors.New("nobody is asked for a user")
	}
	listen, given := o.take("listen")
	if !given {
		listen = ":" + automanaged.Port
	}
	if _, _, err := net.SplitHostPort(listen); err != nil {
		return nil, fmt.Errorf("?listen=%s is no HOST:PORT, nor :PORT: %w", listen, err)
	}
	return &automanaged.Source{Hosts: hosts, Listen: listen, Name: name}, nil
}

// service returns whom a URL names, each with a port, and what is looked for there.
func (o opened) service(port string) (hosts []string, name string, err error) {
	if name = strings.Trim(o.path, "/"); name == "" {
		name = cluster.DefaultCluster
	}
	if strings.Contains(name, "/") {
		return nil, "", fmt.Errorf("the name %q has a slash in it", name)
	}
	for host := range strings.SplitSeq(o.hosts, ",") {
		if host == "" {
			return nil, "", errors.New("a host is missing")
		}
		hosts = append(hosts, withPort(host, port))
	}
	return hosts, name, nil
}

// tls is ?ca=FILE, with ?cert=FILE&key=FILE where this process shows a certificate; nil without it.
func (o opened) tls() (*tls.Config, error) {
	ca, encrypted := o.take("ca")
	certificate, shows := o.take("cert")
	key, keyed := o.take("key")
	if shows != keyed || shows && !encrypted {
		return nil, errors.New("a certificate comes with its key, and with the authority: ?ca=FILE&cert=FILE&key=FILE")
	}
	if !encrypted {
		return nil, nil
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", ca)
	}
	if shows {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("read the certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// dns is dns://[SERVER[:PORT]]/NAME, with ?offset=N and ?every=DURATION.
func (o opened) dns() (discovery.Source, error) {
	s := &dns.Source{Name: strings.Trim(o.path, "/")}
	if s.Name == "" {
		return nil, errors.New("the name of the SRV records is missing")
	}
	if o.hosts != "" {
		s.Server = withPort(o.hosts, "53")
	}
	var err error
	if text, found := o.take("offset"); found {
		if s.Offset, err = strconv.Atoi(text); err != nil {
			return nil, fmt.Errorf("the offset %q is no number", text)
		}
	}
	if text, found := o.take("every"); found {
		if s.Every, err = time.ParseDuration(text); err != nil || s.Every <= 0 {
			return nil, fmt.Errorf("every %q is no duration above 0, such as 5s", text)
		}
	}
	return s, nil
}

// take returns an option, and remembers that it was understood.
func (o opened) take(name string) (string, bool) {
	values := o.options[name]
	delete(o.options, name)
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// withPort adds the usual port to a host that has none.
func withPort(host, port string) string {
	if (&url.URL{Host: host}).Port() != "" {
		return host
	}
	return host + ":" + port
}
