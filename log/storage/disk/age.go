package disk

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

// loadAge reads how many syncs the disk has seen. A disk that was never synced since ages are counted has none.
func (s *Store) loadAge() error {
	var age uint64
	key := s.keys.key(ageSpace)
	_, err := s.view(key, func(value []byte) (err error) {
		age, err = decodeAge(key, value)
		return err
	})
	if err != nil {
		return err
	}
	s.syncs = age
	s.age.Store(age)
	return nil
}

// setAge writes the age into a batch.
func (s *Store) setAge(b *pebble.Batch, age uint64) error {
	key := s.keys.key(ageSpace)
	return b.Set(key, s.coder.encodeAge(key, age), nil)
}

func (c *coder) encodeAge(key []byte, age uint64) []byte {
	c.buffer = seal(key, binary.BigEndian.AppendUint64(c.buffer[:0], age))
	return c.buffer
}

func decodeAge(key, sealed []byte) (uint64, error) {
	b, err := unseal(key, sealed)
	if err != nil {
		return 0, err
	}
	if len(b) != 8 {
		return 0, fmt.Errorf("%w: the age of the disk is %x", storage.ErrCorrupt, b)
	}
	return binary.BigEndian.Uint64(b), nil
}

func heardOut(h identity.Heard) *messages.Heard {
	return &messages.Heard{
		Replica: uint32(h.Replica), Incarnation: incarnationOut(h.Process.Incarnation), Boot: h.Process.Boot,
		Process: h.Process.Nonce, BootAge: h.Process.BootAge, Age: h.Process.Age,
	}
}

func heardIn(m *messages.Heard) identity.Heard {
	return identity.Heard{Replica: log.ReplicaID(m.Replica), Process: identity.Process{
		Incarnation: incarnationIn(m.Incarnation), Boot: m.Boot, Nonce: m.Process, BootAge: m.BootAge, Age: m.Age,
	}}
}
