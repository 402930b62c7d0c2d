package actortest

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

const (
	tail    = 200 // lines kept
	longest = 240 // bytes of a message in a line
)

// trace keeps the last steps and a hash of all of them.
type trace struct {
	ring   [tail]line
	count  uint64
	hash   uint64
	sink   func(string)
	buffer []byte // what the hash of the last line was made from; kept for the next one
}

// line is one step; it is put into words only when somebody reads it.
type line struct {
	at       time.Duration
	what     string
	from, to party
	message  any
}

// party is who sent, or got, what a line is about: an actor, by its node and its name; a node, without a name; or nobody.
type party struct{ node, actor string }

// note adds one line. Only what is the same in each run of a seed counts in the hash: no pointer, no map, and no text of
// a protobuf, which differs from build to build.
func (t *trace) note(at time.Duration, what string, from, to party, message any) {
	t.add(line{at, what, from, to, message}, nil)
}

// add is note for a line. The bytes of a protobuf that came over the network need not be made again; they are nil for all
// else.
func (t *trace) add(one line, marshalled []byte) {
	l := &t.ring[t.count%tail]
	*l = one
	t.count++
	t.buffer = l.fingerprint(t.buffer[:0], marshalled)
	t.hash = mix(t.hash, t.buffer)
	if t.sink != nil {
		t.sink(l.String())
	}
}

func (l *line) fingerprint(b, marshalled []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(l.at))
	b = append(append(b, l.what...), 0)
	b = append(l.from.append(b), 0)
	b = append(l.to.append(b), 0)
	if p, ok := l.message.(proto.Message); ok {
		b = append(b, p.ProtoReflect().Descriptor().FullName()...)
		if marshalled != nil {
			return append(b, marshalled...)
		}
		marshalled, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(b, p)
		if err == nil {
			return marshalled
		}
	}
	if l.message == nil {
		return b
	}
	return append(b, reflect.TypeOf(l.message).String()...)
}

// mix adds bytes to a hash, eight at a time, in the manner of FNV: much depends on its speed, and nothing on its quality
// beyond that two histories hardly ever have the same.
func mix(hash uint64, b []byte) uint64 {
	const prime = 1099511628211
	hash = (hash ^ uint64(len(b))) * prime
	for ; len(b) >= 8; b = b[8:] {
		hash = (hash ^ binary.LittleEndian.Uint64(b)) * prime
		hash ^= hash >> 32
	}
	for _, x := range b {
		hash = (hash ^ uint64(x)) * prime
	}
	return hash ^ hash>>29
}

// String is for people.
func (l line) String() string {
	s := fmt.Sprintf("%12v  %-7s %s <- %s  %s", l.at, l.what, l.to, l.from, words(l.message))
	return strings.ReplaceAll(s, " <-   ", "  ")
}

func words(message any) string {
	if message == nil {
		return ""
	}
	body := fmt.Sprintf("%+v", message)
	if p, ok := message.(proto.Message); ok {
		body = prototext.MarshalOptions{}.Format(p)
	}
	if len(body) > longest {
		body = body[:longest] + "..."
	}
	return fmt.Sprintf("%T %s", message, body)
}

// Hash sums up all that happened so far: time, sender, receiver and content of every step. One seed and one program give
// one hash.
func (w *World) Hash() uint64 { return w.trace.hash }

// Steps counts the lines of the trace so far.
func (w *World) Steps() uint64 { return w.trace.count }

// Tail is the last 200 lines of the trace, for people: time, what happened, receiver <- sender, message.
func (w *World) Tail() string {
	var s strings.Builder
	for i := w.trace.count - min(w.trace.count, tail); i < w.trace.count; i++ {
		fmt.Fprintln(&s, w.trace.ring[i%tail])
	}
	return s.String()
}

// Verbose gives every line of the trace, and of the actor systems' own logs, to sink as it happens. nil turns it off.
//
//	w.Verbose(func(line string) { t.Log(line) })
func (w *World) Verbose(sink func(line string)) {
	w.trace.sink = sink
	if w.mold != nil {
		w.mold.logs.tell(sink)
	}
}

// append adds the name to what a hash is made from.
func (p party) append(b []byte) []byte {
	b = append(b, p.node...)
	if p.actor != "" {
		b = append(append(b, '/'), p.actor...)
	}
	return b
}

// String is for people.
func (p party) String() string { return string(p.append(nil)) }

// where names a PID.
func where(p *actor.PID) party {
	if p == nil {
		return party{}
	}
	return party{p.Address, p.Id}
}
