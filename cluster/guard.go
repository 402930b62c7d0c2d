package cluster

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/messages"
)

// guard stands between the network and protoactor, which trusts whatever it reads: an index out of range ends the process,
// anybody may stop any actor or have one spawned, and some messages panic in actors of its own. The guard looks at every
// packet before protoactor decodes it, and lets through only our own messages to actors that expect some.
//
// Nor does it let in what would take far more memory than its bytes; see shape.
//
// One bad envelope is dropped, as the network might have; a packet that is no batch of envelopes ends its stream. It does
// not know who sends: that needs authenticated connections.
type guard struct {
	own     string // this process's advertised address
	types   map[string]*shape
	log     zerolog.Logger
	opened  chan struct{}
	open    sync.Once
	dropped atomic.Uint64 // envelopes
}

// Limits on what one envelope may hold, in bytes.
const (
	maxMessage = 4 << 20
	maxName    = 512 // of an actor, or an address
)

func newGuard(own string, log zerolog.Logger) *guard {
	g := &guard{own: own, types: make(map[string]*shape), log: log, opened: make(chan struct{})}
	known := make(map[protoreflect.FullName]*shape)
	for _, m := range wire() {
		g.types[string(proto.MessageName(m))] = shapeOf(m.ProtoReflect().Descriptor(), known)
	}
	return g
}

// wire is what processes send to each other.
func wire() []proto.Message {
	return []proto.Message{
		&messages.PromiseRequest{}, &messages.PromiseResponse{},
		&messages.WriteRequest{}, &messages.WriteResponse{},
		&messages.LearnedMessage{},
		&messages.RecoverRequest{}, &messages.RecoverResponse{},
		&messages.FrontierRequest{}, &messages.FrontierResponse{},
		&messages.FetchRequest{}, &messages.FetchResponse{},
		&messages.Hello{}, &messages.Welcome{},
		&messages.AppendRequest{}, &messages.AppendResponse{},
		&messages.TruncateRequest{}, &messages.TruncateResponse{},
		&messages.ElectRequest{}, &messages.ElectResponse{},
		&messages.ReadRequest{}, &messages.ReadResponse{},
		&messages.CatchupRequest{}, &messages.CatchupResponse{},
		&messages.StatusRequest{}, &messages.StatusResponse{},
		&messages.EventsRequest{}, &messages.EventsResponse{},
		&messages.DigestRequest{}, &messages.DigestResponse{},
	}
}

// reachable says whether other processes may send to an actor: the three that serve, the actors below those that ask (an
// answer goes to whoever asked: rounds, fetches), and clients.
func reachable(name string) bool {
	if strings.HasPrefix(name, clientPrefix) {
		return true
	}
	below, ok := strings.CutPrefix(name, logName+"/")
	if !ok {
		return false
	}
	switch parent, _, isChild := strings.Cut(below, "/"); parent {
	case member.Gateway:
		return true
	case member.Replica, member.Network:
		return !isChild
	case member.Recover, member.Coordinator, member.Follow:
		return isChild
	default:
		return false
	}
}

// stream lets nobody in before the guard is opened, and survives what protoactor does not.
func (g *guard) stream(server any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	select {
	case <-g.opened:
	case <-s.Context().Done():
		return status.FromContextError(s.Context().Err()).Err()
	}
	defer func() {
		if fault := recover(); fault != nil {
			g.log.Error().Str("fault", fmt.Sprint(fault)).Msg("a packet made protoactor panic")
			err = status.Error(grpccodes.Internal, "this packet could not be handled")
		}
	}()
	return handle(server, &guarded{s, g})
}

// unary refuses protoactor's other calls, which it has not written yet: they panic.
func (*guard) unary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, status.Error(grpccodes.Unimplemented, "this process takes streams only")
}

// guarded is a stream on which only what the guard lets through is received.
type guarded struct {
	grpc.ServerStream
	guard *guard
}

