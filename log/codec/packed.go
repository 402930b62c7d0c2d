package codec

import (
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// packed is values of positions that follow each other, and that differ in nothing but their bytes and their consecutive
// numbers: Values, or a Stretch.
type packed interface {
	GetKind() messages.Kind
	GetTo() uint64
	GetSession() []byte
	GetSequence() uint64
	GetSizes() []uint32
	GetData() []byte
}

// unpack hands out the values from a position on. Their bytes are the message's.
func unpack(m packed, at log.Position, yield func(log.Position, log.Value)) error {
	kind, err := decodeKind(m.GetKind(), at)
	if err != nil {
		return err
	}
	session, err := decodeSession(m.GetSession(), m.GetSequence(), len(m.GetSizes()))
	if err != nil {
		return err
	}
	data := m.GetData()
	for i, size := range m.GetSizes() {
		if uint64(size) > uint64(len(data)) {
			return malformed("the values at position %d have more bytes than there are", at)
		}
		v := log.Value{Kind: kind, To: log.Position(m.GetTo()), Session: session}
		if v.Session != (log.Session{}) {
			v.Sequence = m.GetSequence() + uint64(i)
		}
		if size > 0 {
			v.Data, data = data[:size:size], data[size:]
		}
		p := at + log.Position(i)
		if err := check(v, p); err != nil {
			return err
		}
		yield(p, v)
	}
	if len(data) > 0 {
		return malformed("%d bytes belong to none of the values at position %d", len(data), at)
	}
	return nil
}

// alike is how many of the first values differ in nothing but their bytes, and their numbers, which follow each other.
func alike(values []log.Value) int {
	first := &values[0]
	for i := range values {
		if v := &values[i]; v.Kind != first.Kind || v.To != first.To || !follows(v, first.Session, first.Sequence, uint64(i)) {
			return i
		}
	}
	return len(values)
}

// follows says whether a value is so many numbers behind another one of a session. Without a session no value has a number.
func follows(v *log.Value, session log.Session, sequence, behind uint64) bool {
	return v.Sequence == 0 && sequence == 0 || v.Sequence == sequence+behind && v.Session == session
}

func encodeSession(s log.Session) []byte {
	if s == (log.Session{}) {
		return nil
	}
	return s[:]
}

// decodeSession reads a session and checks so many numbers in it.
func decodeSession(session []byte, sequence uint64, n int) (s log.Session, err error) {
	if len(session) == 0 && sequence == 0 {
		return s, nil
	}
	if copy(s[:], session) != len(s) || len(session) != len(s) || s == (log.Session{}) {
		return s, malformed("a session has %d bytes that are not all 0, not %d", len(s), len(session))
	}
	if sequence == 0 || sequence > log.MaxSequence-uint64(n)+1 {
		return s, malformed("%d numbers of a session from %d", n, sequence)
	}
	return s, nil
}

// pack writes values that are alike. It copies their bytes, unless there is one value only.
func pack(values []log.Value) *messages.Values {
	m := &messages.Values{
		Kind: messages.Kind(values[0].Kind), To: uint64(values[0].To), Sizes: make([]uint32, 0, len(values)), Data: values[0].Data,
		Session: encodeSession(values[0].Session), Sequence: values[0].Sequence,
	}
	bytes := 0
	for _, v := range values {
		m.Sizes = append(m.Sizes, uint32(len(v.Data)))
		bytes += len(v.Data)
	}
	if len(values) > 1 {
		m.Data = make([]byte, 0, bytes)
		for _, v := range values {
			m.Data = append(m.Data, v.Data...)
		}
	}
	return m
}

// decodeValues reads the values of a run.
func decodeValues(runs []*messages.Values, first log.Position) ([]log.Value, error) {
	n, bytes := 0, 0
	for _, m := range runs {
		if len(m.GetSizes()) == 0 {
			return nil, malformed("a run without values")
		}
		n, bytes = n+len(m.GetSizes()), bytes+len(m.GetData())
	}
	if n == 0 || n > log.MaxRun || first == 0 || first > log.MaxPosition-log.Position(n)+1 {
		return nil, malformed("%d values from position %d", n, first)
	}
	if bytes > log.MaxRunBytes {
		return nil, malformed("the values have at most %d bytes, not %d", log.MaxRunBytes, bytes)
	}
	values := make([]log.Value, 0, n)
	for _, m := range runs {
		if err := unpack(m, first+log.Position(len(values)), func(_ log.Position, v log.Value) { values = append(values, v) }); err != nil {
			return nil, err
		}
	}
	if n > 1 && slices.ContainsFunc(values, func(v log.Value) bool { return v.Kind == log.Config }) {
		return nil, malformed("a CONFIG is written alone, and not with %d others", n-1)
	}
	return values, nil
}
