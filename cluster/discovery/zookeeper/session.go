package zookeeper

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/go-zookeeper/zk"
)

// How long a place stays after its member's process was killed, and how long a server may take to greet whoever connected.
const (
	lasts    = 10 * time.Second
	greeting = 3 * time.Second
)

// session is what lasts while connections come and go: with it, what was announced in it.
type session struct {
	*zk.Conn
	servers []string
	events  <-chan zk.Event
	end     func()
}

// silent is where the client library logs: what goes wrong is returned.
type silent struct{}

// Printf implements zk.Logger.
func (silent) Printf(string, ...any) {}

// link is a connection. The library would wait a minute for the first answer; but a server that is starting takes connections, and
// never answers what it was asked on the first ones, though it serves those that come later.
type link struct {
	net.Conn
	greeted bool
}

// SetReadDeadline implements net.Conn.
func (l *link) SetReadDeadline(at time.Time) error {
	if !l.greeted {
		l.greeted, at = true, time.Now().Add(greeting)
	}
	return l.Conn.SetReadDeadline(at)
}

// dial is how the library connects.
func (s *Source) dial(network, address string, patience time.Duration) (net.Conn, error) {
	conn, err := net.DialTimeout(network, address, patience)
	if err != nil {
		return nil, err
	}
	return &link{Conn: conn}, nil
}

// begin begins a session, which ends with the context: so do the requests that wait for it.
func (s *Source) begin(ctx context.Context) (*session, error) {
	conn, events, err := zk.Connect(s.Servers, lasts, zk.WithDialer(s.dial), zk.WithLogger(silent{}), zk.WithLogInfo(false),
		zk.WithMaxBufferSize(most))
	if err != nil {
		return nil, fmt.Errorf("reach ZooKeeper at %v: %w", s.Servers, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(ended)
		conn.Close()
	})
	begun := &session{conn, s.Servers, events, func() {
		cancel()
		<-ended
	}}
	if err := begun.await(ctx, s.Digest); err != nil {
		begun.end()
		return nil, err
	}
	return begun, nil
}

// await waits until the session has begun, and says whose it is.
func (s *session) await(ctx context.Context, digest string) error {
	late := time.NewTimer(lasts)
	defer late.Stop()
	for s.State() != zk.StateHasSession {
		select {
		case <-s.events:
		case <-late.C:
			return s.lost()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if digest == "" {
		return nil
	}
	if err := s.AddAuth("digest", []byte(digest)); err != nil {
		return fmt.Errorf("say to ZooKeeper who this is: %w", err)
	}
	return nil
}

// until waits for a change. It is an error that no server was there for so long that the session is over: those that are named may
// have other addresses now, and the library looks them up once.
func (s *session) until(ctx context.Context, changed <-chan zk.Event) error {
	look := time.NewTicker(lasts)
	defer look.Stop()
	for gone := false; ; {
		select {
		case <-changed:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
			there := s.State() == zk.StateHasSession
			if gone && !there {
				return s.lost()
			}
			gone = !there
		}
	}
}

func (s *session) lost() error { return fmt.Errorf("ZooKeeper at %v does not answer", s.servers) }
