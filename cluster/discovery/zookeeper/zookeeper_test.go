package zookeeper

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/discoverytest"
)

func TestZooKeeperTellsWhatIsAnnouncedThere(t *testing.T) {
	address := discoverytest.ServeZooKeeper(t).Address
	for _, log := range []struct{ name, digest string }{{"closed", "user:password"}, {"open", ""}} {
		t.Run(log.name, func(t *testing.T) {
			discoverytest.Run(t, func(*testing.T) discovery.Source {
				return &Source{Servers: []string{address}, Name: log.name, Digest: log.digest}
			})
		})
	}
	stranger := &Source{Servers: []string{address}, Name: "closed"}
	if err := stranger.Announce(t.Context(), discovery.Place{Member: 1, Address: "a:1"}); !errors.Is(err, zk.ErrNoAuth) {
		t.Errorf("a stranger wrote where there is a password: %v", err)
	}
}

func TestAnnouncementsOutliveZooKeeper(t *testing.T) {
	for name, between := range map[string]func(*discoverytest.ZooKeeper) error{
		"that stops":          func(*discoverytest.ZooKeeper) error { return nil },
		"that loses its disk": func(s *discoverytest.ZooKeeper) error { return os.RemoveAll(s.Dir) },
	} {
		t.Run(name, func(t *testing.T) {
			s := discoverytest.ServeZooKeeper(t)
			open := func(*testing.T) discovery.Source { return &Source{Servers: []string{s.Address}, Name: "log"} }
			discoverytest.Outlive(t, open, func() {
				s.Stop()
				if err := between(s); err != nil {
					t.Fatal(err)
				}
				s.Start(t)
			})
		})
	}
}

// TestServerThatNeverGreetsIsLeft needs no ZooKeeper: one that is starting takes connections, and answers nothing on them.
func TestServerThatNeverGreetsIsLeft(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // whoever was to connect has
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&Source{Servers: []string{l.Addr().String()}, Name: "a"}).Watch(ctx, nil) }()
	for range 2 {
		if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(2 * lasts)); err != nil {
			t.Fatal(err)
		}
		conn, err := l.Accept()
		if err != nil {
			t.Fatalf("it was not tried again: %v", err)
		}
		defer func() { _ = conn.Close() }() // nothing was said
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("there was no error")
	}
}
