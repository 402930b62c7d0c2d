package cluster

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"testing"

	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
)

// largest are messages of as many parts as members send, with as few bytes as those can have.
func largest() []proto.Message {
	by := log.NewProposal(1, 1)
	h := codec.EncodeHeader(identity.Identity{Replica: 1, Incarnation: identity.Incarnation{Generation: 1}, Boot: 1}, 1, vector())
	nops := func(n int) (all []log.Action) {
		for p := range log.Position(n) {
			all = append(all, log.Action{Position: 2*p + 1, Promised: by, Performed: by, Learned: true, Value: log.Value{Kind: log.NOP}})
		}
		return all
	}
	values := make([]log.Value, log.MaxRun)
	for i := range values {
		values[i] = log.Value{Kind: []log.Kind{log.NOP, log.Append}[i%2]}
	}
	all := log.Range{First: 1, Last: log.MaxPosition}
	page := &messages.Page{Range: &messages.Range{First: 1, Last: log.MaxRun}}
	for _, a := range nops(log.MaxRun) {
		page.Actions = append(page.Actions, &messages.Action{Position: 1, Promised: 1, Performed: 1, Learned: a.Learned, Value: codec.EncodeValue(a.Value)})
	}
	return []proto.Message{
		codec.EncodeFetchResponse(h, codec.Copied{Range: all, Actions: nops(log.MaxCopy)}),
		codec.EncodeWriteRequest(h, codec.Write{By: by, First: 1, Values: values}),
		codec.EncodePromiseResponse(h, paxos.Promised{Range: all, Actions: nops(log.MaxRun)}),
		codec.EncodeWriteResponse(h, paxos.Learned{Actions: nops(log.MaxRun)}),
		&messages.AppendRequest{Entries: make([][]byte, log.MaxRun)},
		&messages.ReadResponse{Outcome: &messages.ReadResponse_Page{Page: page}},
		&messages.Hello{Header: h},
		&messages.StatusResponse{Present: make([]uint32, codec.MaxMembers)},
	}
}

func vector() (v identity.Vector) {
	for id := range log.ReplicaID(codec.MaxMembers) {
		v = v.With(id+1, identity.Incarnation{Generation: 1})
	}
	return v
}

func TestGuardLetsTheLargestMessagesIn(t *testing.T) {
	g := newGuard(ownAddress, zerolog.Nop())
	for _, m := range append(largest(), wire()...) {
		data, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		s := g.types[string(proto.MessageName(m))]
		most := min(maxWeight, freeWeight+weightPerB*len(data))
		left := s.weigh(data, most)
		if left < 0 || !s.fits(data) {
			t.Errorf("%T of %d bytes is too heavy", m, len(data))
		}
		t.Logf("%T of %d bytes weighs %d of %d", m, len(data), most-left, most)
	}
}

// flood is a message with one list as long as a message can be, of parts that are empty: each field of each type in turn.
func flood(s *shape, to func(path string, wire []byte), path string, wrap func([]byte) []byte) {
	for number, f := range s.fields {
		tag := byte(number<<3 | 2)
		name := fmt.Sprintf("%s.%d", path, number)
		if f.inner != nil || f.list {
			wire := bytes.Repeat([]byte{tag, 0}, maxMessage/2-50)
			if f.numbers {
				wire = append(append([]byte{tag}, varint(maxMessage-100)...), make([]byte, maxMessage-100)...)
			}
			to(name, wrap(wire))
		}
		if f.inner != nil {
			flood(f.inner, to, name, func(inner []byte) []byte {
				return wrap(append(append([]byte{tag}, varint(len(inner))...), inner...))
			})
		}
	}
}

func varint(n int) (b []byte) {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func TestNoMessageTakesMuchMoreMemoryThanItsBytes(t *testing.T) {
	g := newGuard(ownAddress, zerolog.Nop())
	floods := 0
	for name, s := range g.types {
		flood(s, func(path string, wire []byte) {
			floods++
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			fits := s.fits(wire)
			runtime.ReadMemStats(&after)
			if fits || after.TotalAlloc-before.TotalAlloc > 1<<16 {
				t.Errorf("%s%s, empty and %d bytes long: fits %t, for %d bytes", name, path, len(wire), fits, after.TotalAlloc-before.TotalAlloc)
			}
		}, "", func(inner []byte) []byte { return inner })
	}
	if floods < 50 {
		t.Errorf("%d floods were tried", floods)
	}
}

func TestPacketOfTooManyPartsIsNotRead(t *testing.T) {
	for claim, b := range map[string]*remote.MessageBatch{
		"envelopes": {Envelopes: make([]*remote.MessageEnvelope, 100_000)},
		"names":     {TypeNames: make([]string, 300_000)},
		"targets":   {Targets: make([]string, 300_000)},
	} {
		for i := range b.Envelopes {
			b.Envelopes[i] = &remote.MessageEnvelope{}
		}
		p := &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}
		wire, err := proto.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := newWeighing().Unmarshal(mem.BufferSlice{mem.SliceBuffer(wire)}, &remote.RemoteMessage{}); err == nil {
			t.Errorf("%s: %d bytes were read", claim, len(wire))
		}
	}
}

// weightOf is what a message weighs once it is made.
func weightOf(m protoreflect.Message) int {
	weight := weighPointer + int(reflect.TypeOf(m.Interface()).Elem().Size())
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				weight += weightOf(v.List().Get(i).Message())
			}
		case f.IsList() && (f.Kind() == protoreflect.BytesKind || f.Kind() == protoreflect.StringKind):
			weight += v.List().Len() * weighElement
		case f.IsList():
			weight += v.List().Len() * 4
		case f.Message() != nil:
			weight += weightOf(v.Message())
		}
		return true
	})
	return weight
}

// FuzzWeight looks whether what fits weighs no more than it may once it is made.
func FuzzWeight(f *testing.F) {
	all := wire()
	for _, m := range append(largest(), all...) {
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		for which := range all {
			if reflect.TypeOf(all[which]) == reflect.TypeOf(m) {
				f.Add(uint8(which), data[:min(len(data), 2000)]) // the fuzzer is slow with long ones
			}
		}
	}
	g := newGuard(ownAddress, zerolog.Nop())
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		m := wire()[int(which)%len(all)]
		if !g.types[string(proto.MessageName(m))].fits(data) || proto.Unmarshal(data, m) != nil {
			return
		}
		if got, most := weightOf(m.ProtoReflect()), min(maxWeight, freeWeight+weightPerB*len(data)); got > most {
			t.Errorf("%T of %d bytes weighs %d, more than %d", m, len(data), got, most)
		}
	})
}

// BenchmarkWeight compares what it costs to weigh a message with what it costs to read it.
func BenchmarkWeight(b *testing.B) {
	g := newGuard(ownAddress, zerolog.Nop())
	entries := make([]log.Value, 256)
	for i := range entries {
		entries[i] = log.Value{Kind: log.Append, Data: make([]byte, 128)}
	}
	write := codec.EncodeWriteRequest(codec.EncodeHeader(identity.Identity{Replica: 1}, 1, nil), codec.Write{By: 1 << 17, First: 1, Values: entries})
	for name, m := range map[string]proto.Message{"write of 256": write, "copy of 8192": largest()[0], "append of 1024": largest()[4]} {
		data, err := proto.Marshal(m)
		if err != nil {
			b.Fatal(err)
		}
		s := g.types[string(proto.MessageName(m))]
		b.Run(name+"/weigh", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !s.fits(data) {
					b.Fatal("too heavy")
				}
			}
		})
		b.Run(name+"/read", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := proto.Unmarshal(data, m.ProtoReflect().New().Interface()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
