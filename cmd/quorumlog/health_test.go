package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// visit opens a connection to a host.
func visit(t *testing.T, host string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed already
	return conn
}

// alive asks over a connection, which stays open, whether the process is alive.
func alive(conn net.Conn, patience time.Duration) error {
	if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: member\r\n\r\n"); err != nil {
		return err
	}
	return answered(conn, patience)
}

func answered(conn net.Conn, patience time.Duration) error {
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return errors.Join(err, response.Body.Close())
}

func TestIdleConnectionsToThePageAreBounded(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	h, err := (&program{settings: settings{http: host}}).serveHTTP(zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	idle := make([]net.Conn, maxHTTP)
	for i := range idle {
		idle[i] = visit(t, host)
		if err := alive(idle[i], 20*time.Second); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	late := visit(t, host)
	if err := alive(late, 300*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("one more than %d connections: %v", maxHTTP, err)
	}
	if err := idle[0].Close(); err != nil {
		t.Fatal(err)
	}
	if err := answered(late, 20*time.Second); err != nil {
		t.Errorf("with a place again: %v", err)
	}
}
