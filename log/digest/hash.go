package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/quorumlog/quorumlog/log"
)

// Hash is a SHA-256 over position, kind, to, session, sequence and data of every record, numbers as 8 bytes big-endian, the data
// behind its length. Members that hold the same values have the same one, under whatever proposals they accepted them.
type Hash struct {
	inner hash.Hash
	head  [56]byte
}

// NewHash returns that of no record.
func NewHash() *Hash { return &Hash{inner: sha256.New()} }

// Add adds a record, behind the others.
func (h *Hash) Add(a log.Action) {
	binary.BigEndian.PutUint64(h.head[0:], uint64(a.Position))
	binary.BigEndian.PutUint64(h.head[8:], uint64(a.Value.Kind))
	binary.BigEndian.PutUint64(h.head[16:], uint64(a.Value.To))
	binary.BigEndian.PutUint64(h.head[24:], uint64(len(a.Value.Data)))
	copy(h.head[32:48], a.Value.Session[:])
	binary.BigEndian.PutUint64(h.head[48:], a.Value.Sequence)
	h.inner.Write(h.head[:])
	h.inner.Write(a.Value.Data)
}

// Sum is the hash of all records that were added.
func (h *Hash) Sum() [sha256.Size]byte { return [sha256.Size]byte(h.inner.Sum(nil)) }

// Block is the first 8 bytes of Sum, as the sum of a block: enough to tell blocks apart that nobody makes alike on purpose.
func (h *Hash) Block() Sum {
	all := h.Sum()
	return Sum(binary.BigEndian.Uint64(all[:]))
}
