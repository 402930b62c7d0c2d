package codec

import (
	"crypto/sha256"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/digest"
	"github.com/quorumlog/quorumlog/messages"
)

// Digest is the digest.Hash of records.
func Digest(actions []log.Action) [sha256.Size]byte {
	h := digest.NewHash()
	for _, a := range actions {
		h.Add(a)
	}
	return h.Sum()
}

// MaxBlocks is how many blocks an AuditMessage has at most.
const MaxBlocks = 256

// EncodeAuditMessage writes what a member says of blocks, of which there are at most MaxBlocks.
func EncodeAuditMessage(h *messages.Header, blocks []digest.Block) *messages.AuditMessage {
	m := &messages.AuditMessage{Header: h}
	for _, b := range blocks {
		m.Firsts, m.Sums = append(m.Firsts, uint64(b.First)), append(m.Sums, uint64(b.Sum))
	}
	return m
}

// DecodeAuditMessage reads it.
func DecodeAuditMessage(m *messages.AuditMessage) (e Envelope, blocks []digest.Block, err error) {
	if e, err = DecodeHeader(m.GetHeader()); err != nil {
		return e, nil, err
	}
	if n := len(m.GetFirsts()); n > MaxBlocks || n != len(m.GetSums()) {
		return e, nil, malformed("an audit has at most %d blocks and a sum for each, not %d and %d", MaxBlocks, n, len(m.GetSums()))
	}
	for i, first := range m.GetFirsts() {
		if !digest.Aligned(log.Position(first)) {
			return e, nil, malformed("no block begins at %d", first)
		}
		blocks = append(blocks, digest.Block{First: log.Position(first), Sum: digest.Sum(m.GetSums()[i])})
	}
	return e, blocks, nil
}
