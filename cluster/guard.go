package cluster

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	grpccodes "google.golang.org/grpc/codes"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/quorumlog/quorumlog/cluster/certificate"
	"github.com/quorumlog/quorumlog/messages"
)

// guard stands between the network and protoactor, which trusts whatever it reads: an index out of range ends the process,
// anybody may stop any actor or have one spawned, and some messages panic in actors of its own. The guard looks at every
// packet before protoactor decodes it, and lets through only our own messages to actors that expect some.
//
// Nor does it let in what would take far more memory than its bytes; see shape.
//
// One bad envelope is dropped, as the network might have; a packet that is no batch of envelopes ends its stream. Where
// connections have certificates, the guard knows who sends: nobody speaks for another member, and nobody asks for what his
// certificate does not allow.
type guard struct {
	own     string // this process's advertised address
	types   map[string]*shape
	traffic map[string]traffic
	access  access
	log     zerolog.Logger
	seldom  *rate.Sometimes // a line of the log, whatever others send
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
	g := &guard{
		own: own, types: make(map[string]*shape), traffic: make(map[string]traffic), log: log,
		seldom: &rate.Sometimes{First: 3, Interval: time.Second}, opened: make(chan struct{}),
	}
	known := make(map[protoreflect.FullName]*shape)
	for _, m := range wire() {
		name := string(proto.MessageName(m))
		g.types[name] = shapeOf(m.ProtoReflect().Descriptor(), known)
		g.traffic[name] = trafficOf(m)
	}
	return g
}

// wire is what processes send to each other: our own messages, and one of protoactor, by which it says that a subscriber has ended.
func wire() []proto.Message {
	return []proto.Message{
		&messages.PromiseRequest{}, &messages.PromiseResponse{},
		&messages.WriteRequest{}, &messages.WriteResponse{},
		&messages.LearnedMessage{},
		&messages.RecoverRequest{}, &messages.RecoverResponse{},
		&messages.FrontierRequest{}, &messages.FrontierResponse{},
		&messages.FetchRequest{}, &messages.FetchResponse{},
		&messages.Hello{}, &messages.Welcome{},
		&messages.AuditMessage{},
		&messages.CanvassRequest{}, &messages.CanvassResponse{},
		&messages.AppendRequest{}, &messages.AppendResponse{},
		&messages.TruncateRequest{}, &messages.TruncateResponse{},
		&messages.ElectRequest{}, &messages.ElectResponse{},
		&messages.ReadRequest{}, &messages.ReadResponse{},
		&messages.CatchupRequest{}, &messages.CatchupResponse{},
		&messages.StatusRequest{}, &messages.StatusResponse{},
		&messages.MembersRequest{}, &messages.MembersResponse{},
		&messages.EventsRequest{}, &messages.EventsResponse{},
		&messages.DigestRequest{}, &messages.DigestResponse{},
		&messages.SubscribeRequest{}, &messages.SubscribeResponse{},
		&messages.Grant{}, &messages.Delivery{}, &messages.LogTruncated{}, &messages.Lagging{}, &messages.Ended{},
		&actor.Terminated{},
	}
}

// stream lets nobody in before the guard is opened, nor whoever looks for another member, and survives what protoactor does not.
func (g *guard) stream(server any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	if err := g.access.misled(s.Context(), g.own); err != nil {
		return err
	}
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
	return handle(server, &guarded{s, g, visitorOf(s.Context())})
}

// unary refuses protoactor's other calls, which it has not written yet: they panic.
func (*guard) unary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, status.Error(grpccodes.Unimplemented, "this process takes streams only")
}

// visitorOf returns whose certificate a connection has; nil: there are none.
func visitorOf(ctx context.Context) *certificate.Identity {
	p, _ := grpcpeer.FromContext(ctx)
	if p == nil {
		return nil
	}
	if v, ok := p.AuthInfo.(visitor); ok {
		return &v.Identity
	}
	return nil
}

// guarded is a stream on which only what the guard lets through is received.
type guarded struct {
	grpc.ServerStream
	guard *guard
	who   *certificate.Identity
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
	return s.guard.check(packet, s.who)
}

