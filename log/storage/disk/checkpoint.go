package disk

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// SetCheckpoint replaces the checkpoint.
func (s *Store) SetCheckpoint(c storage.Checkpoint) error {
	key := s.keys.key(checkpointSpace)
	err := s.change(func(b *pebble.Batch) error { return b.Set(key, s.coder.encodeCheckpoint(key, c), nil) })
	if err != nil {
		return fmt.Errorf("store the checkpoint at %d: %w", c.UpTo, err)
	}
	return nil
}

// Checkpoint returns the checkpoint.
func (s *Store) Checkpoint() (c storage.Checkpoint, err error) {
	if err := s.enter(); err != nil {
		return c, err
	}
	key := s.keys.key(checkpointSpace)
	_, err = s.view(key, func(value []byte) (err error) {
		c, err = decodeCheckpoint(key, value)
		return err
	})
	if err != nil {
		return storage.Checkpoint{}, fmt.Errorf("read the checkpoint: %w", s.fault.fail(err))
	}
	return c, nil
}

func (c *coder) encodeCheckpoint(key []byte, p storage.Checkpoint) []byte {
	b := binary.BigEndian.AppendUint64(c.buffer[:0], uint64(p.UpTo))
	c.buffer = seal(key, append(b, p.Table...))
	return c.buffer
}

// decodeCheckpoint returns a checkpoint with bytes of its own.
func decodeCheckpoint(key, sealed []byte) (storage.Checkpoint, error) {
	b, err := unseal(key, sealed)
	if err != nil {
		return storage.Checkpoint{}, err
	}
	if len(b) < 8 {
		return storage.Checkpoint{}, fmt.Errorf("%w: the checkpoint has %d bytes", storage.ErrCorrupt, len(b))
	}
	c := storage.Checkpoint{UpTo: log.Position(binary.BigEndian.Uint64(b))}
	if len(b) > 8 {
		c.Table = append([]byte(nil), b[8:]...)
	}
	return c, nil
}
