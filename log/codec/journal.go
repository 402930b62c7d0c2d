package codec

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/journal"
	"github.com/quorumlog/quorumlog/messages"
)

// journalMagic begins the entry of a journal: "qljourn", and the format.
const journalMagic = 0x716c6a6f75726e01

// JournalBody is what an entry of a journal holds besides what the rule of journals looks at. The bytes of its events are not
// copied, and may be shared with others.
type JournalBody struct {
	State  *anypb.Any // of a snapshot
	Events []*anypb.Any
}

// EncodeJournalEntry writes what an actor appends to the log. The count is that of the events of the body.
func EncodeJournalEntry(e journal.Entry, b JournalBody) ([]byte, error) {
	e.Count = uint64(len(b.Events))
	if err := e.Check(); err != nil {
		return nil, err
	}
	m := &messages.JournalEntry{Magic: journalMagic, Owner: e.Owner}
	switch e.Kind {
	case journal.Activation:
		m.Content = &messages.JournalEntry_Activation{Activation: &messages.JournalActivation{By: e.By}}
	case journal.Events:
		m.Content = &messages.JournalEntry_Events{
			Events: &messages.JournalEvents{Activation: uint64(e.Activation), Index: e.Index, Events: b.Events},
		}
	case journal.Snapshot:
		m.Content = &messages.JournalEntry_Snapshot{Snapshot: &messages.JournalSnapshot{
			Activation: uint64(e.Activation), Index: e.Index, State: b.State, Events: b.Events,
		}}
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// IsJournalEntry says whether bytes claim to be an entry of a journal: other entries may be in the same log.
func IsJournalEntry(data []byte) bool {
	field, kind, n := protowire.ConsumeTag(data)
	if n < 0 || field != 1 || kind != protowire.Fixed64Type {
		return false
	}
	magic, n := protowire.ConsumeFixed64(data[n:])
	return n > 0 && magic == journalMagic
}

// DecodeJournalEntry reads an entry of a journal. What is none, or breaks a limit, is journal.ErrMalformed.
func DecodeJournalEntry(data []byte) (journal.Entry, JournalBody, error) {
	m := new(messages.JournalEntry)
	if err := proto.Unmarshal(data, m); err != nil || m.GetMagic() != journalMagic {
		return journal.Entry{}, JournalBody{}, fmt.Errorf("%w: %d bytes", journal.ErrMalformed, len(data))
	}
	e, b := journal.Entry{Owner: m.GetOwner()}, JournalBody{}
	switch c := m.GetContent().(type) {
	case *messages.JournalEntry_Activation:
		e.Kind, e.By = journal.Activation, c.Activation.GetBy()
	case *messages.JournalEntry_Events:
		e.Kind, e.Activation, e.Index = journal.Events, log.Position(c.Events.GetActivation()), c.Events.GetIndex()
		b.Events = c.Events.GetEvents()
	case *messages.JournalEntry_Snapshot:
		e.Kind, e.Activation, e.Index = journal.Snapshot, log.Position(c.Snapshot.GetActivation()), c.Snapshot.GetIndex()
		b = JournalBody{c.Snapshot.GetState(), c.Snapshot.GetEvents()}
	}
	e.Count = uint64(len(b.Events))
	if err := e.Check(); err != nil {
		return journal.Entry{}, JournalBody{}, err
	}
	if e.Kind == journal.Snapshot && b.State == nil {
		return journal.Entry{}, JournalBody{}, fmt.Errorf("%w: a snapshot has no state", journal.ErrMalformed)
	}
	return e, b, nil
}