// check drops from a packet what may not pass, or refuses the whole of it. Who is nil where nobody shows who he is.
func (g *guard) check(packet *remote.RemoteMessage, who *certificate.Identity) error {
	switch m := packet.GetMessageType().(type) {
	case *remote.RemoteMessage_ConnectRequest:
		if m.ConnectRequest.GetServerConnection() != nil {
			return nil
		}
	case *remote.RemoteMessage_MessageBatch:
		if m.MessageBatch != nil {
			g.filter(m.MessageBatch, who)
			return nil
		}
	}
	return status.Error(grpccodes.InvalidArgument, "neither a greeting of a server nor a batch of messages")
}

func (g *guard) filter(b *remote.MessageBatch, who *certificate.Identity) {
	faults := g.readTables(b, who)
	kept := b.Envelopes[:0]
	for _, e := range b.GetEnvelopes() {
		if fault := faults.of(e); fault != "" {
			g.drop(fault)
			continue
		}
		if fault := faults.deny(e, who); fault != "" {
			g.deny(fault, b.GetTypeNames()[e.GetTypeId()], who)
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

// deny drops what somebody may not send who should know it: that is worth a line.
func (g *guard) deny(fault, message string, who *certificate.Identity) {
	g.dropped.Add(1)
	g.seldom.Do(func() {
		g.log.Warn().Stringer("from", who).Str("message", message).Str("fault", fault).Msg("a message was dropped")
	})
}

// tables hold what the envelopes of one batch refer to: the shapes of types, nil where a type is none of ours, what the targets
// take, and the faults of the senders; empty where there is none.
type tables struct {
	guard   *guard
	types   []*shape
	traffic []traffic
	targets []traffic
	senders []string // what is wrong with them for anybody,
	denied  []string // and in this one's hand
}

func (g *guard) readTables(b *remote.MessageBatch, who *certificate.Identity) (t tables) {
	t.guard = g
	for _, name := range b.GetTypeNames() {
		t.types = append(t.types, g.types[name])
		t.traffic = append(t.traffic, g.traffic[name])
	}
	for _, name := range b.GetTargets() {
		target := nothing
		if len(name) <= maxName {
			target = taken(name)
		}
		t.targets = append(t.targets, target)
	}
	for _, pid := range b.GetSenders() {
		t.senders = append(t.senders, g.senderFault(pid))
		if who != nil {
			t.denied = append(t.denied, g.access.from(*who, pid.GetAddress(), pid.GetId()))
		}
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
	case !t.traffic[e.GetTypeId()].to(t.targets[e.GetTarget()]):
		return "its target takes no such messages"
	case e.GetSender() != 0 && t.senders[e.GetSender()-1] != "": // 0 is nobody
		return t.senders[e.GetSender()-1]
	case !t.types[e.GetTypeId()].fits(e.GetMessageData()):
		return "it is malformed, or has too many parts"
	case t.traffic[e.GetTypeId()] == endings:
		return t.guard.endingFault(e.GetMessageData())
	}
	return ""
}

// endingFault looks at who is said to have ended: protoactor takes that for granted, and connects to where it was.
func (g *guard) endingFault(data []byte) string {
	m := &actor.Terminated{}
	if proto.Unmarshal(data, m) != nil {
		return "it is malformed"
	}
	if g.senderFault(m.GetWho()) != "" {
		return "nobody can have ended there"
	}
	return ""
}

// endingDenied looks whether whoever says that an actor has ended may know it.
func (g *guard) endingDenied(data []byte, who certificate.Identity) string {
	m := &actor.Terminated{}
	if proto.Unmarshal(data, m) != nil {
		return "it is malformed"
	}
	return g.access.from(who, m.GetWho().GetAddress(), m.GetWho().GetId())
}

// deny returns what is wrong with an envelope, of which nothing else is, in the hand of this one.
func (t tables) deny(e *remote.MessageEnvelope, who *certificate.Identity) string {
	if who == nil {
		return ""
	}
	fault := t.traffic[e.GetTypeId()].of(*who, e.GetMessageData())
	if fault == "" && t.traffic[e.GetTypeId()] == endings {
		fault = t.guard.endingDenied(e.GetMessageData(), *who)
	}
	if fault != "" || e.GetSender() == 0 {
		return fault
	}
	return t.denied[e.GetSender()-1]
}

func within[T any](index int32, table []T) bool { return index >= 0 && int(index) < len(table) }

func unless(good bool, fault string) string {
	if good {
		return ""
	}
	return fault
}
