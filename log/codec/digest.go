package codec

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/quorumlog/quorumlog/log"
)

// Digest is the SHA-256 over position, kind, to, session, sequence and data of every record, numbers as 8 bytes big-endian, the
// data behind its length. Members that hold the same values have the same digest, under whatever proposals they accepted them.
func Digest(actions []log.Action) [sha256.Size]byte {
	h := sha256.New()
	var head [56]byte
	for _, a := range actions {
		binary.BigEndian.PutUint64(head[0:], uint64(a.Position))
		binary.BigEndian.PutUint64(head[8:], uint64(a.Value.Kind))
		binary.BigEndian.PutUint64(head[16:], uint64(a.Value.To))
		binary.BigEndian.PutUint64(head[24:], uint64(len(a.Value.Data)))
		copy(head[32:48], a.Value.Session[:])
		binary.BigEndian.PutUint64(head[48:], a.Value.Sequence)
		h.Write(head[:])
		h.Write(a.Value.Data)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
