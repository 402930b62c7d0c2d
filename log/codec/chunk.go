package codec

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// Chunk collects learned records for one answer to a FetchRequest. The zero Chunk is empty, and ready for use. What it costs is
// by its bytes, and hardly by its records: nothing is made for each of them.
type Chunk struct {
	stretches []*messages.Stretch
	positions log.Position // that it is made for
	records   int
	bytes     int
	last      log.Position
}

// NewChunk returns an empty chunk with room for about so many records.
func NewChunk(positions uint64) *Chunk {
	return &Chunk{positions: log.Position(min(positions, log.MaxCopy))}
}

// Fits says whether there is room for one more record. There is always room for the first.
func (c *Chunk) Fits(a log.Action) bool {
	return c.records == 0 || c.records < log.MaxCopy && c.bytes+len(a.Value.Data) <= log.MaxRunBytes
}

// Add puts a record with a value behind the others, which are all of lower positions. It copies the bytes.
func (c *Chunk) Add(a log.Action) {
	s := c.stretch(a)
	s.Sizes = append(s.Sizes, uint32(len(a.Value.Data)))
	s.Data = append(s.Data, a.Value.Data...)
	c.records, c.bytes, c.last = c.records+1, c.bytes+len(a.Value.Data), a.Position
}

// Len is the number of records.
func (c *Chunk) Len() int { return c.records }

// Last is the position of the last record; 0 where there is none.
func (c *Chunk) Last() log.Position { return c.last }

// stretch returns the stretch that a record belongs to: the last one, or a new one.
func (c *Chunk) stretch(a log.Action) *messages.Stretch {
	if n := len(c.stretches); n > 0 && a.Position == c.last+1 && belongs(c.stretches[n-1], a) {
		return c.stretches[n-1]
	}
	room := int(c.positions) - c.records // the records of a log tend to be of one size
	s := &messages.Stretch{
		First: uint64(a.Position), Promised: uint64(a.Promised), Performed: uint64(a.Performed),
		Kind: messages.Kind(a.Value.Kind), To: uint64(a.Value.To),
		Session: encodeSession(a.Value.Session), Sequence: a.Value.Sequence,
	}
	if room > 1 && len(c.stretches) == 0 {
		s.Sizes = make([]uint32, 0, room)
		s.Data = make([]byte, 0, min(room*len(a.Value.Data), log.MaxRunBytes))
	}
	c.stretches = append(c.stretches, s)
	return s
}

// belongs says whether a record differs from those of a stretch in its bytes, and in a number that follows theirs, at most.
func belongs(s *messages.Stretch, a log.Action) bool {
	return s.Promised == uint64(a.Promised) && s.Performed == uint64(a.Performed) &&
		s.Kind == messages.Kind(a.Value.Kind) && s.To == uint64(a.Value.To) &&
		(s.Sequence == 0 && a.Value.Sequence == 0 ||
			s.Sequence+uint64(len(s.Sizes)) == a.Value.Sequence && string(s.Session) == string(a.Value.Session[:]))
}

// EncodeChunk writes an answer to a FetchRequest: what is known as learned in a range. The chunk is not to be used after it.
func EncodeChunk(h *messages.Header, within log.Range, c *Chunk) *messages.FetchResponse {
	return &messages.FetchResponse{Header: h, Outcome: &messages.FetchResponse_Fetched{Fetched: &messages.Fetched{
		Range: encodeRange(within), Stretches: c.stretches,
	}}}
}

func decodeCopied(m *messages.Fetched) (c Copied, err error) {
	if c.Range, err = decodeRange(m.GetRange()); err != nil {
		return c, err
	}
	records, bytes := 0, 0
	for _, s := range m.GetStretches() {
		records, bytes = records+len(s.GetSizes()), bytes+len(s.GetData())
	}
	if records > log.MaxCopy || bytes > log.MaxRunBytes {
		return c, malformed("a copy has at most %d records of %d bytes, not %d of %d", log.MaxCopy, log.MaxRunBytes, records, bytes)
	}
	c.Actions = make([]log.Action, 0, records)
	for _, s := range m.GetStretches() {
		if c.Actions, err = decodeStretch(c.Actions, s, c.Range); err != nil {
			return c, err
		}
	}
	return c, nil
}

// decodeStretch appends the records of a stretch. Their bytes are the message's.
func decodeStretch(actions []log.Action, m *messages.Stretch, within log.Range) ([]log.Action, error) {
	a := log.Action{Promised: log.Proposal(m.GetPromised()), Performed: log.Proposal(m.GetPerformed()), Learned: true}
	at, err := placed(actions, m, within)
	if err != nil {
		return nil, err
	}
	if err := votes(a.Promised, a.Performed, at); err != nil {
		return nil, err
	}
	err = unpack(m, at, func(p log.Position, v log.Value) {
		a.Position, a.Value = p, v
		actions = append(actions, a)
	})
	return actions, err
}

// placed returns where a stretch begins: behind the records before it, and within the range to its end.
func placed(before []log.Action, m *messages.Stretch, within log.Range) (log.Position, error) {
	at, n := log.Position(m.GetFirst()), log.Position(len(m.GetSizes()))
	switch {
	case n == 0:
		return 0, malformed("a stretch without records")
	case !within.Contains(at) || n-1 > within.Last-at:
		return 0, malformed("%d positions from %d are outside of %s", n, at, within)
	case len(before) > 0 && at <= before[len(before)-1].Position:
		return 0, malformed("position %d is out of order", at)
	}
	return at, nil
}
