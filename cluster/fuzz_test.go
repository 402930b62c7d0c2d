package cluster

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/member"
)

// FuzzPacket feeds the guard with packets. What it lets through must be something that protoactor can index into, of our
// types, for actors that take messages, and from nobody who claims this process's own address.
func FuzzPacket(f *testing.F) {
	for _, e := range []*remote.MessageEnvelope{
		{}, {TypeId: 0, Target: 0, Sender: 1, MessageData: []byte("x")}, {TypeId: 3}, {Target: -1}, {Sender: 9}, {SerializerId: 1},
	} {
		wire, err := proto.Marshal(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
			TypeNames: []string{"quorumlog.Hello"}, Targets: []string{logName + "/" + member.Replica},
			Senders: []*actor.PID{actor.NewPID("127.0.0.1:9", "x")}, Envelopes: []*remote.MessageEnvelope{e},
		}}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	for _, p := range hostileEndings() {
		wire, err := proto.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	g := newGuard("127.0.0.1:1", zerolog.Nop())
	f.Fuzz(func(t *testing.T, wire []byte) {
		packet := &remote.RemoteMessage{}
		if proto.Unmarshal(wire, packet) != nil || g.check(packet, nil) != nil {
			return
		}
		for _, e := range packet.GetMessageBatch().GetEnvelopes() {
			b := packet.GetMessageBatch()
			if g.types[b.TypeNames[e.TypeId]] == nil || taken(b.Targets[e.Target]) == nothing || len(e.MessageData) > maxMessage || e.MessageHeader != nil {
				t.Errorf("let through: %v", e)
			}
			if e.Sender > 0 && b.Senders[e.Sender-1].GetAddress() == g.own {
				t.Errorf("let through under our own address: %v", e)
			}
			if b.TypeNames[e.TypeId] == "actor.Terminated" && taken(b.Targets[e.Target]) != grants {
				t.Errorf("an end was let through to %s", b.Targets[e.Target])
			}
		}
	})
}
