package cluster

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/quorumlog/quorumlog/messages"
)

func TestTwoProcessesTalk(t *testing.T) {
	if !alone(t) {
		return
	}
	startAsker(t).ask(t, startPeer(t, free(t)).gateway())
}

func TestPeerThatComesBackIsAnsweredWithinASecond(t *testing.T) {
	for _, absence := range []time.Duration{0, time.Second, 3 * time.Second} {
		t.Run(absence.String(), func(t *testing.T) {
			if alone(t) {
				testReturn(t, absence)
			}
		})
	}
}

// testReturn has the links given up after a second, so that the last absence is longer.
func testReturn(t *testing.T, absence time.Duration) {
	p, a := startPeer(t, free(t)), startAsker(t)
	a.transport.links.forget = time.Second
	a.ask(t, p.gateway())
	p.kill(t)
	a.pass(absence, p.gateway())
	p = startPeer(t, p.address)
	began := time.Now()
	a.ask(t, p.gateway())
	if took := time.Since(began); took > time.Second {
		t.Errorf("the peer was answered %s after it came back", took)
	}
	t.Logf("answered after %s", time.Since(began))
}

func TestPeerThatThawsIsAnswered(t *testing.T) {
	if !alone(t) {
		return
	}
	p, a := startPeer(t, free(t)), startAsker(t)
	a.ask(t, p.gateway())
	p.signal(t, syscall.SIGSTOP)
	a.pass(time.Second, p.gateway())
	p.signal(t, syscall.SIGCONT)
	a.ask(t, p.gateway())
}

func TestPeerThatIsGoneIsForgotten(t *testing.T) {
	if !alone(t) {
		return
	}
	p, a := startPeer(t, free(t)), startAsker(t)
	a.transport.links.forget = 100 * time.Millisecond
	a.ask(t, p.gateway())
	l := a.transport.links.list()[0]
	p.kill(t)
	await(t, l.over, "the link to be given up")
	await(t, l.ctx.Done(), "the link to end")
}

func TestPeerThatIsSilentIsNotForgotten(t *testing.T) {
	if !alone(t) {
		return
	}
	p, a := startPeer(t, free(t)), startAsker(t)
	a.transport.links.forget = 500 * time.Millisecond
	a.ask(t, p.gateway())
	select {
	case <-a.transport.links.list()[0].over:
		t.Error("the link was given up")
	case <-time.After(700 * time.Millisecond):
	}
}

func TestQueueToASilentPeerIsBounded(t *testing.T) {
	for _, how := range []struct {
		name   string
		silent func(*testing.T, *peer)
	}{
		{"frozen", func(t *testing.T, p *peer) { p.signal(t, syscall.SIGSTOP) }},
		{"gone", func(t *testing.T, p *peer) { p.kill(t) }},
	} {
		t.Run(how.name, func(t *testing.T) {
			if !alone(t) {
				return
			}
			p, a := startPeer(t, free(t)), startAsker(t)
			a.ask(t, p.gateway())
			how.silent(t, p)
			for range 64 << 20 / len(large().GetEntries()[0]) {
				a.system.Root.Send(p.gateway(), large())
			}
			awaitQueue(t, a)
		})
	}
}

func large() *messages.AppendRequest {
	return &messages.AppendRequest{Entries: [][]byte{make([]byte, 256<<10)}}
}

// awaitQueue waits until the queue is nearly full, and fails when it ever is more than that.
func awaitQueue(t *testing.T, a *asker) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for end := time.After(20 * time.Second); ; {
		var bytes int
		for _, l := range a.transport.links.list() {
			l.queue.mu.Lock()
			bytes = l.queue.bytes
			l.queue.mu.Unlock()
		}
		if bytes > maxQueue {
			t.Fatalf("the queue holds %d bytes", bytes)
		}
		if bytes > maxQueue-1<<20 {
			return
		}
		select {
		case <-again.C:
		case <-end:
			t.Fatalf("the queue holds only %d bytes", bytes)
		}
	}
}

