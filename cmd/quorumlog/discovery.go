package main

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/dns"
	listing "github.com/quorumlog/quorumlog/cluster/discovery/file"
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
func discoveries() []string { return []string{"file:///PATH", "dns://[SERVER]/NAME"} }

// opened is what a URL says, beside its scheme.
type opened struct {
	*url.URL
	options url.Values
	cluster string
}

// source opens what --discovery says; nil where it says nothing. Nothing is connected to yet.
func (s *settings) source() (discovery.Source, error) {
	if s.discovery == "" {
		return nil, nil
	}
	source, err := openDiscovery(s.discovery, s.cluster)
	if err != nil {
		return nil, usagef("--discovery %s: %w; it is one of %s", s.discovery, err, strings.Join(discoveries(), ", "))
	}
	return source, nil
}

func openDiscovery(text, cluster string) (discovery.Source, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("that is no URL")
	}
	o := opened{u, u.Query(), cluster}
	source, err := o.open()
	if err != nil {
		return nil, err
	}
	for name := range o.options { // what was understood is taken out
		return nil, fmt.Errorf("%q is none of its options", name)
	}
	return source, nil
}

func (o opened) open() (discovery.Source, error) {
	switch o.Scheme {
	case "file":
		if o.Host != "" || !filepath.IsAbs(o.Path) {
			return nil, errors.New("a file has an absolute path, after three slashes")
		}
		return listing.New(o.Path), nil
	case "dns":
		return o.dns()
	}
	return nil, fmt.Errorf("nothing is known of %q", o.Scheme)
}

// dns is dns://[SERVER[:PORT]]/NAME, with ?offset=N and ?every=DURATION.
func (o opened) dns() (discovery.Source, error) {
	s := &dns.Source{Name: strings.Trim(o.Path, "/")}
	if s.Name == "" {
		return nil, errors.New("the name of the SRV records is missing")
	}
	if o.Host != "" {
		s.Server = withPort(o.Host, "53")
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
