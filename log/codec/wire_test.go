package codec_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log/codec"
)

// form is one kind of message: how its value is drawn, written and read.
type form struct {
	name   string
	empty  func() proto.Message
	draw   func(*drawer) any
	encode func(any) proto.Message
	decode func(proto.Message) (any, error)
}

// forms are all messages that are read from peers and clients.
func forms() []form {
	return append(append(append(requests(), answers()...), parts()...), clients()...)
}

func (f form) read(t *testing.T, wire []byte) (any, error) {
	t.Helper()
	m := f.empty()
	if err := proto.Unmarshal(wire, m); err != nil {
		t.Fatalf("%s: what was encoded is no message: %v", f.name, err)
	}
	return f.decode(m)
}

func (f form) write(t *testing.T, v any) []byte {
	t.Helper()
	wire, err := proto.Marshal(f.encode(v))
	if err != nil {
		t.Fatalf("%s: %s cannot be sent: %v", f.name, text(v), err)
	}
	return wire
}

// text writes a value so that equal ones have equal texts, whether a list is empty or absent.
func text(v any) string { return strings.ReplaceAll(fmt.Sprintf("%#v", v), "(nil)", "{}") }

func TestWhatWasEncodedIsDecoded(t *testing.T) {
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			for seed := range uint64(300) {
				v := f.draw(&drawer{rand.New(rand.NewPCG(seed, 3))})
				got, err := f.read(t, f.write(t, v))
				if err != nil {
					t.Fatalf("seed %d: %s: %v", seed, text(v), err)
				}
				if text(got) != text(v) {
					t.Fatalf("seed %d:\ngot  %s\nwant %s", seed, text(got), text(v))
				}
			}
		})
	}
}

// TestFaultyMessageIsMalformedOrHarmless cuts, flips and repeats bytes of valid messages.
func TestFaultyMessageIsMalformedOrHarmless(t *testing.T) {
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			for seed := range uint64(300) {
				d := &drawer{rand.New(rand.NewPCG(seed, 4))}
				wire := d.spoil(f.write(t, f.draw(d)))
				f.check(t, wire, fmt.Sprintf("seed %d", seed))
			}
		})
	}
}

// check reads bytes that anybody may have sent: what is refused is refused as such, and what passes can be written and
// read again.
func (f form) check(t *testing.T, wire []byte, label string) {
	t.Helper()
	m := f.empty()
	if proto.Unmarshal(wire, m) != nil {
		return
	}
	v, err := f.decode(m)
	if err != nil {
		if !errors.Is(err, codec.ErrMalformed) && !errors.Is(err, codec.ErrTooLarge) {
			t.Fatalf("%s: %s: refused for a reason of its own: %v", label, f.name, err)
		}
		return
	}
	again, err := f.read(t, f.write(t, v))
	if err != nil || text(again) != text(v) {
		t.Fatalf("%s: %s: %s was accepted, and became %s, %v", label, f.name, text(v), text(again), err)
	}
}

func TestAbsentMessageDoesNotPanic(t *testing.T) {
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			absent := f.empty().ProtoReflect().Type().Zero().Interface()
			if _, err := f.decode(absent); err == nil && f.name != "Page" {
				t.Error("nothing was accepted as a message")
			}
		})
	}
}

// TestDecoderAllocatesInProportion measures what a decoder allocates: no claim of a message may make it allocate more than
// its size warrants.
func TestDecoderAllocatesInProportion(t *testing.T) {
	const perByte, perMessage = 100, 4096
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			for seed := range uint64(100) {
				d := &drawer{rand.New(rand.NewPCG(seed, 6))}
				wire := f.write(t, f.draw(d))
				if seed%2 == 0 {
					wire = d.spoil(wire)
				}
				m := f.empty()
				if proto.Unmarshal(wire, m) != nil {
					continue
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, _ = f.decode(m) // refused or not: what counts is the memory
				runtime.ReadMemStats(&after)
				if got := after.TotalAlloc - before.TotalAlloc; got > perMessage+perByte*uint64(len(wire)) {
					t.Errorf("seed %d: %d bytes were allocated for %d", seed, got, len(wire))
				}
			}
		})
	}
}
