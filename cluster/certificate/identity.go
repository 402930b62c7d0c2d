package certificate

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/quorumlog/quorumlog/log"
)

// Role is what the holder of a certificate may do.
type Role string

const (
	// Member is one replica: it votes, answers clients, and may ask as a client does.
	Member Role = "member"
	// Client may ask for everything that the log offers.
	Client Role = "client"
	// Reader may read, and ask how members are, and change nothing.
	Reader Role = "reader"
)

// Identity is who holds a certificate.
type Identity struct {
	Cluster string // the cluster's name, up to the @ where it has one: see Domain
	Role    Role
	Member  log.ReplicaID // of a member; 0 otherwise
	Name    string        // of a client or a reader; empty for a member
}

// maxName is how many bytes the name of a cluster or a client has at most, in a certificate.
const maxName = 128

// named is what the names of clusters and clients look like, where they are in certificates: those of hosts, about.
var named = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// Domain is the name of a cluster as its certificates have it: what is before the @ that a restored log has in its name. So a log
// that comes from a backup takes the certificates of the one before it; that no member of the one talks with the other, the
// protocol sees to.
func Domain(cluster string) string {
	name, _, _ := strings.Cut(cluster, "@")
	return name
}

// String says who it is, for people.
func (i Identity) String() string {
	if i.Role == Member {
		return fmt.Sprintf("member %d of cluster %s", i.Member, i.Cluster)
	}
	return fmt.Sprintf("%s %s of cluster %s", i.Role, i.Name, i.Cluster)
}

// URI is how a certificate says it.
func (i Identity) URI() *url.URL {
	name := i.Name
	if i.Role == Member {
		name = strconv.Itoa(int(i.Member))
	}
	return &url.URL{Scheme: scheme, Host: i.Cluster, Path: "/" + string(i.Role) + "/" + name}
}

const scheme = "quorumlog"

// Validate says what is wrong with an identity, and which names there may be.
func (i Identity) Validate() error {
	if err := validateName("cluster", i.Cluster); err != nil {
		return err
	}
	switch i.Role {
	case Member:
		if i.Member == 0 || i.Name != "" {
			return errors.New("a member's certificate names its id, from 1 to 65535, and nothing else")
		}
		return nil
	case Client, Reader:
		if i.Member != 0 {
			return fmt.Errorf("a %s's certificate names no member", i.Role)
		}
		return validateName(string(i.Role), i.Name)
	}
	return fmt.Errorf("%q is no role: it is one of %s, %s, %s", i.Role, Member, Client, Reader)
}

func validateName(of, name string) error {
	if len(name) > maxName || !named.MatchString(name) {
		return fmt.Errorf("the %s's name %q cannot be in a certificate: it has letters, digits, '-', '_', and dots between them, at most %d",
			of, name, maxName)
	}
	return nil
}

// Of returns whom a certificate names. It does not say whether that is true: see Credentials.Verify.
func Of(c *x509.Certificate) (Identity, error) {
	var found []*url.URL
	for _, uri := range c.URIs {
		if uri.Scheme == scheme {
			found = append(found, uri)
		}
	}
	if len(found) != 1 {
		return Identity{}, fmt.Errorf("the certificate of %q names %d members or clients of a log, not one: make it with quorumlog cert",
			c.Subject.CommonName, len(found))
	}
	return parse(found[0])
}

func parse(uri *url.URL) (Identity, error) {
	role, name, _ := strings.Cut(strings.TrimPrefix(uri.Path, "/"), "/")
	i := Identity{Cluster: uri.Host, Role: Role(role), Name: name}
	if i.Role == Member {
		id, err := strconv.ParseUint(name, 10, 16)
		if err != nil {
			return Identity{}, fmt.Errorf("%s names no member: %q is not an id from 1 to 65535", uri, name)
		}
		i.Member, i.Name = log.ReplicaID(id), ""
	}
	if err := i.Validate(); err != nil {
		return Identity{}, fmt.Errorf("%s: %w", uri, err)
	}
	if *i.URI() != *uri { // 01, a question mark, a user: whatever else it says, we would not write it so
		return Identity{}, fmt.Errorf("%s is not written as %s", uri, i.URI())
	}
	return i, nil
}
