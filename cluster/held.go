package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/cluster/certificate"
)

// held is a connection that lasts as long as its certificates do: it ends when the other one's expires, and when this process
// no longer believes it. In plain text it lasts.
type held struct {
	net.Conn
	ring     *certificate.Keyring // nil: plain text
	answered func(fault error)    // is told what the first read brings; nil: nobody asks
	left     func()               // is called once, when it is closed

	who    certificate.Identity
	began  time.Time
	peer   tls.ConnectionState
	once   sync.Once // left
	heard  bool      // something was read; only the reader uses it
	mu     sync.Mutex
	shows  *certificate.Credentials // what this process showed
	trusts *certificate.Credentials // under which the other one was believed last
}

// protocol is what gRPC speaks on top of TLS.
const protocol = "h2"

// begin returns the configuration of the handshake.
func (c *held) begin(accept func(certificate.Identity) error) *tls.Config {
	now := c.ring.Current()
	c.began, c.shows, c.trusts = time.Now(), now, now
	config := now.Config(func(who certificate.Identity) error {
		c.who = who
		return accept(who)
	})
	config.NextProtos = []string{protocol}
	return config
}

// shown takes in what the handshake has brought: both ends have shown a certificate.
func (c *held) shown(secured net.Conn, state tls.ConnectionState) { c.Conn, c.peer = secured, state }

// Read implements net.Conn.
func (c *held) Read(b []byte) (int, error) {
	if err := c.lasts(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if c.answered != nil && !c.heard && (n > 0 || err != nil) {
		c.heard = true
		c.answered(c.first(b[:n], err))
	}
	return n, err
}

// What TLS says before it hangs up. HTTP/2 begins with a length, which is another first byte.
const (
	alert           = 0x15
	major           = 0x03
	fatal           = 0x02
	protocolVersion = 70
)

// first says what is wrong, as the first bytes of the other one tell, or the end that came instead.
func (c *held) first(b []byte, err error) error {
	switch {
	case isAlert(err):
		return fmt.Errorf("it does not believe this process's certificate, and its log says why: %w", err)
	case c.ring == nil && len(b) > 1 && b[0] == alert && b[1] == major:
		return errors.New("it speaks TLS, and this process was given no certificates: give --tls-ca, --tls-cert and --tls-key")
	}
	return nil
}

// Write implements net.Conn.
func (c *held) Write(b []byte) (int, error) {
	if err := c.lasts(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *held) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.left)
	return err
}

// lasts returns why the other one is not believed any more.
func (c *held) lasts() error {
	if c.ring == nil {
		return nil
	}
	now := time.Now()
	if now.After(c.peer.PeerCertificates[0].NotAfter) {
		return fmt.Errorf("the certificate of %s has expired", c.who)
	}
	current := c.ring.Current()
	c.mu.Lock()
	defer c.mu.Unlock()
	if current == c.trusts {
		return nil
	}
	if _, err := current.Verify(c.peer.PeerCertificates, now); err != nil {
		return err
	}
	c.trusts = current
	return nil
}

// renewable says whether a new connection would show a newer certificate, or is likely to be shown one: in the last tenth of
// the other one's, that is asked for ten times.
func (c *held) renewable(now time.Time) bool {
	if c.ring == nil {
		return false
	}
	if c.ring.Current() != c.shows {
		return true
	}
	peer := c.peer.PeerCertificates[0]
	tenth := peer.NotAfter.Sub(peer.NotBefore) / 10
	return peer.NotAfter.Sub(now) < tenth && now.Sub(c.began) > max(tenth/10, time.Second)
}
