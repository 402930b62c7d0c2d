package cluster

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// Whoever meets an expired certificate says so, on either end: it is what an operator looks for.
func TestAnExpiredCertificateIsNamedOnBothEnds(t *testing.T) {
	c := newCerts(t)
	members := []Member{{1, "127.0.0.1:4101"}, {2, "127.0.0.1:4102"}}
	own, err := Config{ID: 1, Cluster: testCluster, Members: members, Security: c.make(t, asMember(1), 0)}.openFor(members[0])
	if err != nil {
		t.Fatal(err)
	}
	h := newHandshakes(own, zerolog.Nop())
	old := c.make(t, asMember(2), 48*time.Hour)
	shown, err := tls.LoadX509KeyPair(old.Certificate, old.Key)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{shown}, InsecureSkipVerify: true, ClientAuth: tls.RequireAnyClientCert, NextProtos: []string{protocol},
	}
	const says = "the certificate of member 2 of cluster b expired at"

	listens := meet(t, func(other net.Conn) error { return tls.Client(other, config).Handshake() }, func(this net.Conn) error {
		_, _, err := h.ServerHandshake(this)
		return err
	})
	if listens == nil || !strings.Contains(listens.Error(), says) {
		t.Errorf("who listens says: %v", listens)
	}
	dials := meet(t, func(other net.Conn) error { return tls.Server(other, config).Handshake() }, func(this net.Conn) error {
		_, _, err := h.ClientHandshake(t.Context(), members[1].Address, this)
		return err
	})
	if dials == nil || !strings.Contains(dials.Error(), says) {
		t.Errorf("who dials says: %v", dials)
	}
	if fault := h.faults.of(members[1].Address); fault == nil || !strings.Contains(fault.Error(), says) {
		t.Errorf("a call to that member says: %v", fault)
	}
}

// meet connects two ends, and returns what became of this one.
func meet(t *testing.T, other, this func(net.Conn) error) error {
	t.Helper()
	l := listen(t)
	ended := make(chan error, 1)
	go func() {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			err = other(conn)
		}
		ended <- err
	}()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // its error is of no interest any more
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	err = this(conn)
	_ = conn.Close()
	_ = await(t, ended, "the other end") // this one tells why
	return err
}
