package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Files are where a process has its certificates.
type Files struct {
	CA string // the authorities that it trusts, one or more
	Paths
}

// Keyring holds what a process shows to others, and whom it believes. It follows its files: what they say counts from the
// next use on, a second later at most. It is safe for many goroutines.
type Keyring struct {
	files   Files
	told    func(*Credentials, error)
	current atomic.Pointer[Credentials]
	next    atomic.Int64 // when the files are looked at again, in nanoseconds since 1970
	mu      sync.Mutex   // held while they are looked at
	seen    [3]version   // what was read last, right or wrong
}

// look is how long what is in use may be older than the files.
const look = time.Second

// version tells a file from what it was before.
type version struct {
	modified time.Time
	size     int64
	fault    bool // it cannot be looked at
}

// Open reads the files. Told hears what becomes of every later change: the new credentials, or why the ones before still
// count, once for each change.
func Open(files Files, told func(*Credentials, error)) (*Keyring, error) {
	k := &Keyring{files: files, told: told, seen: files.versions()}
	c, err := files.load(time.Now())
	if err != nil {
		return nil, err
	}
	k.next.Store(time.Now().Add(look).UnixNano())
	k.current.Store(c)
	return k, nil
}

// Current returns what counts now. Two calls that return the same pointer return the same credentials.
func (k *Keyring) Current() *Credentials {
	now := time.Now()
	if now.UnixNano() < k.next.Load() || !k.mu.TryLock() {
		return k.current.Load()
	}
	defer k.mu.Unlock()
	k.next.Store(now.Add(look).UnixNano())
	versions := k.files.versions()
	if versions == k.seen {
		return k.current.Load()
	}
	k.seen = versions
	c, err := k.files.load(now)
	before := k.current.Load()
	switch {
	case err == nil && c.Own != before.Own:
		err = fmt.Errorf("%s is %s's now, and this process is %s", k.files.Certificate, c.Own, before.Own)
		fallthrough
	case err != nil:
		k.told(nil, err)
		return before
	}
	k.current.Store(c)
	k.told(c, nil)
	return c
}

func (f Files) versions() (all [3]version) {
	for i, path := range []string{f.CA, f.Certificate, f.Key} {
		info, err := os.Stat(path)
		if err != nil {
			all[i].fault = true
			continue
		}
		all[i] = version{modified: info.ModTime(), size: info.Size()}
	}
	return all
}

// load reads the files, and finds out whether others could believe them.
func (f Files) load(now time.Time) (*Credentials, error) {
	pair, err := f.Read()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, fmt.Errorf("read the authorities: %w", err)
	}
	authorities, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.CA, err)
	}
	c := &Credentials{roots: x509.NewCertPool(), source: f.CA}
	for _, a := range authorities {
		c.roots.AddCert(a)
	}
	if c.shown, err = tls.X509KeyPair(pair.Certificate, pair.Key); err != nil {
		return nil, fmt.Errorf("%s and %s: %w", f.Certificate, f.Key, err)
	}
	chain, err := Parse(pair.Certificate)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Certificate, err)
	}
	if c.Own, err = c.Verify(chain, now); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Certificate, err)
	}
	c.Until = chain[0].NotAfter
	return c, nil
}

// Credentials are what a process shows to others, and whom it believes.
type Credentials struct {
	Own    Identity
	Until  time.Time // when its own certificate expires
	shown  tls.Certificate
	roots  *x509.CertPool
	source string // of roots
}

// Verify returns who shows a chain of certificates, its own first. An error says in whose eyes it is not valid, and why.
func (c *Credentials) Verify(chain []*x509.Certificate, now time.Time) (Identity, error) {
	if len(chain) == 0 {
		return Identity{}, errors.New("no certificate was shown")
	}
	who, err := Of(chain[0])
	if err != nil {
		return Identity{}, err
	}
	between := x509.NewCertPool()
	for _, more := range chain[1:] {
		between.AddCert(more)
	}
	_, err = chain[0].Verify(x509.VerifyOptions{ // the usage: everybody dials
		Roots: c.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return Identity{}, c.explain(who, chain[0], now, err)
	}
	return who, nil
}

// explain says what to do about a certificate that is not valid.
func (c *Credentials) explain(who Identity, shown *x509.Certificate, now time.Time, err error) error {
	switch {
	case now.After(shown.NotAfter):
		return fmt.Errorf("the certificate of %s expired at %s: make a new one with quorumlog cert, and put it in the place of the old one",
			who, stamp(shown.NotAfter))
	case now.Before(shown.NotBefore):
		return fmt.Errorf("the certificate of %s is valid from %s only: look at the clocks", who, stamp(shown.NotBefore))
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return fmt.Errorf("the certificate of %s is signed by %q, which is no authority in %s", who, shown.Issuer.CommonName, c.source)
	}
	return fmt.Errorf("the certificate of %s is not valid: %w", who, err)
}

// Config is the configuration of one end of one connection: TLS 1.3, and both ends show who they are. Accept is asked about the
// other one, once its certificate has been found valid.
func (c *Credentials) Config(accept func(Identity) error) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{c.shown},
		// Who it is, and not at which host name it was found, is what counts: VerifyConnection looks at that, on both ends.
		InsecureSkipVerify: true, ClientAuth: tls.RequireAnyClientCert,
		SessionTicketsDisabled: true, // a resumed session would outlive the certificate that it began with
		VerifyConnection: func(s tls.ConnectionState) error {
			who, err := c.Verify(s.PeerCertificates, time.Now())
			if err != nil {
				return err
			}
			if who.Cluster != c.Own.Cluster {
				return fmt.Errorf("%s belongs to another cluster than %s", who, c.Own)
			}
			return accept(who)
		},
	}
}
