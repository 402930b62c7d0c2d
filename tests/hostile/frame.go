package hostile

import (
	"encoding/binary"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/quorumlog/quorumlog/log/invariant"
	"github.com/quorumlog/quorumlog/messages"
)

// Frame is one message on its way to the subject.
type Frame struct {
	Kind   uint8 // of message, see kinds
	Target uint8 // of the actors of the subject, in the order of their names
	Guise  Guise
	Wire   []byte // the message
}

// Guise is whose header a message carries.
type Guise uint8

const (
	bare     Guise = iota // as it is
	peer                  // that of a peer
	stranger              // that of a peer of another cluster
	impostor              // that of a peer that no member list names
	older                 // that of a dead incarnation of the peer
	guises
)

// most is how many frames one input may have.
const most = 8

// kinds are the messages of the schema that travel.
func kinds() []proto.Message {
	var all []proto.Message
	list := messages.File_log_proto.Messages()
	for i := range list.Len() {
		if d := list.Get(i); travels(d) {
			all = append(all, empty(d))
		}
	}
	return all
}

// travels says whether a message is sent on its own: it has a header, or it is a client's request or what it is answered.
func travels(d protoreflect.MessageDescriptor) bool {
	fields := d.Fields()
	return fields.ByName("header") != nil || fields.ByName("request") != nil && d.Name() != "Header"
}

// parse takes an input apart. Every input is some list of frames.
func parse(input []byte) []Frame {
	var frames []Frame
	for len(input) >= 5 && len(frames) < most {
		f := Frame{Kind: input[0], Target: input[1], Guise: Guise(input[2]) % guises}
		n := min(int(binary.BigEndian.Uint16(input[3:5])), len(input)-5)
		f.Wire, input = input[5:5+n], input[5+n:]
		frames = append(frames, f)
	}
	return frames
}

// format is the input that parse takes apart into these frames.
func format(frames []Frame) []byte {
	var b []byte
	for _, f := range frames {
		b = append(b, f.Kind, f.Target, byte(f.Guise))
		b = binary.BigEndian.AppendUint16(b, uint16(len(f.Wire)))
		b = append(b, f.Wire...)
	}
	return b
}

// empty is a message of the kind.
func empty(d protoreflect.MessageDescriptor) proto.Message {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	invariant.Hold(err == nil, "%s is not a message of the schema: %v", d.FullName(), err)
	return kind.New().Interface()
}