// RecvMsg implements grpc.ServerStream.
func (s *guarded) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err // as it is: protoactor compares it with io.EOF
	}
	packet, ok := m.(*remote.RemoteMessage)
	if !ok {
		return status.Error(grpccodes.InvalidArgument, "not a packet of protoactor")
	}
	return s.guard.check(packet)
}

// check drops from a packet what may not pass, or refuses the whole of it.
func (g *guard) check(packet *remote.RemoteMessage) error {
	switch m := packet.GetMessageType().(type) {
	case *remote.RemoteMessage_ConnectRequest:
		if m.ConnectRequest.GetServerConnection() != nil {
			return nil
		}
	case *remote.RemoteMessage_MessageBatch:
		if m.MessageBatch != nil {
			g.filter(m.MessageBatch)
			return nil
		}
	}
	return status.Error(grpccodes.InvalidArgument, "neither a greeting of a server nor a batch of messages")
}

func (g *guard) filter(b *remote.MessageBatch) {
	faults := g.readTables(b)
	kept := b.Envelopes[:0]
	for _, e := range b.GetEnvelopes() {
		if fault := faults.of(e); fault != "" {
			g.drop(fault)
			continue
		}
		e.MessageHeader = nil // we use none, and protoactor would hand it to the actor
		kept = append(kept, e)
	}
	clear(b.Envelopes[len(kept):])
	b.Envelopes = kept
}

func (g *guard) drop(fault string) {
	g.dropped.Add(1)
	g.log.Debug().Str("fault", fault).Msg("a message was dropped")
}

// tables hold what the envelopes of one batch refer to: the shapes of types, nil where a type is none of ours, and the faults
// of the others; empty where there is none.
type tables struct {
	types            []*shape
	targets, senders []string
}

func (g *guard) readTables(b *remote.MessageBatch) (t tables) {
	for _, name := range b.GetTypeNames() {
		t.types = append(t.types, g.types[name])
	}
	for _, name := range b.GetTargets() {
		t.targets = append(t.targets, unless(len(name) <= maxName && reachable(name), "its target takes no messages"))
	}
	for _, pid := range b.GetSenders() {
		t.senders = append(t.senders, g.senderFault(pid))
	}
	return t
}

// senderFault looks at who wants the answers. One that claims this process's own address would have this process talk to
// its own actors in a stranger's name.
func (g *guard) senderFault(pid *actor.PID) string {
	if pid.GetId() == "" || len(pid.GetId()) > maxName || len(pid.GetAddress()) > maxName {
		return "its sender has no usable name"
	}
	if _, _, err := split(pid.GetAddress()); err != nil || strings.HasPrefix(pid.GetAddress(), ":") {
		return "its sender has no usable address"
	}
	return unless(pid.GetAddress() != g.own, "its sender claims the address of this process")
}

// of returns what is wrong with an envelope.
func (t tables) of(e *remote.MessageEnvelope) string {
	switch {
	case e == nil:
		return "there is nothing in it"
	case e.GetSerializerId() != 0:
		return "it is not written in protobuf"
	case len(e.GetMessageData()) > maxMessage:
		return "it has more than 4 MiB"
	case !within(e.GetTypeId(), t.types) || !within(e.GetTarget(), t.targets):
		return "it refers to what is not there"
	case e.GetSender() != 0 && !within(e.GetSender()-1, t.senders):
		return "its sender is not there"
	case t.types[e.GetTypeId()] == nil:
		return "its type is none of ours"
	case t.targets[e.GetTarget()] != "":
		return t.targets[e.GetTarget()]
	case e.GetSender() != 0 && t.senders[e.GetSender()-1] != "": // 0 is nobody
		return t.senders[e.GetSender()-1]
	case !t.types[e.GetTypeId()].fits(e.GetMessageData()):
		return "it is malformed, or has too many parts"
	}
	return ""
}

func within[T any](index int32, table []T) bool { return index >= 0 && int(index) < len(table) }

func unless(good bool, fault string) string {
	if good {
		return ""
	}
	return fault
}
