package disk

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

// sessioned is added to the kind of a value that is of a session.
const sessioned = 1 << 7

const crcSize = 4

// seal appends the checksum of key and value to the value.
func seal(key, value []byte) []byte {
	return binary.BigEndian.AppendUint32(value, checksum(key, value))
}

// unseal returns the value without its checksum, once that is right.
func unseal(key, sealed []byte) ([]byte, error) {
	n := len(sealed) - crcSize
	if n < 0 {
		return nil, fmt.Errorf("%w: the value of key %x has %d bytes, less than its checksum", storage.ErrCorrupt, key, len(sealed))
	}
	want, got := binary.BigEndian.Uint32(sealed[n:]), checksum(key, sealed[:n])
	if want != got {
		return nil, fmt.Errorf("%w: the value of key %x has the checksum %08x, not %08x", storage.ErrCorrupt, key, got, want)
	}
	return sealed[:n], nil
}

// MakeTable returns the same table every time, and crc32 then uses the processor's instruction.
func checksum(key, value []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Update(0, table, key), table, value)
}

// coder turns values of one log into bytes. What it returns is overwritten by its next call.
type coder struct {
	keys   keys
	key    []byte
	buffer []byte
}

func (c *coder) encode(key []byte, m proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{}.MarshalAppend(c.buffer[:0], m)
	if err != nil {
		return nil, fmt.Errorf("encode the value of key %x: %w", key, err)
	}
	c.buffer = seal(key, b)
	return c.buffer, nil
}

// recordHead writes what stands before a record's bytes: one byte for the kind, the proposals, and where the value truncates to:
// see the package comment. A log has millions of them, so this is written by hand.
func (c *coder) recordHead(a log.Action) (key, head []byte) {
	c.key = c.keys.append(c.key[:0], recordSpace, a.Position)
	kind := byte(a.Value.Kind)
	if a.Value.Sequence > 0 {
		kind |= sessioned
	}
	b := append(c.buffer[:0], kind)
	b = binary.AppendUvarint(b, uint64(a.Promised))
	b = binary.AppendUvarint(b, uint64(a.Performed))
	b = binary.AppendUvarint(b, uint64(a.Value.To))
	if a.Value.Sequence > 0 {
		b = binary.AppendUvarint(append(b, a.Value.Session[:]...), a.Value.Sequence)
	}
	c.buffer = b
	return c.key, c.buffer
}

// recordSize is how many bytes fillRecord needs.
func recordSize(head, data []byte) int { return len(head) + len(data) + crcSize }

// fillRecord writes the value of a record.
func fillRecord(into, key, head, data []byte) []byte {
	return seal(key, append(append(into[:0], head...), data...))
}

func (c *coder) encodeRun(key []byte, last log.Position) []byte {
	c.buffer = seal(key, binary.BigEndian.AppendUint64(c.buffer[:0], uint64(last)))
	return c.buffer
}

func (c *coder) encodeMetadata(m storage.Metadata) ([]byte, error) {
	d := &messages.Metadata{
		Format: storage.Format, Cluster: m.Cluster, Replica: uint32(m.Replica),
		Incarnation: incarnationOut(m.Incarnation), Boot: m.Boot, Status: messages.Status(m.Status),
		Promised: uint64(m.Promised), Highest: uint64(m.Highest), Begin: uint64(m.Begin),
		Founders: m.Founders,
	}
	if m.Configuration.Epoch > 0 {
		d.Format, d.Configuration = storage.FormatMembers, codec.EncodeConfiguration(m.Configuration)
	}
	if m.Reign != (log.Reign{}) {
		d.Reign = &messages.Reign{Proposal: uint64(m.Reign.By), First: uint64(m.Reign.First)}
	}
	for _, id := range m.Members {
		d.Members = append(d.Members, uint32(id))
	}
	for _, k := range m.Known {
		d.Known = append(d.Known, &messages.Known{Replica: uint32(k.Replica), Incarnation: incarnationOut(k.Incarnation)})
	}
	for _, h := range m.Heard {
		d.Heard = append(d.Heard, heardOut(h))
	}
	return c.encode(c.keys.key(metadataSpace), d)
}

