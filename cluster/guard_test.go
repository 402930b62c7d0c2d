package cluster

import (
	"bytes"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/messages"
)

// asked is a batch with one good request of a client, which a test then spoils.
func asked(spoil func(*remote.MessageBatch)) *remote.RemoteMessage {
	p := envelope(2)
	b := p.GetMessageBatch()
	b.Senders = []*actor.PID{actor.NewPID("127.0.0.1:9", "client-$1")}
	b.Envelopes[0].Sender = 1
	spoil(b)
	return p
}

// hostile are batches of which nothing may pass.
func hostile() map[string]*remote.RemoteMessage {
	first := func(spoil func(*remote.MessageEnvelope)) *remote.RemoteMessage {
		return asked(func(b *remote.MessageBatch) { spoil(b.Envelopes[0]) })
	}
	typed := func(m proto.Message) *remote.RemoteMessage {
		return asked(func(b *remote.MessageBatch) { b.TypeNames[0] = string(proto.MessageName(m)) })
	}
	target := func(name string) *remote.RemoteMessage {
		return asked(func(b *remote.MessageBatch) { b.Targets[0] = name })
	}
	sender := func(pid *actor.PID) *remote.RemoteMessage {
		return asked(func(b *remote.MessageBatch) { b.Senders[0] = pid })
	}
	return map[string]*remote.RemoteMessage{
		"nil envelope":       asked(func(b *remote.MessageBatch) { b.Envelopes[0] = nil }),
		"type above":         first(func(e *remote.MessageEnvelope) { e.TypeId = 1 }),
		"type below":         first(func(e *remote.MessageEnvelope) { e.TypeId = -1 }),
		"target above":       first(func(e *remote.MessageEnvelope) { e.Target = 1 }),
		"target below":       first(func(e *remote.MessageEnvelope) { e.Target = -1 }),
		"sender above":       first(func(e *remote.MessageEnvelope) { e.Sender = 2 }),
		"sender below":       first(func(e *remote.MessageEnvelope) { e.Sender = -1 }),
		"sender far below":   first(func(e *remote.MessageEnvelope) { e.Sender = -1 << 31 }),
		"JSON":               first(func(e *remote.MessageEnvelope) { e.SerializerId = 1 }),
		"no serializer":      first(func(e *remote.MessageEnvelope) { e.SerializerId = 99 }),
		"too large":          first(func(e *remote.MessageEnvelope) { e.MessageData = make([]byte, maxMessage+1) }),
		"garbage":            first(func(e *remote.MessageEnvelope) { e.MessageData = []byte{0xff, 0xff} }),
		"Terminated":         typed(&actor.Terminated{}),
		"Watch":              typed(&actor.Watch{}),
		"Unwatch":            typed(&actor.Unwatch{}),
		"Stop":               typed(&actor.Stop{}),
		"PoisonPill":         typed(&actor.PoisonPill{}),
		"DeadLetterResponse": typed(&actor.DeadLetterResponse{}),
		"spawn":              typed(&remote.ActorPidRequest{}),
		"a part of ours":     typed(&messages.Header{}),
		"what is on disk":    typed(&messages.Metadata{}),
		"the root":           target(logName),
		"the coordinator":    target(logName + "/coordinator"),
		"below the replica":  target(logName + "/replica/$1"),
		"another actor":      target("somebody"),
		"a guardian":         target("guardian$1"),
		"the activator":      target(activator),
		"the supervisor":     target(supervisor),
		"a future":           target("future$1"),
		"nobody":             target(""),
		"nil sender":         sender(nil),
		"nameless sender":    sender(actor.NewPID("127.0.0.1:9", "")),
		"homeless sender":    sender(actor.NewPID("", "client-$1")),
		"hostless sender":    sender(actor.NewPID(":9", "client-$1")),
		"socket as sender":   sender(actor.NewPID("unix:/run/some.sock", "client-$1")),
		"sender that is us":  sender(actor.NewPID(ownAddress, logName+"/replica")),
		"too many parts": asked(func(b *remote.MessageBatch) {
			b.TypeNames[0] = string(proto.MessageName(&messages.LearnedMessage{}))
			b.Envelopes[0].MessageData = bytes.Repeat([]byte{0x1a, 0}, 1000) // a range, once more
		}),
		"no tables": asked(func(b *remote.MessageBatch) { b.TypeNames, b.Targets, b.Senders = nil, nil, nil }),
	}
}

