package cluster

import (
	"fmt"
	"reflect"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// What protobuf makes of a message may be a hundred times larger than the message was on its way: a part that is empty takes two
// bytes there, and a struct here. So the parts are weighed before they are made. The weight is what they take beside the
// bytes that they hold. Of all that a member sends, a write of NOPs and empty entries in turns weighs most: 17 bytes for each on
// the way.
const (
	maxWeight    = 4 << 20 // of a message, or of a packet
	freeWeight   = 4 << 10 // what the smallest may weigh
	weightPerB   = 24      // what a message may weigh for each of its bytes
	weighPointer = 8       // of a list: each message, beside itself
	weighElement = 24      // of a list: each entry, or text
	weighNumber  = 8       // of a list: each number, or each byte where they are in one piece
	weighUnknown = 128     // a message of no type that this process knows
)

// shape is how the fields of a type of message weigh, by their numbers.
type shape struct {
	weight int // of one
	fields []field
}

type field struct {
	inner   *shape // of a message; nil: it is none
	list    bool
	numbers bool // it is a list of numbers, which may be in one piece
}

// shapeOf looks at a type and at what it is made of.
func shapeOf(d protoreflect.MessageDescriptor, known map[protoreflect.FullName]*shape) *shape {
	if s := known[d.FullName()]; s != nil {
		return s
	}
	s := &shape{weight: weighUnknown}
	if t, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName()); err == nil {
		s.weight = weighPointer + int(reflect.TypeOf(t.Zero().Interface()).Elem().Size())
	}
	known[d.FullName()] = s
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		for len(s.fields) <= int(f.Number()) {
			s.fields = append(s.fields, field{})
		}
		numbers := f.IsList() && f.Kind() != protoreflect.StringKind && f.Kind() != protoreflect.BytesKind && f.Message() == nil
		s.fields[f.Number()] = field{list: f.IsList(), numbers: numbers}
		if f.Message() != nil {
			s.fields[f.Number()].inner = shapeOf(f.Message(), known)
		}
	}
	return s
}

// fits says whether a message that is written as these bytes may be read.
func (s *shape) fits(wire []byte) bool {
	return s.weigh(wire, min(maxWeight, freeWeight+weightPerB*len(wire))) >= 0
}

// weigh returns what is left of a weight; negative if it is too little, or if this is no message.
func (s *shape) weigh(wire []byte, left int) int {
	for left -= s.weight; len(wire) > 0 && left >= 0; {
		number, kind, n := protowire.ConsumeTag(wire)
		if n < 0 {
			return -1
		}
		var f field
		if int(number) < len(s.fields) {
			f = s.fields[number]
		}
		wire = wire[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, wire); f.list {
				left -= weighNumber
			}
		} else {
			var inner []byte
			inner, n = protowire.ConsumeBytes(wire)
			left = f.weigh(inner, left)
		}
		if n < 0 {
			return -1
		}
		wire = wire[n:]
	}
	return left
}

// weigh is the same for a field in one piece: a message, bytes, or a list of numbers.
func (f field) weigh(inner []byte, left int) int {
	switch {
	case f.inner != nil:
		return f.inner.weigh(inner, left)
	case f.numbers:
		return left - weighNumber*len(inner)
	case f.list:
		return left - weighElement
	}
	return left
}

// weighing reads packets of protoactor as gRPC does, but none that would take too much memory. It is for both ends of a
// stream: who is connected to may answer, too.
type weighing struct {
	encoding.CodecV2
	packet *shape
}

func newWeighing() weighing {
	packet := (&remote.RemoteMessage{}).ProtoReflect().Descriptor()
	return weighing{encoding.GetCodecV2(protocodec.Name), shapeOf(packet, map[protoreflect.FullName]*shape{})}
}

// Unmarshal implements encoding.CodecV2.
func (w weighing) Unmarshal(data mem.BufferSlice, v any) error {
	packet, ok := v.(*remote.RemoteMessage)
	if !ok {
		return w.CodecV2.Unmarshal(data, v)
	}
	wire := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer wire.Free()
	if !w.packet.fits(wire.ReadOnlyData()) {
		return fmt.Errorf("a packet of %d bytes is malformed, or has too many parts", wire.Len())
	}
	return proto.Unmarshal(wire.ReadOnlyData(), packet)
}

func (w weighing) ofServer() grpc.ServerOption { return grpc.ForceServerCodecV2(w) }

func (w weighing) ofCall() grpc.CallOption { return grpc.ForceCodecV2(w) }