// decodeRecord returns the record at a position; Learned is for the caller to set. Its bytes are those of sealed.
func decodeRecord(key, sealed []byte) (log.Action, error) {
	p, err := position(key)
	if err != nil {
		return log.Action{}, err
	}
	b, err := unseal(key, sealed)
	if err != nil {
		return log.Action{}, err
	}
	if len(b) == 0 || log.Kind(b[0]&^sessioned) > log.Config {
		return log.Action{}, fmt.Errorf("%w: record %d has a value of an unknown kind", storage.ErrCorrupt, p)
	}
	var numbers [3]uint64
	rest := b[1:]
	for i := range numbers {
		n := 0
		if numbers[i], n = binary.Uvarint(rest); n <= 0 {
			return log.Action{}, fmt.Errorf("%w: record %d ends early", storage.ErrCorrupt, p)
		}
		rest = rest[n:]
	}
	a := log.Action{Position: p, Promised: log.Proposal(numbers[0]), Performed: log.Proposal(numbers[1])}
	a.Value = log.Value{Kind: log.Kind(b[0] &^ sessioned), To: log.Position(numbers[2])}
	if b[0]&sessioned != 0 {
		n := copy(a.Value.Session[:], rest)
		rest = rest[n:]
		if a.Value.Sequence, n = binary.Uvarint(rest); n <= 0 {
			return log.Action{}, fmt.Errorf("%w: record %d ends in its session", storage.ErrCorrupt, p)
		}
		rest = rest[n:]
	}
	if len(rest) > 0 {
		a.Value.Data = rest
	}
	return a, nil
}

func decodeRun(key, sealed []byte) (log.Range, error) {
	first, err := position(key)
	if err != nil {
		return log.Range{}, err
	}
	b, err := unseal(key, sealed)
	if err != nil {
		return log.Range{}, err
	}
	if len(b) != 8 || log.Position(binary.BigEndian.Uint64(b)) < first {
		return log.Range{}, fmt.Errorf("%w: the learned run at %d ends at %x", storage.ErrCorrupt, first, b)
	}
	return log.Range{First: first, Last: log.Position(binary.BigEndian.Uint64(b))}, nil
}

func decodeMetadata(key, sealed []byte) (storage.Metadata, error) {
	b, err := unseal(key, sealed)
	if err != nil {
		return storage.Metadata{}, err
	}
	d := &messages.Metadata{}
	if err := proto.Unmarshal(b, d); err != nil {
		return storage.Metadata{}, fmt.Errorf("%w: metadata: %w", storage.ErrCorrupt, err)
	}
	if d.Format > storage.FormatMembers {
		return storage.Metadata{}, newer("data directory", uint64(d.Format), storage.FormatMembers)
	}
	m := metadataIn(d)
	if m.Configuration, err = codec.DecodeConfigurationIfAny(d.Configuration); err != nil {
		return storage.Metadata{}, fmt.Errorf("%w: metadata: %w", storage.ErrCorrupt, err)
	}
	if d.Format == 0 || !m.Status.Valid() || m.Begin == 0 {
		return storage.Metadata{}, fmt.Errorf("%w: metadata has format %d, status %d, begin %d", storage.ErrCorrupt, d.Format, d.Status, d.Begin)
	}
	return m, nil
}

func metadataIn(d *messages.Metadata) storage.Metadata {
	m := storage.Metadata{
		Cluster: d.Cluster, Replica: log.ReplicaID(d.Replica), Incarnation: incarnationIn(d.Incarnation), Boot: d.Boot,
		Status: status.Status(d.Status), Promised: log.Proposal(d.Promised), Highest: log.Proposal(d.Highest),
		Begin:    log.Position(d.Begin),
		Reign:    log.Reign{By: log.Proposal(d.GetReign().GetProposal()), First: log.Position(d.GetReign().GetFirst())},
		Founders: d.Founders,
	}
	for _, id := range d.Members {
		m.Members = append(m.Members, log.ReplicaID(id))
	}
	for _, k := range d.Known {
		m.Known = append(m.Known, identity.Known{Replica: log.ReplicaID(k.Replica), Incarnation: incarnationIn(k.Incarnation)})
	}
	for _, h := range d.Heard {
		m.Heard = append(m.Heard, heardIn(h))
	}
	return m
}

func newer(what string, found, highest uint64) error {
	return fmt.Errorf("%w: the %s has format %d, this program knows up to %d: start a newer quorumlog",
		storage.ErrNewerFormat, what, found, highest)
}

func incarnationOut(i identity.Incarnation) *messages.Incarnation {
	return &messages.Incarnation{Generation: i.Generation, Disk: i.Disk}
}

func incarnationIn(i *messages.Incarnation) identity.Incarnation {
	return identity.Incarnation{Generation: i.GetGeneration(), Disk: i.GetDisk()}
}