// aSubscription is the name of an actor that a subscriber talks to.
const aSubscription = logName + "/" + member.Gateway + "/" + member.Subscription + "0123"

// ended is a batch that says of an actor, to another one, that it has ended.
func ended(who *actor.PID, target string) *remote.RemoteMessage {
	return asked(func(b *remote.MessageBatch) {
		data, err := proto.Marshal(&actor.Terminated{Who: who})
		if err != nil {
			panic(err)
		}
		b.TypeNames[0], b.Targets[0] = string(proto.MessageName(&actor.Terminated{})), target
		b.Envelopes[0].MessageData, b.Envelopes[0].Sender = data, 0
	})
}

// hostileEndings are what nobody may say of an actor that has ended.
func hostileEndings() map[string]*remote.RemoteMessage {
	good := actor.NewPID("127.0.0.1:9", "$1")
	spoiled := func(spoil func(*remote.MessageBatch)) *remote.RemoteMessage {
		p := ended(good, aSubscription)
		spoil(p.GetMessageBatch())
		return p
	}
	return map[string]*remote.RemoteMessage{
		"nobody":              ended(nil, aSubscription),
		"nameless":            ended(actor.NewPID("127.0.0.1:9", ""), aSubscription),
		"homeless":            ended(actor.NewPID("", "$1"), aSubscription),
		"a socket":            ended(actor.NewPID("unix:/run/some.sock", "$1"), aSubscription),
		"one of our own":      ended(actor.NewPID(ownAddress, logName+"/replica"), aSubscription),
		"told the gateway":    ended(good, logName+"/"+member.Gateway),
		"told the replica":    ended(good, logName+"/"+member.Replica),
		"told the root":       ended(good, logName),
		"told a search":       ended(good, logName+"/"+member.Gateway+"/$1"),
		"told a client":       ended(good, clientPrefix+"$1"),
		"told the supervisor": ended(good, supervisor),
		"garbage":             spoiled(func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = []byte{0xff, 0xff} }),
		"Watch":               spoiled(func(b *remote.MessageBatch) { b.TypeNames[0] = string(proto.MessageName(&actor.Watch{})) }),
		"Unwatch":             spoiled(func(b *remote.MessageBatch) { b.TypeNames[0] = string(proto.MessageName(&actor.Unwatch{})) }),
		"Stop":                spoiled(func(b *remote.MessageBatch) { b.TypeNames[0] = string(proto.MessageName(&actor.Stop{})) }),
		"PoisonPill":          spoiled(func(b *remote.MessageBatch) { b.TypeNames[0] = string(proto.MessageName(&actor.PoisonPill{})) }),
		"an append":           spoiled(func(b *remote.MessageBatch) { b.TypeNames[0] = string(proto.MessageName(&messages.AppendRequest{})) }),
		"a vote":              spoiled(func(b *remote.MessageBatch) { b.TypeNames[0] = string(proto.MessageName(&messages.PromiseRequest{})) }),
		"under the own address": spoiled(func(b *remote.MessageBatch) {
			b.Senders[0], b.Envelopes[0].Sender = actor.NewPID(ownAddress, "client-$1"), 1
		}),
	}
}

func TestOnlyTheEndOfAnActorElsewhereIsToldToASubscription(t *testing.T) {
	for name, packet := range hostileEndings() {
		g := newGuard(ownAddress, zerolog.Nop())
		if err := g.check(packet, nil); err != nil || len(packet.GetMessageBatch().GetEnvelopes()) != 0 {
			t.Errorf("%s passed: %v", name, err)
		}
	}
	good := ended(actor.NewPID("127.0.0.1:9", "$1"), aSubscription)
	if err := newGuard(ownAddress, zerolog.Nop()).check(good, nil); err != nil || len(good.GetMessageBatch().GetEnvelopes()) != 1 {
		t.Errorf("that a subscriber has ended is not let through: %v", err)
	}
}

const ownAddress = "127.0.0.1:4101"

