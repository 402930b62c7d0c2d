package cluster

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
)

// mute is a stream whose peer takes everything and says nothing.
type mute struct {
	grpc.ClientStream
	ctx context.Context
}

func (mute) SendMsg(any) error   { return nil }
func (mute) CloseSend() error    { return nil }
func (m mute) RecvMsg(any) error { <-m.ctx.Done(); return m.ctx.Err() }

func TestPeerThatDoesNotAnswerOnTheSecondLaneLosesTheConnection(t *testing.T) {
	l := &link{
		connect: func(ctx context.Context) (grpc.ClientStream, error) { return mute{ctx: ctx}, nil },
		forget:  10 * time.Millisecond, log: zerolog.Nop(), queue: newQueue(maxQueue), urgent: newQueue(maxUrgentQueue),
		renewal: func() bool { return false },
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	over := make(chan struct{})
	go func() {
		defer close(over)
		l.drive(ctx, cancel, mute{ctx: ctx})
	}()
	await(t, over, "the connection to end")
}

// slowLine carries so many bytes a second to an address, and back as many as come. It holds little itself.
func slowLine(t *testing.T, to string, perSecond int) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			_ = near.(*net.TCPConn).SetReadBuffer(16 << 10)
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			go carry(near, far, perSecond)
			go carry(far, near, 1<<30)
		}
	}()
	return listener.Addr().String()
}

// carry hands on what one end says to the other.
func carry(from, to net.Conn, perSecond int) {
	defer func() { _, _ = from.Close(), to.Close() }()
	const chunk = 16 << 10
	due, buffer := time.Now(), make([]byte, chunk)
	for {
		n, err := from.Read(buffer)
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
		due = due.Add(time.Duration(n) * time.Second / time.Duration(perSecond))
		if now := time.Now(); due.Before(now) {
			due = now
		}
		<-time.After(time.Until(due))
	}
}

// A greeting that comes later than this is too late: its sender is taken to be cut off.
const silence = time.Second

func TestWhatIsSmallDoesNotWaitForWhatIsLarge(t *testing.T) {
	if !alone(t) {
		return
	}
	p, a := startPeer(t, free(t)), startAsker(t)
	gateway := actor.NewPID(slowLine(t, p.address, 1<<20), p.gateway().GetId())
	a.ask(t, gateway)
	for range 60 { // 15 MiB: the queue has room for that, and the line is busy with it for 15 s
		a.system.Root.Send(gateway, large())
	}
	var worst time.Duration
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); {
		began := time.Now()
		a.ask(t, gateway)
		worst = max(worst, time.Since(began))
		<-time.After(50 * time.Millisecond)
	}
	t.Logf("the slowest answer took %v", worst)
	if worst > silence {
		t.Errorf("an answer took %v", worst)
	}
	if bytes, _ := a.transport.links.load(); bytes < 4<<20 {
		t.Errorf("only %d bytes wait: the line was not busy", bytes)
	}
}
