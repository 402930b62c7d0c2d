package cluster

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster/certificate"
	"github.com/quorumlog/quorumlog/log"
)

// Security says how a process and its peers know each other: by certificates, or, where all of them are on this machine, not at
// all. One Security serves both directions: what the process shows when it is connected to, and when it connects.
//
// The three files are PEM, and given together or not at all. They may be replaced while the process runs: what they say counts a
// second later, connections are made anew without a message lost, and where they are wrong the ones before still count and the log
// says why. Package certificate, and quorumlog cert, make them.
type Security struct {
	// CA is a file with the authorities whose certificates are believed. With two, the old one and the new one, an authority
	// is replaced without a pause; what one that is taken out has signed is refused from then on.
	CA string
	// Certificate is a file with this process's certificate, and those between it and the authority where there are some. A
	// member's names the cluster and its id.
	Certificate string
	// Key is a file with the certificate's private key.
	Key string
	// Insecure allows plain text beyond the loopback: whoever reaches a port may then read the log and rewrite it.
	Insecure bool
}

// ErrDenied: the certificates do not let this process in, or forbid what it asked. Nothing was done.
var ErrDenied = errors.New("denied")

func (s Security) isPlain() bool { return s.CA == "" && s.Certificate == "" && s.Key == "" }

// Validate says what is wrong with the security of a process that talks with these addresses, or listens on them. It reads no
// file.
func (s Security) Validate(addresses ...string) error {
	if !s.isPlain() && (s.CA == "" || s.Certificate == "" || s.Key == "") {
		return errors.New("TLS takes three files: the authority's certificate (--tls-ca), one's own (--tls-cert) and its key (--tls-key)")
	}
	if !s.isPlain() && s.Insecure {
		return errors.New("certificates are given, and plain text is allowed (--insecure): choose one")
	}
	if !s.isPlain() || s.Insecure {
		return nil
	}
	if i := slices.IndexFunc(addresses, func(a string) bool { return !isLoopback(a) }); i >= 0 {
		return fmt.Errorf("%s is not on the loopback, and no certificates are given: make some (quorumlog cert --help) and give them "+
			"(--tls-ca, --tls-cert, --tls-key), or allow plain text on a network that you trust (--insecure)", addresses[i])
	}
	return nil
}

// isLoopback says whether an address is certainly reached from this machine only. A host name but localhost is not.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// open reads the certificates, and checks that they are of a process that may do this.
func (s Security) open(members []Member, logger zerolog.Logger, may func(certificate.Identity) error) (access, error) {
	a := access{members: newRoster(members)}
	if s.isPlain() {
		return a, nil
	}
	files := certificate.Files{CA: s.CA, Paths: certificate.Paths{Certificate: s.Certificate, Key: s.Key}}
	var err error
	a.ring, err = certificate.Open(files, func(c *certificate.Credentials, err error) {
		if err != nil {
			logger.Error().Err(err).Msg("the new certificates are wrong: the ones before still count")
			return
		}
		logger.Info().Stringer("own", c.Own).Time("until", c.Until).Msg("the new certificates count from now on")
	})
	if err != nil {
		return access{}, fmt.Errorf("%w: certificates: %w", ErrDenied, err)
	}
	own := a.ring.Current()
	if err := may(own.Own); err != nil {
		return access{}, fmt.Errorf("%w: %s: %w", ErrDenied, s.Certificate, err)
	}
	logger.Info().Stringer("own", own.Own).Time("until", own.Until).Msg("connections are encrypted, and both ends show certificates")
	return a, nil
}

// openFor opens the certificates of a member.
func (c Config) openFor(self Member) (access, error) {
	want := certificate.Identity{Cluster: certificate.Domain(c.cluster()), Role: certificate.Member, Member: self.ID}
	a, err := c.Security.open(c.Members, c.Logger, func(own certificate.Identity) error {
		if own != want {
			return fmt.Errorf("it is the certificate of %s, and this process is %s: give its own (quorumlog cert member)", own, want)
		}
		return nil
	})
	a.serves = true
	return a, err
}

// openAsClient opens the certificates of a client.
func (s Security) openAsClient(members []Member, logger zerolog.Logger) (access, error) {
	return s.open(members, logger, func(own certificate.Identity) error {
		if own.Role == certificate.Member {
			return fmt.Errorf("it is the certificate of %s, and this process is a client: give a client's (quorumlog cert client)", own)
		}
		return nil
	})
}

// access is who may come to this process, and whom it meets at which address.
type access struct {
	ring    *certificate.Keyring // nil: nobody shows anything
	members *roster
	serves  bool         // this process is a member: clients come to it
	ways    *whereabouts // nil: members are where their addresses say
}

// reads says whether this process may only read.
func (a access) reads() (certificate.Identity, bool) {
	if a.ring == nil {
		return certificate.Identity{}, false
	}
	own := a.ring.Current().Own
	return own, own.Role == certificate.Reader
}

// at checks who was met at an address that this process connected to: the member that should be there, or, where none should,
// a client that asked, or a member that is not known yet, or not any more.
func (a access) at(address string, who certificate.Identity) error {
	here := a.members.members(address)
	switch {
	case len(here) > 0 && !isOf(here, who):
		return fmt.Errorf("at %s, where member %d should be, is %s: look at the member list, and at the certificates", address, here[len(here)-1], who)
	case len(here) == 0 && (!a.serves || a.isKnown(who)):
		return fmt.Errorf("at %s, where no member should be, is %s", address, who)
	}
	return nil
}

// isKnown says whether it is a member with an address.
func (a access) isKnown(who certificate.Identity) bool {
	return who.Role == certificate.Member && a.members.knows(who.Member)
}

// admit checks who connected to this process. A member that is in no list is let in: the protocol tells it so.
func (a access) admit(who certificate.Identity) error {
	if who.Role != certificate.Member && !a.serves {
		return fmt.Errorf("%s came to a client: only members do", who)
	}
	return nil
}

// from checks that answers to somebody go to where that one is, or at least to where nobody else is. A client may call its actors as
// it likes, but not as those of a member are called: there may be one at that address which is in no list yet.
func (a access) from(who certificate.Identity, address, name string) string {
	here := a.members.members(address)
	switch {
	case a.isKnown(who):
		return unless(isOf(here, who), "its sender is elsewhere than the member that sends it")
	case who.Role == certificate.Member:
		return unless(len(here) == 0, "its sender is another member than the one that sends it")
	}
	return unless(len(here) == 0 && !isOurs(name), "its sender is no client, and a client sends it")
}

// isOf says whether somebody is one of these members.
func isOf(members []log.ReplicaID, who certificate.Identity) bool {
	return who.Role == certificate.Member && slices.Contains(members, who.Member)
}
