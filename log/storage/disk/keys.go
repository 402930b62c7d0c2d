package disk

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// The spaces of keys.
const (
	ageSpace      = 'a'
	learnedSpace  = 'l'
	metadataSpace = 'm'
	recordSpace   = 'p'

	checkpointSpace = 'c'
	damagedSpace    = 'd'
	sparedSpace     = 'k'

	// The logs that have a name have two spaces together: what they write again and again is beside that of the log without one, and
	// all records come after it.
	namedSpace       = 'n'
	namedRecordSpace = 'q'
)

// keys are those of one log, by its number; 0 is the log without a name.
type keys uint8

// start begins a key: its space, and before that, what tells the logs apart.
func (k keys) start(b []byte, space byte) []byte {
	switch {
	case k == 0:
		return append(b, space)
	case space == recordSpace:
		return append(b, namedRecordSpace, byte(k))
	default:
		return append(b, namedSpace, byte(k), space)
	}
}

// key is one that has no position.
func (k keys) key(space byte) []byte { return k.start(nil, space) }

// end is the first key above a space.
func (k keys) end(space byte) []byte {
	b := k.key(space)
	b[len(b)-1]++
	return b
}

// at is the key of a position in a space.
func (k keys) at(space byte, p log.Position) []byte {
	return k.append(make([]byte, 0, longestKey), space, p)
}

func (k keys) append(b []byte, space byte, p log.Position) []byte {
	return binary.BigEndian.AppendUint64(k.start(b, space), uint64(p))
}

func (k keys) record(p log.Position) []byte { return k.at(recordSpace, p) }

// above is the first key above the records up to last.
func (k keys) above(last log.Position) []byte {
	if last > log.MaxPosition {
		return k.end(recordSpace)
	}
	return k.record(last + 1)
}

// isRecord says whether a key of this log, or one between, is that of a record.
func (k keys) isRecord(key []byte) bool { return bytes.Compare(key, k.record(0)) >= 0 }

// small is the span of all keys of the log but its records.
func (k keys) small() (from, to []byte) {
	if k == 0 {
		return []byte{0}, []byte{namedSpace}
	}
	return []byte{namedSpace, byte(k)}, []byte{namedSpace, byte(k) + 1}
}

const longestKey = 3 + 8

// headOf is how many bytes stand before the position in a key.
func headOf(key []byte) int {
	switch {
	case len(key) == 0 || key[0] != namedSpace && key[0] != namedRecordSpace:
		return 1
	case key[0] == namedRecordSpace:
		return 2
	default:
		return 3
	}
}

// position returns the position that a key ends with.
func position(key []byte) (log.Position, error) {
	head := headOf(key)
	if len(key) != head+8 {
		return 0, fmt.Errorf("%w: key %x has %d bytes, not %d", storage.ErrCorrupt, key, len(key), head+8)
	}
	return log.Position(binary.BigEndian.Uint64(key[head:])), nil
}