func TestStopDeliversWhatIsQueued(t *testing.T) {
	if !alone(t) {
		return
	}
	p, a := startPeer(t, free(t)), startAsker(t)
	a.ask(t, p.gateway())
	const last = 5000
	for n := uint64(2); n <= last; n++ {
		a.send(p.gateway(), n)
	}
	a.await(t, last) // what was answered was serialized: the actors are done
	for n := uint64(last + 1); n <= last+100; n++ {
		if err := a.transport.links.list()[0].SendMsg(envelope(n)); err != nil {
			t.Fatal(err)
		}
	}
	a.transport.stop(time.Second)
	for request := range p.heard {
		if request == strconv.Itoa(last+100) {
			return
		}
	}
	t.Error("the last message was lost")
}

func (a *asker) await(t *testing.T, request uint64) {
	t.Helper()
	for await(t, a.answers, "an answer") != request {
		continue
	}
}

func TestStopLeavesNothingBehind(t *testing.T) {
	for _, how := range []string{"present", "gone", "frozen", "never there"} {
		t.Run(how, func(t *testing.T) {
			if !alone(t) {
				return
			}
			before := goleak.IgnoreCurrent()
			p, a := startPeer(t, free(t)), startAsker(t)
			switch how {
			case "present":
				a.ask(t, p.gateway())
			case "gone":
				a.ask(t, p.gateway())
				p.kill(t)
				a.pass(100*time.Millisecond, p.gateway())
			case "frozen":
				a.ask(t, p.gateway())
				p.signal(t, syscall.SIGSTOP)
				a.pass(100*time.Millisecond, p.gateway())
			case "never there":
				a.pass(100*time.Millisecond, actor.NewPID(free(t), logName+"/gateway"))
			}
			if err := a.system.Root.StopFuture(a.inbox).Wait(); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			a.transport.stop(time.Second)
			if took := time.Since(began); took > 1500*time.Millisecond {
				t.Errorf("took %s", took)
			}
			p.kill(t)
			goleak.VerifyNone(t, before)
		})
	}
}

func TestStopMayComeTwice(t *testing.T) {
	if !alone(t) {
		return
	}
	a := startAsker(t)
	a.transport.stop(time.Second)
	a.transport.stop(time.Second)
}

func TestTakenPortIsAnError(t *testing.T) {
	listener := listen(t)
	address := listener.Addr().String()
	_, err := startRemote(newSystem(zerolog.Nop(), address), address, address, access{}, zerolog.Nop())
	if err == nil || !strings.Contains(err.Error(), "another process uses this address") {
		t.Error(err)
	}
}

func TestPanicOfProtoactorsStartIsAnError(t *testing.T) {
	if !alone(t) {
		return
	}
	listener := listen(t)
	host, port, err := split(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := start(remote.NewRemote(newSystem(zerolog.Nop(), "x:1"), remote.Configure(host, port))); err == nil {
		t.Error("two listen on one port")
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // its error is of no interest any more
	return listener
}

func TestAttachWantsAStartedRemoteOfThatAddress(t *testing.T) {
	if !alone(t) {
		return
	}
	address := free(t)
	system := newSystem(zerolog.Nop(), address)
	if _, err := attach(system, address); err == nil {
		t.Error("attached to a system without a remote")
	}
	host, port, err := split(address)
	if err != nil {
		t.Fatal(err)
	}
	r := remote.NewRemote(system, remote.Configure(host, port))
	if _, err := attach(system, address); err == nil {
		t.Error("attached to a remote that was not started")
	}
	r.Start()
	defer r.Shutdown(false)
	if _, err := attach(system, "127.0.0.1:1"); err == nil {
		t.Error("attached to a remote of another address")
	}
	attached, err := attach(system, address)
	if err != nil {
		t.Fatal(err)
	}
	attached.open()
	attached.stop(time.Second)
	if err := probe(address); err == nil {
		t.Error("the program's remote was stopped")
	}
}

// BenchmarkRoundTrip is the way of a message of some size to another process, and of a small one back.
func BenchmarkRoundTrip(b *testing.B) {
	for _, size := range []int{0, 16 << 10, 256 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			p, a := startPeer(b, free(b)), startAsker(b)
			a.ask(b, p.gateway())
			m := &messages.AppendRequest{Request: 2, Writer: answered, Entries: [][]byte{make([]byte, size)}}
			b.SetBytes(int64(size))
			for b.Loop() {
				a.system.Root.RequestWithCustomSender(p.gateway(), m, a.inbox)
				<-a.answers
			}
		})
	}
}
