package cluster

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/messages"
)

// stranger talks to a process without any manners.
func stranger(t *testing.T, address string) remote.RemotingClient {
	t.Helper()
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return remote.NewRemotingClient(c)
}

func startStream(t *testing.T, c remote.RemotingClient) remote.Remoting_ReceiveClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	s, err := c.Receive(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// say sends a packet on a stream of its own, and returns how the stream ended after that.
func say(t *testing.T, c remote.RemotingClient, packet *remote.RemoteMessage) error {
	t.Helper()
	s := startStream(t, c)
	if err := s.Send(packet); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Recv()
	return err
}

func TestHostilePacketsChangeNothing(t *testing.T) {
	if !alone(t) {
		return
	}
	p, a := startPeer(t, free(t)), startAsker(t) // before the stranger: its start sets globals of gRPC
	c := stranger(t, p.address)
	for name, packet := range hostile() {
		if name == "nil envelope" || name == "nil sender" || name == "sender that is us" {
			continue // the first two cannot be written; the peer has another address
		}
		if err := say(t, c, packet); !errors.Is(err, io.EOF) {
			t.Errorf("%s: the stream ended with %v", name, err)
		}
	}
	for name, packet := range hostileEndings() {
		if name == "one of our own" || name == "under the own address" {
			continue // the peer has another address
		}
		if err := say(t, c, packet); !errors.Is(err, io.EOF) {
			t.Errorf("an end, %s: the stream ended with %v", name, err)
		}
	}
	for name, packet := range senseless() {
		if name == "nil batch" || name == "greeting" || name == "nil server" {
			continue // these cannot be written
		}
		if err := say(t, c, packet); status.Code(err) != grpccodes.InvalidArgument {
			t.Errorf("%s: the stream ended with %v", name, err)
		}
	}
	a.ask(t, p.gateway())
	if heard := await(t, p.heard, "the peer to hear"); heard != "1" {
		t.Errorf("the peer heard request %s of the stranger", heard)
	}
}

func TestGarbageEndsItsStreamOnly(t *testing.T) {
	if !alone(t) {
		return
	}
	p, a := startPeer(t, free(t)), startAsker(t)
	c := stranger(t, p.address)
	garbage := asked(func(b *remote.MessageBatch) { // a refusal in no characters; only protoactor sees that
		b.TypeNames[0] = string(proto.MessageName(&messages.RecoverResponse{}))
		b.Targets[0] = logName + "/replica"
		b.Envelopes[0].MessageData = []byte{0x1a, 3, 0x12, 1, 0xff}
	})
	if err := say(t, c, garbage); errors.Is(err, io.EOF) {
		t.Error("the peer took garbage")
	}
	a.ask(t, p.gateway())
}

func TestPacketOfTooManyPartsEndsItsStreamOnly(t *testing.T) {
	if !alone(t) {
		return
	}
	p, a := startPeer(t, free(t)), startAsker(t)
	parts := asked(func(b *remote.MessageBatch) { b.Envelopes = slices.Repeat(b.Envelopes[:1:1], 50_000) })
	for _, e := range parts.GetMessageBatch().GetEnvelopes() {
		e.Reset()
	}
	if err := say(t, stranger(t, p.address), parts); errors.Is(err, io.EOF) {
		t.Error("the peer took it")
	}
	a.ask(t, p.gateway())
}

func TestPacketAboveTheLimitEndsItsStreamOnly(t *testing.T) {
	if !alone(t) {
		return
	}
	p, a := startPeer(t, free(t)), startAsker(t)
	s := startStream(t, stranger(t, p.address))
	_ = s.Send(packet(maxPacket + 1)) // fails at once or, when the peer has seen the size, in Recv
	if _, err := s.Recv(); status.Code(err) != grpccodes.ResourceExhausted {
		t.Errorf("the stream ended with %v", err)
	}
	a.ask(t, p.gateway())
}

func TestOtherCallsAreRefused(t *testing.T) {
	if !alone(t) {
		return
	}
	p, a := startPeer(t, free(t)), startAsker(t)
	c := stranger(t, p.address)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := c.ListProcesses(ctx, &remote.ListProcessesRequest{}); status.Code(err) != grpccodes.Unimplemented {
		t.Errorf("ListProcesses: %v", err)
	}
	_, err := c.GetProcessDiagnostics(ctx, &remote.GetProcessDiagnosticsRequest{Pid: actor.NewPID(p.address, "x")})
	if status.Code(err) != grpccodes.Unimplemented {
		t.Errorf("GetProcessDiagnostics: %v", err)
	}
	a.ask(t, p.gateway())
}

func TestNobodyIsLetInBeforeTheGuardOpens(t *testing.T) {
	if !alone(t) {
		return
	}
	a := startShut(t)
	s := startStream(t, stranger(t, a.system.Address()))
	answered := make(chan error, 1)
	if err := s.Send(greeting()); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := s.Recv()
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("answered before: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	a.transport.open()
	if err := await(t, answered, "an answer"); err != nil {
		t.Error(err)
	}
}

func greeting() *remote.RemoteMessage {
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{Address: "a:1"}},
	}}}
}

func TestStopEndsWhileTheGuardIsShut(t *testing.T) {
	if !alone(t) {
		return
	}
	a := startShut(t)
	s := startStream(t, stranger(t, a.system.Address()))
	if err := s.Send(greeting()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	a.transport.stop(5 * time.Second)
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("took %s", took)
	}
}
