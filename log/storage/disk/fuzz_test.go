package disk

import (
	"bytes"
	"errors"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// sealed returns the value with the checksum that belongs to it, so that the fuzzer gets behind the checksum.
func sealed(key, value []byte) []byte { return seal(key, append([]byte(nil), value...)) }

// record is what is stored of a record.
func record(c *coder, a log.Action) (key, value []byte) {
	key, head := c.recordHead(a)
	return key, fillRecord(nil, key, head, a.Value.Data)
}

// FuzzDisk feeds what is read from files to its decoders, with and without a right checksum.
func FuzzDisk(f *testing.F) {
	c := &coder{}
	for _, a := range []log.Action{
		{Position: 1}, {Position: 9, Promised: 1 << 17, Performed: 1 << 16, Value: log.Value{Kind: log.Append, Data: []byte("x")}},
		{Position: log.MaxPosition, Promised: 1, Value: log.Value{Kind: log.Truncate, To: 3}},
	} {
		key, value := record(c, a)
		f.Add(uint8(0), bytes.Clone(key), value)
	}
	f.Add(uint8(1), keys(0).at(learnedSpace, 5), c.encodeRun(keys(0).at(learnedSpace, 5), 9))
	metadata, err := c.encodeMetadata(storage.Metadata{
		Cluster: "a", Replica: 1, Members: []log.ReplicaID{1, 2}, Status: status.Voting, Begin: 1,
		Known: identity.Vector{}.With(2, identity.Incarnation{Generation: 1}), Incarnation: identity.Incarnation{Generation: 1},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(2), keys(0).key(metadataSpace), metadata)
	f.Add(uint8(3), []byte(nil), (&marks{turn: 7, files: []mark{{"000004.log", 100, 5}}}).encode())
	f.Fuzz(func(t *testing.T, which uint8, key, value []byte) {
		for _, v := range [][]byte{value, sealed(key, value)} {
			decodeAs(t, c, which, key, v)
		}
	})
}

// decodeAs has a decoder read bytes: it must say that they are corrupt, or of a newer format, or return what can be written
// and read again.
func decodeAs(t *testing.T, c *coder, which uint8, key, value []byte) {
	t.Helper()
	var err error
	switch which % 4 {
	case 0:
		var a log.Action
		if a, err = decodeRecord(key, value); err == nil {
			again, err := decodeRecord(record(c, a))
			if err != nil || again.Promised != a.Promised || again.Performed != a.Performed || !again.Value.Equal(a.Value) {
				t.Fatalf("%+v comes back as %+v, %v", a, again, err)
			}
		}
	case 1:
		var r log.Range
		if r, err = decodeRun(key, value); err == nil && r.Last < r.First {
			t.Fatalf("a run %d..%d", r.First, r.Last)
		}
	case 2:
		var m storage.Metadata
		if m, err = decodeMetadata(key, value); err == nil && (!m.Status.Valid() || m.Begin == 0) {
			t.Fatalf("metadata %+v", m)
		}
	case 3:
		decodeMarks(value)
	}
	if err != nil && !errors.Is(err, storage.ErrCorrupt) && !errors.Is(err, storage.ErrNewerFormat) {
		t.Fatalf("%v is neither corrupt nor newer", err)
	}
}
