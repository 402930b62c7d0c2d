package cluster

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

func TestRecordsHoldWhatIsNoEntryAndHaveTheDigestOfTheMembers(t *testing.T) {
	by := log.NewProposal(1, 1)
	held := []log.Action{
		{Position: 1, Promised: by, Performed: by, Learned: true, Value: log.Value{Kind: log.NOP}},
		{Position: 2, Promised: by, Performed: by, Learned: true, Value: log.Value{Kind: log.Append, Data: []byte("a")}},
		{Position: 3, Promised: by, Performed: by, Learned: true, Value: log.Value{Kind: log.Truncate, To: 1}},
	}
	whole := log.Range{First: 1, Last: 3}
	sum := codec.Digest(held)
	c := clientOf(t, func(m proto.Message) proto.Message {
		switch m := m.(type) {
		case *messages.ReadRequest:
			return &messages.ReadResponse{Request: m.GetRequest(), Outcome: &messages.ReadResponse_Page{
				Page: codec.EncodePage(whole, held, 1, 3)}}
		case *messages.DigestRequest:
			return &messages.DigestResponse{Request: m.GetRequest(), Outcome: &messages.DigestResponse_Digest{
				Digest: &messages.Digest{Range: m.GetRange(), Sha256: sum[:]}}}
		}
		return nil
	})
	records, err := c.ReaderOf(1).Records(t.Context(), whole)
	if err != nil || len(records.Actions) != 3 || records.Actions[2].Value.Kind != log.Truncate {
		t.Fatalf("%+v, %v", records, err)
	}
	digest, err := c.ReaderOf(1).Digest(t.Context(), whole)
	if err != nil || records.Digest() != digest {
		t.Errorf("the digest of the records is %v, and the member's %v, %v", records.Digest(), digest, err)
	}
	if _, err := c.ReaderOf(1).Records(t.Context(), log.Range{}); err == nil {
		t.Error("an empty range has records")
	}
}