func TestGuardDropsWhatMayNotPass(t *testing.T) {
	for name, packet := range hostile() {
		g := newGuard(ownAddress, zerolog.Nop())
		if err := g.check(packet, nil); err != nil {
			t.Errorf("%s: ended its stream: %v", name, err)
		}
		if left := len(packet.GetMessageBatch().GetEnvelopes()); left != 0 || g.dropped.Load() != 1 {
			t.Errorf("%s: %d passed, %d were dropped", name, left, g.dropped.Load())
		}
	}
}

func TestGuardKeepsTheGoodOfABatch(t *testing.T) {
	p := asked(func(b *remote.MessageBatch) {
		good := b.Envelopes[0]
		b.Envelopes = []*remote.MessageEnvelope{nil, good, {TypeId: 7}, proto.Clone(good).(*remote.MessageEnvelope), nil}
	})
	if err := newGuard(ownAddress, zerolog.Nop()).check(p, nil); err != nil {
		t.Fatal(err)
	}
	if left := p.GetMessageBatch().GetEnvelopes(); len(left) != 2 || left[0] == nil || left[1] == nil {
		t.Errorf("%v passed", left)
	}
}

func TestGuardTakesHeadersOff(t *testing.T) {
	p := asked(func(b *remote.MessageBatch) {
		b.Envelopes[0].MessageHeader = &remote.MessageHeader{HeaderData: map[string]string{"a": "b"}}
	})
	if err := newGuard(ownAddress, zerolog.Nop()).check(p, nil); err != nil {
		t.Fatal(err)
	}
	if left := p.GetMessageBatch().GetEnvelopes(); len(left) != 1 || left[0].GetMessageHeader() != nil {
		t.Errorf("%v passed", left)
	}
}

// senseless are packets that end their stream.
func senseless() map[string]*remote.RemoteMessage {
	return map[string]*remote.RemoteMessage{
		"nothing":    {},
		"nil batch":  {MessageType: &remote.RemoteMessage_MessageBatch{}},
		"greeting":   {MessageType: &remote.RemoteMessage_ConnectRequest{}},
		"an answer":  {MessageType: &remote.RemoteMessage_ConnectResponse{ConnectResponse: &remote.ConnectResponse{}}},
		"a farewell": {MessageType: &remote.RemoteMessage_DisconnectRequest{DisconnectRequest: &remote.DisconnectRequest{}}},
		"a client": {MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
			ConnectionType: &remote.ConnectRequest_ClientConnection{ClientConnection: &remote.ClientConnection{}},
		}}},
		"nil server": {MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
			ConnectionType: &remote.ConnectRequest_ServerConnection{},
		}}},
	}
}

func TestGuardEndsSenselessStreams(t *testing.T) {
	for name, packet := range senseless() {
		if err := newGuard(ownAddress, zerolog.Nop()).check(packet, nil); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func TestGuardKnowsWhatEachActorTakes(t *testing.T) {
	for name, want := range map[string]traffic{
		"replica": votes, "network": votes, "gateway": changes, "gateway/$1": votes, "gateway/subscription-1": grants, "recover/protocol": votes,
		"recover/$1/$2": votes, "coordinator/$1": votes, "follow/$1": votes, "coordinator": nothing, "replica/$1": nothing,
	} {
		if got := taken(logName + "/" + name); got != want {
			t.Errorf("%s takes %d, expected %d", name, got, want)
		}
	}
	if taken(clientPrefix+"$1") != answers || taken("client") != nothing {
		t.Error("clients take answers, and nobody else")
	}
}

// Every message that processes send to each other begins with a header or with the number of its request; parts of
// messages, and what is on disk, do not.
func TestGuardKnowsEveryMessageBetweenProcesses(t *testing.T) {
	known := newGuard(ownAddress, zerolog.Nop()).types
	all := messages.File_log_proto.Messages()
	for i := range all.Len() {
		m := all.Get(i)
		var first string
		if f := m.Fields().ByNumber(1); f != nil {
			first = string(f.Name())
		}
		if sent := first == "header" || first == "request"; sent != (known[string(m.FullName())] != nil) {
			t.Errorf("%s: sent between processes %t, let through %t", m.FullName(), sent, !sent)
		}
	}
}
