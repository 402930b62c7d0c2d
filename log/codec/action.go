package codec

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/sessions"
	"github.com/quorumlog/quorumlog/messages"
)

// EncodeValue writes a value; nil for none.
func EncodeValue(v log.Value) *messages.Value {
	if v.Kind == log.None {
		return nil
	}
	return &messages.Value{
		Kind: messages.Kind(v.Kind), Data: v.Data, To: uint64(v.To), Session: encodeSession(v.Session), Sequence: v.Sequence,
	}
}

// DecodeValue reads the value of a position. A TRUNCATE keeps at least its own position: one that kept less would
// put the begin of the log above its end (hole S11).
func DecodeValue(m *messages.Value, at log.Position) (log.Value, error) {
	kind, err := decodeKind(m.GetKind(), at)
	v := log.Value{Kind: kind, Data: m.GetData(), To: log.Position(m.GetTo()), Sequence: m.GetSequence()}
	if err == nil {
		v.Session, err = decodeSession(m.GetSession(), m.GetSequence(), 1)
	}
	if err == nil {
		err = check(v, at)
	}
	return v, err
}

func decodeKind(kind messages.Kind, at log.Position) (log.Kind, error) {
	switch kind {
	case messages.Kind_KIND_NOP:
		return log.NOP, nil
	case messages.Kind_KIND_APPEND:
		return log.Append, nil
	case messages.Kind_KIND_TRUNCATE:
		return log.Truncate, nil
	case messages.Kind_KIND_CONFIG:
		return log.Config, nil
	case messages.Kind_KIND_UNSPECIFIED:
		return 0, malformed("the value at position %d has no kind", at)
	}
	return 0, malformed("%d is not a kind of value", kind)
}

// check says what is wrong with a value of some kind.
func check(v log.Value, at log.Position) error {
	switch {
	case len(v.Data) > log.MaxEntry:
		return malformed("the entry at position %d has %d bytes, more than %d", at, len(v.Data), log.MaxEntry)
	case v.Kind == log.Config && v.To == 0 && v.Sequence == 0:
		if _, err := ParseConfiguration(v.Data); err != nil {
			return malformed("the CONFIG at position %d: %v", at, err)
		}
	case v.Kind != log.Append && v.Kind != log.Truncate && len(v.Data) > 0:
		return malformed("the %s at position %d has data", v.Kind, at)
	case v.Kind != log.Append && v.Sequence > 0:
		return malformed("the %s at position %d is of a session", v.Kind, at)
	case v.Kind == log.Truncate && (v.To == 0 || v.To > at):
		return malformed("the TRUNCATE at position %d keeps positions from %d, not from 1 to %d", at, v.To, at)
	case v.Kind != log.Truncate && v.To != 0:
		return malformed("the %s at position %d truncates", v.Kind, at)
	case v.Kind == log.Truncate && len(v.Data) > 0:
		if err := sessions.Check(v.Data); err != nil {
			return malformed("the TRUNCATE at position %d: %v", at, err)
		}
	}
	return nil
}

func encodeActions(actions []log.Action) []*messages.Action {
	out := make([]*messages.Action, 0, len(actions))
	for _, a := range actions {
		out = append(out, &messages.Action{
			Position: uint64(a.Position), Promised: uint64(a.Promised), Performed: uint64(a.Performed),
			Learned: a.Learned, Value: EncodeValue(a.Value),
		})
	}
	return out
}

// decodeActions reads records that carry a value, in the order of positions, within a range.
func decodeActions(in []*messages.Action, within log.Range) ([]log.Action, error) {
	if len(in) > log.MaxRun {
		return nil, malformed("an answer has at most %d records, not %d", log.MaxRun, len(in))
	}
	out := make([]log.Action, 0, len(in))
	var last log.Position
	for _, m := range in {
		a, err := decodeAction(m)
		if err != nil {
			return nil, err
		}
		if a.Position <= last || !within.Contains(a.Position) {
			return nil, malformed("position %d is out of order or outside of %s", a.Position, within)
		}
		out, last = append(out, a), a.Position
	}
	return out, nil
}

// decodeLearned is decodeActions for records that are sent because they are learned.
func decodeLearned(in []*messages.Action, within log.Range) ([]log.Action, error) {
	out, err := decodeActions(in, within)
	if err != nil {
		return nil, err
	}
	for _, a := range out {
		if !a.Learned {
			return nil, malformed("position %d was sent as learned, and is not", a.Position)
		}
	}
	return out, nil
}

// votes says what is wrong with the proposals of a record that holds a value.
func votes(promised, performed log.Proposal, at log.Position) error {
	for _, by := range []log.Proposal{performed, promised} {
		if _, err := proposal(uint64(by)); err != nil {
			return err
		}
	}
	if promised < performed {
		return malformed("the record at position %d was accepted under %s and promised to %s", at, performed, promised)
	}
	return nil
}

func decodeAction(m *messages.Action) (log.Action, error) {
	a := log.Action{
		Position: log.Position(m.GetPosition()), Promised: log.Proposal(m.GetPromised()),
		Performed: log.Proposal(m.GetPerformed()), Learned: m.GetLearned(),
	}
	if a.Position == 0 || a.Position > log.MaxPosition {
		return a, malformed("a record has a position from 1 to %d, not %d", log.MaxPosition, a.Position)
	}
	err := votes(a.Promised, a.Performed, a.Position)
	if err != nil {
		return a, err
	}
	a.Value, err = DecodeValue(m.GetValue(), a.Position)
	return a, err
}
