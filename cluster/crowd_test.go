package cluster

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

func TestOneHostHasAPartOfThePlaces(t *testing.T) {
	c := newCrowd()
	for range maxUnknownHost {
		if err := c.enter("10.0.0.1"); err != nil {
			t.Fatal(err)
		}
	}
	if c.enter("10.0.0.1") == nil {
		t.Error("a host has more who have not shown who they are than it may")
	}
	if err := c.enter("10.0.0.2"); err != nil {
		t.Errorf("another host is kept out: %v", err)
	}
	c.known("10.0.0.1")
	if err := c.enter("10.0.0.1"); err != nil {
		t.Errorf("one is known, and none may follow: %v", err)
	}
}

func TestPlacesOfAllHostsTogetherAreBounded(t *testing.T) {
	c := newCrowd()
	entered := 0
	for host := range 2 * maxOpen / maxOpenHost {
		for range maxOpenHost {
			if c.enter(fmt.Sprint(host)) == nil {
				c.known(fmt.Sprint(host))
				entered++
			}
		}
	}
	if entered != maxOpen {
		t.Errorf("%d entered", entered)
	}
}

func TestPlacesAreGivenBack(t *testing.T) {
	c := newCrowd()
	for range 2 * maxOpen {
		if err := c.enter("10.0.0.1"); err != nil {
			t.Fatal(err)
		}
		c.known("10.0.0.1")
		c.leave("10.0.0.1")
	}
	if len(c.hosts) != 0 || c.all != (places{}) {
		t.Errorf("%v %v", c.hosts, c.all)
	}
}

// Whoever connects and says nothing, or begins a handshake and stops, holds a place for two seconds, and keeps nobody out.
func TestSilentConnectionsEndAndKeepNobodyOut(t *testing.T) {
	for name, said := range map[string]string{
		"silent": "", "half of a handshake": "\x16\x03\x01\x02\x00", "plain text": "PRI * HTTP/2.0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			if !alone(t) {
				return
			}
			certs := newCerts(t)
			p := certs.startPeer(t, free(t))
			a := certs.startAsker(t, p.address)
			a.ask(t, p.gateway()) // the connections of both are there
			var silent []net.Conn
			for range 2 * maxUnknownHost {
				silent = append(silent, mutter(t, p.address, said))
			}
			a.ask(t, p.gateway())
			for _, conn := range silent {
				if err := conn.SetReadDeadline(time.Now().Add(3 * dialTimeout)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal("a silent connection is still open")
				}
			}
			if err := say(t, pretender(t, p.address, certs.make(t, asMember(2), 0)), hello(t, 2, 22)); !errors.Is(err, io.EOF) {
				t.Errorf("a member that comes then is kept out: %v", err)
			}
		})
	}
}

// mutter connects, and says a few bytes.
func mutter(t *testing.T, address, said string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // its error is of no interest any more
	_, _ = io.WriteString(conn, said)      // it may have been refused
	return conn
}
