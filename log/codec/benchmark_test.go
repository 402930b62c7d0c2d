package codec_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/messages"
)

// batch is a full batch of an ordinary writer.
func batch() codec.Write {
	w := codec.Write{By: byOne, First: 1 << 30, Settled: 1<<30 - 1}
	for range 256 {
		w.Values = append(w.Values, log.Value{Kind: log.Append, Data: bytes.Repeat([]byte{'x'}, 128)})
	}
	return w
}

// BenchmarkWriteRequest is what a batch of 256 entries of 128 B costs its sender, and each receiver.
func BenchmarkWriteRequest(b *testing.B) {
	from := identity.Identity{Replica: 1, Incarnation: identity.Incarnation{Generation: 1}, Boot: 1}
	w := batch()
	wire, err := proto.Marshal(codec.EncodeWriteRequest(codec.EncodeHeader(from, 7, nil), w))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := proto.Marshal(codec.EncodeWriteRequest(codec.EncodeHeader(from, 7, nil), w)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m := &messages.WriteRequest{}
			if err := proto.Unmarshal(wire, m); err != nil {
				b.Fatal(err)
			}
			if _, err := codec.DecodeWriteRequest(m); err != nil {
				b.Fatal(err)
			}
		}
	})
}
