package sessions

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/log"
)

// ErrMalformed: bytes are no table.
var ErrMalformed = errors.New("malformed table of sessions")

// Encode writes the table: equal tables are equal bytes. All numbers are big-endian.
//
//	table    horizon (8), then the sessions, the one with the oldest latest entry first; an empty table is no bytes at all
//	session  id (16), the number of its first entry (8), how many runs (1), the runs
//	run      the first position (8), how many entries (4)
func (t *Table) Encode() []byte {
	if len(t.sessions) == 0 && t.horizon == 0 {
		return nil
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, t.bytes), uint64(t.horizon))
	t.each(func(s *session) {
		b = binary.BigEndian.AppendUint64(append(b, s.id[:]...), s.first)
		b = append(b, byte(len(s.runs)))
		for _, r := range s.runs {
			b = binary.BigEndian.AppendUint64(b, uint64(r.First))
			b = binary.BigEndian.AppendUint32(b, uint32(r.Len()))
		}
	})
	return b
}

// Check says whether bytes are a table.
func Check(b []byte) error {
	_, err := Decode(b, MaxBytes)
	return err
}

// Decode reads a table.
func Decode(b []byte, limit int) (*Table, error) {
	t := New(limit)
	if len(b) == 0 {
		return t, nil
	}
	if len(b) < headBytes || len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	t.horizon = log.Position(binary.BigEndian.Uint64(b))
	t.bytes = len(b)
	before := log.Position(0)
	for b = b[headBytes:]; len(b) > 0; {
		s, rest, err := decodeSession(b)
		if err != nil {
			return nil, err
		}
		if s.last() <= before || t.sessions[s.id] != nil {
			return nil, fmt.Errorf("%w: session %x is twice in it, or in another order", ErrMalformed, s.id)
		}
		t.sessions[s.id] = s
		t.link(s)
		b, before = rest, s.last()
	}
	return t, nil
}

func decodeSession(b []byte) (s *session, rest []byte, err error) {
	s = &session{}
	n := copy(s.id[:], b)
	if b = b[n:]; len(b) < sessionBytes-len(s.id) {
		return nil, nil, fmt.Errorf("%w: it ends in a session", ErrMalformed)
	}
	s.first = binary.BigEndian.Uint64(b)
	s.next = s.first
	runs := int(b[8])
	b = b[9:]
	if len(b) < runs*runBytes || runs == 0 || runs > MaxRuns || s.id == (log.Session{}) || s.first == 0 {
		return nil, nil, fmt.Errorf("%w: session %x has %d runs from %d", ErrMalformed, s.id, runs, s.first)
	}
	for ; runs > 0; runs-- {
		first, n := log.Position(binary.BigEndian.Uint64(b)), log.Position(binary.BigEndian.Uint32(b[8:]))
		if first <= s.last() || n == 0 || first > log.MaxPosition || n-1 > log.MaxPosition-first || uint64(n) > log.MaxSequence-s.next {
			return nil, nil, fmt.Errorf("%w: %d entries of session %x at %d", ErrMalformed, n, s.id, first)
		}
		s.runs = append(s.runs, log.Range{First: first, Last: first + n - 1})
		s.next += uint64(n)
		b = b[runBytes:]
	}
	return s, b, nil
}
