package cluster

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/messages"
)

// A second remote in one process shares globals with the first, which the race detector sees. So every test that has one
// runs in a process of its own, and so does every peer that it talks to.
const (
	aloneVariable = "QUORUMLOG_TEST_ALONE"
	peerVariable  = "QUORUMLOG_TEST_PEER"  // the address of the peer that this process is
	placeVariable = "QUORUMLOG_TEST_PLACE" // ID@HOST:PORT, where it listens, if that need not be its address
)

// alone runs the test in a process of its own. It returns true there, and false in the process that only reports.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneVariable) != "" {
		return true
	}
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=60s")
	command.Env = append(os.Environ(), aloneVariable+"=1")
	output, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "--- PASS: "+t.Name()) {
		t.Fatalf("%v:\n%s", err, output)
	}
	return false
}

// TestPeer is no test, but the process of a peer. It answers a StatusRequest with the number of the request, and prints it, and an
// AppendRequest of one writer, too, without a word. It prints the request of a Hello that its replica is told, too.
func TestPeer(t *testing.T) {
	address := os.Getenv(peerVariable)
	if address == "" {
		t.Skip("only another test starts a peer")
	}
	system := newSystem(zerolog.Nop(), address)
	_, place, _ := strings.Cut(os.Getenv(placeVariable), "@")
	peer, err := startRemote(system, cmp.Or(place, address), address, accessOfPeer(t, address), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	_, err = system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*messages.Hello); ok {
			fmt.Printf("heard %d\n", m.GetHeader().GetRequest())
		}
	}), logName+"/"+member.Replica)
	if err != nil {
		t.Fatal(err)
	}
	_, err = system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *messages.StatusRequest:
			fmt.Printf("heard %d\n", m.GetRequest())
			ctx.Respond(&messages.StatusResponse{Request: m.GetRequest(), Replica: 7})
		case *messages.AppendRequest:
			if m.GetWriter() == answered {
				ctx.Respond(&messages.StatusResponse{Request: m.GetRequest(), Replica: 7})
			}
		}
	}), logName+"/"+member.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	peer.open()
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test is over, however it ends
	peer.stop(time.Second)
}

// answered is the writer whose appends a peer answers.
const answered = 7

// peer is the process of a peer.
type peer struct {
	*exec.Cmd
	address string
	heard   chan string // the requests' numbers
	input   io.Closer
}

func startPeer(t testing.TB, address string, environment ...string) *peer {
	t.Helper()
	p := &peer{
		Cmd: exec.Command(os.Args[0], "-test.run=^TestPeer$", "-test.v"), address: address, heard: make(chan string, 1<<16),
	}
	p.Env = append(append(os.Environ(), peerVariable+"="+address), environment...)
	input, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	p.input = input
	t.Cleanup(func() { p.kill(t) })
	opened := make(chan struct{})
	go p.listen(output, opened)
	await(t, opened, "the peer to open")
	return p
}

func (p *peer) listen(output io.Reader, opened chan struct{}) {
	defer close(p.heard)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if lines.Text() == "open" {
			close(opened)
		}
		if request, ok := strings.CutPrefix(lines.Text(), "heard "); ok {
			p.heard <- request
		}
	}
}

func (p *peer) kill(t testing.TB) {
	t.Helper()
	if p.ProcessState != nil {
		return
	}
	p.signal(t, syscall.SIGKILL)
	for range p.heard { // the reader of its output ends first
	}
	_ = p.Wait() // says that it was killed
}

func (p *peer) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (p *peer) gateway() *actor.PID { return actor.NewPID(p.address, logName+"/"+member.Gateway) }

// await waits for something that must come.
func await[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("waited 20 s for %s", what)
		panic("unreachable")
	}
}

// asker is the process under test: it asks peers, and hears their answers.
type asker struct {
	system    *actor.ActorSystem
	transport *transport
	inbox     *actor.PID
	answers   chan uint64
}

func startAsker(t testing.TB) *asker {
	t.Helper()
	a := startShut(t)
	a.transport.open()
	return a
}

// startShut starts an asker that lets nobody in, yet.
func startShut(t testing.TB) *asker {
	t.Helper()
	return startShutWith(t, access{})
}

func startShutWith(t testing.TB, own access) *asker {
	t.Helper()
	address := free(t)
	a := &asker{system: newSystem(zerolog.Nop(), address), answers: make(chan uint64, 1<<16)}
	var err error
	if a.transport, err = startRemote(a.system, address, address, own, zerolog.Nop()); err != nil {
		t.Fatal(err)
	}
	a.inbox = a.system.Root.SpawnPrefix(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*messages.StatusResponse); ok {
			a.answers <- m.GetRequest()
		}
	}), clientPrefix)
	t.Cleanup(func() { a.transport.stop(time.Second) })
	return a
}

func free(t testing.TB) string {
	t.Helper()
	address, err := freeAddress("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func (a *asker) send(to *actor.PID, request uint64) {
	a.system.Root.RequestWithCustomSender(to, &messages.StatusRequest{Request: request}, a.inbox)
}

// ask asks as often as a member greets its peers, until there is an answer.
func (a *asker) ask(t testing.TB, to *actor.PID) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	end := time.After(20 * time.Second)
	for {
		a.send(to, 1)
		select {
		case <-a.answers:
			a.drain()
			return
		case <-again.C:
		case <-end:
			t.Fatal("waited 20 s for an answer")
		}
	}
}

func (a *asker) drain() {
	for {
		select {
		case <-a.answers:
		default:
			return
		}
	}
}

// pass waits, while it asks every 50 ms as a member does: what is under test is what happens in that time.
func (a *asker) pass(d time.Duration, to *actor.PID) {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for end := time.After(d); ; {
		select {
		case <-again.C:
			a.send(to, 1)
		case <-end:
			return
		}
	}
}
