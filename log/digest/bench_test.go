package digest_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/digest"
)

func BenchmarkHashOf128Bytes(b *testing.B) {
	a := log.Action{Position: 1, Value: log.Value{Kind: log.Append, Data: make([]byte, 128)}}
	h := digest.NewHash()
	b.SetBytes(128)
	for b.Loop() {
		h.Add(a)
	}
}
