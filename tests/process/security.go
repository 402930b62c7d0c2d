package process

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// NewSecure makes a cluster of n members with certificates, and one of a client, with which all commands are run. None is started.
func NewSecure(t testing.TB, n int) *Cluster {
	t.Helper()
	c := New(t, n)
	c.cert("ca")
	for id := range n {
		c.cert("member", "--id", fmt.Sprint(id+1))
	}
	c.cert("client", "--name", "test")
	return c
}

// cert makes a certificate in the cluster's directory of them.
func (c *Cluster) cert(args ...string) {
	c.t.Helper()
	dir := filepath.Join(c.Dir, "certs")
	if r := c.Run(append(append([]string{"cert"}, args...), "--dir", dir)...); r.Code != 0 {
		c.t.Fatalf("cert %v ended with %d: %s", args, r.Code, r.Stderr)
	}
	c.certs = dir
}

// file is a file of the directory of certificates.
func (c *Cluster) file(name string) string { return filepath.Join(c.certs, name) }

// shows are the flags with which a process shows a certificate.
func (c *Cluster) shows(name string) []string {
	if c.certs == "" {
		return nil
	}
	return []string{"--tls-ca", c.file("ca.crt"), "--tls-cert", c.file(name + ".crt"), "--tls-key", c.file(name + ".key")}
}

// showsByDefault is the environment of commands: they show the client's certificate.
func (c *Cluster) showsByDefault() []string {
	return []string{
		"QUORUMLOG_TLS_CA=" + c.file("ca.crt"), "QUORUMLOG_TLS_CERT=" + c.file("client-test.crt"), "QUORUMLOG_TLS_KEY=" + c.file("client-test.key"),
	}
}

// renew makes a new certificate in the place of the one before, as an operator does.
func (c *Cluster) renew(name string, args ...string) {
	c.t.Helper()
	fresh := c.t.TempDir()
	for _, file := range []string{"ca.crt", "ca.key"} {
		text, err := os.ReadFile(c.file(file))
		if err == nil {
			err = os.WriteFile(filepath.Join(fresh, file), text, 0o600)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if r := c.Run(append(append([]string{"cert"}, args...), "--dir", fresh)...); r.Code != 0 {
		c.t.Fatalf("cert %v ended with %d: %s", args, r.Code, r.Stderr)
	}
	for _, suffix := range []string{".key", ".crt"} {
		if err := os.Rename(filepath.Join(fresh, name+suffix), c.file(name+suffix)); err != nil {
			c.t.Fatal(err)
		}
	}
}
