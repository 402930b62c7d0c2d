package codec_test

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

func fetched(r *messages.Range, stretches ...*messages.Stretch) proto.Message {
	return &messages.FetchResponse{Header: sender(), Outcome: &messages.FetchResponse_Fetched{
		Fetched: &messages.Fetched{Range: r, Stretches: stretches}}}
}

// nopsFrom is a stretch of NOPs.
func nopsFrom(at uint64, n int) *messages.Stretch {
	return &messages.Stretch{First: at, Promised: byOne, Performed: byOne, Kind: messages.Kind_KIND_NOP, Sizes: make([]uint32, n)}
}

// bent is a stretch of two entries at 1 with something changed.
func bent(change func(s *messages.Stretch)) *messages.Stretch {
	s := &messages.Stretch{First: 1, Promised: byOne, Performed: byOne, Kind: messages.Kind_KIND_APPEND, Sizes: []uint32{1, 2}, Data: []byte("abc")}
	change(s)
	return s
}

func TestCopyThatBreaksRuleIsMalformed(t *testing.T) {
	for _, c := range []faulty{
		{"two stretches", fetched(span(1, 7), nopsFrom(1, 1), nopsFrom(7, 1)), false},
		{"none", fetched(span(1, 7)), false},
		{"without a range", fetched(nil), true},
		{"above its range", fetched(span(1, 7), nopsFrom(8, 1)), true},
		{"below its range", fetched(span(2, 7), nopsFrom(1, 2)), true},
		{"beyond its range", fetched(span(1, 7), nopsFrom(7, 2)), true},
		{"up to the last position", fetched(span(1, last), nopsFrom(last, 1)), false},
		{"beyond the last position", fetched(span(1, last), nopsFrom(last, 2)), true},
		{"at no position", fetched(span(1, 7), nopsFrom(0, 1)), true},
		{"out of order", fetched(span(1, 7), nopsFrom(7, 1), nopsFrom(1, 1)), true},
		{"twice the same", fetched(span(1, 7), nopsFrom(1, 3), nopsFrom(3, 1)), true},
		{"an empty stretch", fetched(span(1, 7), nopsFrom(1, 0)), true},
		{"an absent stretch", fetched(span(1, 7), nil), true},
		{"as many as there may be", fetched(span(1, last), nopsFrom(1, log.MaxCopy)), false},
		{"too many", fetched(span(1, last), nopsFrom(1, log.MaxCopy), nopsFrom(log.MaxCopy+1, 1)), true},
		{"entries", fetched(span(1, 2), bent(func(*messages.Stretch) {})), false},
		{"an entry with more bytes than there are", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.Sizes[1] = 3 })), true},
		{"bytes that belong to no entry", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.Sizes[1] = 1 })), true},
		{"more bytes than there may be", fetched(span(1, 2), bent(func(s *messages.Stretch) {
			s.Data, s.Sizes = make([]byte, log.MaxRunBytes+1), []uint32{1, log.MaxRunBytes}
		})), true},
		{"the largest entry", fetched(span(1, 2), bent(func(s *messages.Stretch) {
			s.Data, s.Sizes = make([]byte, log.MaxEntry), []uint32{0, log.MaxEntry}
		})), false},
		{"a NOP with bytes", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.Kind = messages.Kind_KIND_NOP })), true},
		{"no kind", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.Kind = 0 })), true},
		{"an unknown kind", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.Kind = 9 })), true},
		{"an entry that truncates", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.To = 1 })), true},
		{"truncations to above", fetched(span(1, 2), &messages.Stretch{First: 1, Promised: byOne, Performed: byOne,
			Kind: messages.Kind_KIND_TRUNCATE, To: 2, Sizes: []uint32{0, 0}}), true},
		{"truncations", fetched(span(1, 2), &messages.Stretch{First: 1, Promised: byOne, Performed: byOne,
			Kind: messages.Kind_KIND_TRUNCATE, To: 1, Sizes: []uint32{0, 0}}), false},
		{"not accepted", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.Performed = 0 })), true},
		{"accepted under a proposal without a round", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.Performed = 1 })), true},
		{"accepted under a proposal of nobody", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.Performed = 1 << 16 })), true},
		{"promised to nobody", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.Promised = 2 << 16 })), true},
		{"promised to the last proposal", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.Promised = 1<<64 - 1 })), false},
		{"accepted above the promise", fetched(span(1, 2), bent(func(s *messages.Stretch) { s.Performed++ })), true},
	} {
		t.Run(c.claim, c.check)
	}
}

func TestChunkHasRoomUpToItsLimits(t *testing.T) {
	entry := func(at log.Position, size int) log.Action {
		return log.Action{Position: at, Promised: byOne, Performed: byOne, Learned: true,
			Value: log.Value{Kind: log.Append, Data: bytes.Repeat([]byte{1}, size)}}
	}
	var large codec.Chunk
	if a := entry(1, log.MaxEntry); !large.Fits(a) {
		t.Error("the largest entry does not fit into an empty one")
	} else {
		large.Add(a)
	}
	if large.Fits(entry(2, 1)) || !large.Fits(entry(2, 0)) {
		t.Error("it takes more than 1 MiB, or less")
	}
	many := codec.NewChunk(log.MaxCopy)
	for p := range log.Position(log.MaxCopy) {
		many.Add(entry(p+1, 0))
	}
	if many.Fits(entry(log.MaxCopy+1, 0)) || many.Len() != log.MaxCopy || many.Last() != log.MaxCopy {
		t.Errorf("it has %d records up to %d", many.Len(), many.Last())
	}
}

func TestChunkComesOutAsItWentIn(t *testing.T) {
	v := func(kind log.Kind, data string, to log.Position) log.Value {
		value := log.Value{Kind: kind, To: to}
		if data != "" {
			value.Data = []byte(data)
		}
		return value
	}
	var in []log.Action
	c := codec.NewChunk(3)
	for i, value := range []log.Value{
		v(log.Append, "a", 0), v(log.Append, "", 0), v(log.Append, "bcd", 0), v(log.NOP, "", 0), v(log.NOP, "", 0), v(log.Truncate, "", 2),
		v(log.Truncate, "", 2), v(log.Truncate, "", 3), v(log.Append, "e", 0),
	} {
		for _, offset := range []log.Position{3, 50} {
			a := log.Action{Position: offset + log.Position(i), Promised: byOne + log.Proposal(i/8)<<16, Performed: byOne, Learned: true, Value: value}
			in = append(in, a)
		}
	}
	slices.SortFunc(in, func(a, b log.Action) int { return int(a.Position) - int(b.Position) })
	for _, a := range in {
		c.Add(a)
	}
	wire, err := proto.Marshal(codec.EncodeChunk(sender(), log.Range{First: 1, Last: 99}, c))
	if err != nil {
		t.Fatal(err)
	}
	m := &messages.FetchResponse{}
	if err := proto.Unmarshal(wire, m); err != nil {
		t.Fatal(err)
	}
	_, answer, err := codec.DecodeFetchResponse(m)
	got, ok := answer.(codec.Copied)
	if !ok || err != nil || len(got.Actions) != len(in) {
		t.Fatalf("got %+v, %v", answer, err)
	}
	for i, a := range got.Actions {
		if a.Position != in[i].Position || a.Promised != in[i].Promised || a.Performed != in[i].Performed || !a.Learned || !a.Value.Equal(in[i].Value) {
			t.Errorf("got %+v, want %+v", a, in[i])
		}
	}
}
