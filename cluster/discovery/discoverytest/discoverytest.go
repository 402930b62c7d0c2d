// Package discoverytest is what every discovery passes in which members announce themselves.
package discoverytest

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

// patience is long because servers start slowly, and places of processes that were killed last.
const patience = 40 * time.Second

// Run checks a source. Open returns one more for the same log each time, as one more process would have.
func Run(t *testing.T, open func(*testing.T) discovery.Source) {
	t.Helper()
	heard := watch(t, open(t))
	first := announce(t, open(t), discovery.Place{Member: 1, Address: "127.0.0.1:1001"})
	heard.await(t, discovery.Places{1: {"127.0.0.1:1001"}})
	second := announce(t, open(t), discovery.Place{Member: 65535, Address: "[::1]:1002"})
	heard.await(t, discovery.Places{1: {"127.0.0.1:1001"}, 65535: {"[::1]:1002"}})
	first()
	heard.await(t, discovery.Places{65535: {"[::1]:1002"}})
	first = announce(t, open(t), discovery.Place{Member: 1, Address: "host.example.org:1003"})
	heard.await(t, discovery.Places{1: {"host.example.org:1003"}, 65535: {"[::1]:1002"}})
	watch(t, open(t)).await(t, discovery.Places{1: {"host.example.org:1003"}, 65535: {"[::1]:1002"}})
	first()
	second()
	heard.await(t, discovery.Places{})
}

type heard chan discovery.Places

// watch watches a source until the end of the test.
func watch(t *testing.T, s discovery.Source) heard {
	t.Helper()
	all := make(heard, 1000)
	keep(t, "watch", func(ctx context.Context) error { return s.Watch(ctx, func(p discovery.Places) { all <- p }) })
	return all
}

// announce announces a place until what it returns is called, which waits until it is taken back.
func announce(t *testing.T, s discovery.Source, own discovery.Place) func() {
	t.Helper()
	return keep(t, "announce", func(ctx context.Context) error { return s.Announce(ctx, own) })
}

func keep(t *testing.T, what string, do func(context.Context) error) func() {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := do(ctx); ctx.Err() == nil {
			t.Errorf("%s ended: %v", what, err)
		}
	}()
	stop := func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Errorf("%s did not end with its context", what)
		}
	}
	t.Cleanup(stop)
	return stop
}

func (h heard) await(t *testing.T, want discovery.Places) {
	t.Helper()
	var last discovery.Places
	for end := time.After(patience); ; {
		select {
		case last = <-h:
			if reflect.DeepEqual(last, want) {
				return
			}
		case <-end:
			t.Fatalf("heard %v last, and not %v", last, want)
		}
	}
}

// Serve runs a server until the end of the test, or until what it returns is called, and waits until it takes connections. It skips
// the test where the server is not installed.
func Serve(t *testing.T, address, program string, args ...string) (stop func()) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed: %v", program, err)
	}
	command := exec.Command(path, args...)
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = command.Process.Kill() // it is of no use any more
		_ = command.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, &said)
		}
	})
	t.Cleanup(stop)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for end := time.After(patience); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close() // it is there
			return stop
		}
		select {
		case <-again.C:
		case <-end:
			t.Fatalf("%s does not listen: %v", program, err)
		}
	}
}

// Port returns a port of the loopback that nobody uses at the moment.
func Port(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it was only to be known
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
