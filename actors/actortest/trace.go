package actortest

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

const (
	tail     = 200 // lines kept
	longest  = 240 // bytes of a message in a line
	noLogger = slog.Level(100)
)

// trace keeps the last steps and a hash of all of them.
type trace struct {
	ring  [tail]line
	count uint64
	hash  hash.Hash64
	sink  func(string)
}

// line is one step; it is put into words only when somebody reads it.
type line struct {
	at             time.Duration
	what, from, to string
	message        any
}

func newTrace() trace { return trace{hash: fnv.New64a()} }

// note adds one line. Only what is the same in each run of a seed counts in the hash: no pointer, no map, and no text of
// a protobuf, which differs from build to build.
func (t *trace) note(at time.Duration, what, from, to string, message any) {
	l := line{at, what, from, to, message}
	t.ring[t.count%tail] = l
	t.count++
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(at))
	_, _ = t.hash.Write(b[:]) // a hash never fails
	_, _ = io.WriteString(t.hash, what+"\x00"+from+"\x00"+to+"\x00")
	_, _ = t.hash.Write(fingerprint(message))
	if t.sink != nil {
		t.sink(l.String())
	}
}

func fingerprint(message any) []byte {
	p, ok := message.(proto.Message)
	if !ok {
		return fmt.Appendf(nil, "%T", message)
	}
	b := []byte(p.ProtoReflect().Descriptor().FullName())
	b, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(b, p)
	if err != nil {
		return fmt.Appendf(nil, "%T", message)
	}
	return b
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
func (w *World) Hash() uint64 { return w.trace.hash.Sum64() }

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
func (w *World) Verbose(sink func(line string)) { w.trace.sink = sink }

// where names a PID.
func where(p *actor.PID) string {
	if p == nil {
		return ""
	}
	return p.Address + "/" + p.Id
}

// logs is where the actor systems log to: nowhere, unless the world is verbose.
type logs struct{ world *World }

// Level is asked before each line.
func (l logs) Level() slog.Level {
	if l.world.trace.sink == nil {
		return noLogger
	}
	return slog.LevelDebug
}

// Write takes one line.
func (l logs) Write(b []byte) (int, error) {
	if sink := l.world.trace.sink; sink != nil {
		sink(strings.TrimSuffix(string(b), "\n"))
	}
	return len(b), nil
}

func (l logs) logger(*actor.ActorSystem) *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: l, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}
