package codec_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/messages"
)

// byOne is a proposal of replica 1.
const byOne = 1<<16 | 1

func sender() *messages.Header {
	return codec.EncodeHeader(identity.Identity{Replica: 1, Incarnation: identity.Incarnation{Generation: 1}, Boot: 1}, 7, nil)
}

func span(first, last uint64) *messages.Range { return &messages.Range{First: first, Last: last} }

func entry(n int) *messages.Value {
	return &messages.Value{Kind: messages.Kind_KIND_APPEND, Data: make([]byte, n)}
}

func repeat[T any](n int, v T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v
	}
	return all
}

// entries is a run of entries with so many bytes each.
func entries(sizes ...uint32) *messages.Values {
	n := 0
	for _, size := range sizes {
		n += int(size)
	}
	return &messages.Values{Kind: messages.Kind_KIND_APPEND, Sizes: sizes, Data: make([]byte, n)}
}

// faulty is a message and whether it breaks a rule.
type faulty struct {
	claim string
	m     proto.Message
	bad   bool
}

func (c faulty) check(t *testing.T) {
	for _, f := range forms() {
		if proto.MessageName(f.empty()) != proto.MessageName(c.m) {
			continue
		}
		if _, err := f.decode(c.m); errors.Is(err, codec.ErrMalformed) != c.bad || (err != nil) != c.bad {
			t.Errorf("got %v, want malformed: %t", err, c.bad)
		}
		return
	}
	t.Errorf("no form reads %T", c.m)
}

func TestHeaderNamesItsSender(t *testing.T) {
	for _, c := range []struct {
		claim string
		spoil func(h *messages.Header)
		bad   bool
	}{
		{"as it should be", func(*messages.Header) {}, false},
		{"no cluster", func(h *messages.Header) { h.Cluster = nil }, true},
		{"a cluster id that is too short", func(h *messages.Header) { h.Cluster = make([]byte, 15) }, true},
		{"a cluster id that is too long", func(h *messages.Header) { h.Cluster = make([]byte, 17) }, true},
		{"no replica", func(h *messages.Header) { h.Replica = 0 }, true},
		{"the last replica", func(h *messages.Header) { h.Replica = 65535 }, false},
		{"a replica above the last", func(h *messages.Header) { h.Replica = 65536 }, true},
		{"a replica far above the last", func(h *messages.Header) { h.Replica = 1<<32 - 1 }, true},
		{"no incarnation", func(h *messages.Header) { h.Incarnation = nil }, true},
		{"no generation", func(h *messages.Header) { h.Incarnation.Generation = 0 }, true},
		{"any disk", func(h *messages.Header) { h.Incarnation.Disk = 0 }, false},
		{"a generation that nothing is above", func(h *messages.Header) { h.Incarnation.Generation = math.MaxUint64 }, true},
		{"more starts than a disk can have", func(h *messages.Header) { h.Boot = codec.MaxCount + 1 }, true},
		{"more syncs than a disk can have", func(h *messages.Header) { h.Age = codec.MaxCount + 1 }, true},
		{"no boot", func(h *messages.Header) { h.Boot = 0 }, true},
		{"any process and request", func(h *messages.Header) { h.Process, h.Request = 0, 0 }, false},
		{"a disk that has seen what it had seen at the start", func(h *messages.Header) { h.BootAge, h.Age = 7, 7 }, false},
		{"a disk that is younger than at the start", func(h *messages.Header) { h.BootAge, h.Age = 7, 6 }, true},
		{"a crash vector in order", func(h *messages.Header) { h.CrashVector = rows(1, 2, 65535) }, false},
		{"a crash vector out of order", func(h *messages.Header) { h.CrashVector = rows(2, 1) }, true},
		{"a crash vector with one replica twice", func(h *messages.Header) { h.CrashVector = rows(1, 1) }, true},
		{"a crash vector with replica 0", func(h *messages.Header) { h.CrashVector = rows(0) }, true},
		{"a crash vector with an absent row", func(h *messages.Header) { h.CrashVector = []*messages.Known{nil} }, true},
		{"a crash vector without a generation", func(h *messages.Header) { h.CrashVector = []*messages.Known{{Replica: 1}} }, true},
		{"the longest crash vector", func(h *messages.Header) { h.CrashVector = many(codec.MaxMembers) }, false},
		{"a crash vector that is too long", func(h *messages.Header) { h.CrashVector = many(codec.MaxMembers + 1) }, true},
	} {
		t.Run(c.claim, func(t *testing.T) {
			h := sender()
			c.spoil(h)
			faulty{c.claim, h, c.bad}.check(t)
		})
	}
}

func rows(ids ...uint32) []*messages.Known {
	var all []*messages.Known
	for _, id := range ids {
		all = append(all, &messages.Known{Replica: id, Incarnation: &messages.Incarnation{Generation: 1}})
	}
	return all
}

func many(n int) []*messages.Known {
	var ids []uint32
	for i := range n {
		ids = append(ids, uint32(i+1))
	}
	return rows(ids...)
}

func TestEveryMessageNeedsItsHeader(t *testing.T) {
	bad := sender()
	bad.Replica = 0
	for _, h := range []*messages.Header{nil, bad} {
		for _, m := range []proto.Message{
			&messages.PromiseRequest{Header: h, Proposal: byOne},
			&messages.WriteRequest{Header: h, Proposal: byOne, First: 1, Values: []*messages.Values{entries(1)}},
			&messages.LearnedMessage{Header: h, Proposal: byOne, Range: span(1, 1)},
			&messages.FetchRequest{Header: h, Range: span(1, 1)},
			&messages.PromiseResponse{Header: h, Outcome: &messages.PromiseResponse_Promised{}},
			&messages.WriteResponse{Header: h, Outcome: &messages.WriteResponse_Learned{}},
			&messages.FetchResponse{Header: h, Outcome: &messages.FetchResponse_Truncated{Truncated: &messages.Truncated{Begin: 1}}},
			&messages.RecoverResponse{Header: h, Outcome: &messages.RecoverResponse_Standing{Standing: &messages.Standing{
				Status: messages.Status_STATUS_EMPTY}}},
			&messages.Welcome{Header: h, Outcome: &messages.Welcome_Presence{Presence: &messages.Presence{
				Status: messages.Status_STATUS_EMPTY}}},
		} {
			faulty{"", m, true}.check(t)
		}
	}
}

func TestRequestThatBreaksRuleIsMalformed(t *testing.T) {
	h := sender()
	promise := func(proposal uint64, r *messages.Range) proto.Message {
		return &messages.PromiseRequest{Header: h, Proposal: proposal, Range: r}
	}
	const last = uint64(log.MaxPosition)
	for _, c := range []faulty{
		{"an implicit promise", promise(byOne, nil), false},
		{"a promise to no proposal", promise(0, nil), true},
		{"a promise to a proposal without a round", promise(1, nil), true},
		{"a promise to a proposal of nobody", promise(1<<16, nil), true},
		{"a promise to the last proposal", promise(1<<64-1, nil), false},
		{"a promise for the longest run", promise(byOne, span(1, log.MaxRun)), false},
		{"a promise for a longer run", promise(byOne, span(1, log.MaxRun+1)), true},
		{"a promise for everything", promise(byOne, span(1, last)), true},
		{"a promise for nothing", promise(byOne, span(0, 0)), true},
		{"a promise for position 0", promise(byOne, span(0, 5)), true},
		{"a promise for a range upside down", promise(byOne, span(5, 4)), true},
		{"a promise for the last position", promise(byOne, span(last, last)), false},
		{"a promise above the last position", promise(byOne, span(last, last+1)), true},

		{"a notice", &messages.LearnedMessage{Header: h, Proposal: byOne, Range: span(1, last)}, false},
		{"a notice of no proposal", &messages.LearnedMessage{Header: h, Range: span(1, 1)}, true},
		{"a notice of nothing", &messages.LearnedMessage{Header: h, Proposal: byOne}, true},
		{"a fetch", &messages.FetchRequest{Header: h, Range: span(1, last)}, false},
		{"a fetch of nothing", &messages.FetchRequest{Header: h}, true},
		{"a fetch from position 0", &messages.FetchRequest{Header: h, Range: span(0, 1)}, true},
	} {
		t.Run(c.claim, c.check)
	}
}

func TestWriteThatBreaksRuleIsMalformed(t *testing.T) {
	write := func(proposal, first uint64, learned *messages.Range, values ...*messages.Values) proto.Message {
		return &messages.WriteRequest{Header: sender(), Proposal: proposal, First: first, Values: values, Learned: learned}
	}
	const last = uint64(log.MaxPosition)
	for _, c := range []faulty{
		{"a write", write(byOne, 1, nil, entries(1)), false},
		{"a write under no proposal", write(0, 1, nil, entries(1)), true},
		{"a write of nothing", write(byOne, 1, nil), true},
		{"a write at position 0", write(byOne, 0, nil, entries(1)), true},
		{"a write of the longest run", write(byOne, 1, nil, entries(make([]uint32, log.MaxRun)...)), false},
		{"a write of a longer run", write(byOne, 1, nil, entries(make([]uint32, log.MaxRun)...), entries(0)), true},
		{"a write of the largest entry", write(byOne, 1, nil, entries(log.MaxEntry)), false},
		{"a write of a larger one", write(byOne, 1, nil, entries(log.MaxEntry+1)), true},
		{"a write of too many bytes", write(byOne, 1, nil, entries(log.MaxRunBytes), entries(1)), true},
		{"a write of two kinds", write(byOne, 1, nil, entries(1, 2), &messages.Values{Kind: messages.Kind_KIND_NOP, Sizes: []uint32{0}}), false},
		{"a write with an empty run", write(byOne, 1, nil, entries(1), entries()), true},
		{"a write with fewer bytes than it says", write(byOne, 1, nil, cutBy(-1)), true},
		{"a write with more bytes than it says", write(byOne, 1, nil, cutBy(1)), true},
		{"a write that truncates to above its second position", write(byOne, 8, nil, entries(1), &messages.Values{
			Kind: messages.Kind_KIND_TRUNCATE, To: 10, Sizes: []uint32{0}}), true},
		{"a write that truncates to its second position", write(byOne, 8, nil, entries(1), &messages.Values{
			Kind: messages.Kind_KIND_TRUNCATE, To: 9, Sizes: []uint32{0}}), false},
		{"a write of NOPs with bytes", write(byOne, 1, nil, &messages.Values{
			Kind: messages.Kind_KIND_NOP, Sizes: []uint32{0, 1}, Data: []byte("a")}), true},
		{"a write of no kind", write(byOne, 1, nil, &messages.Values{Sizes: []uint32{0}}), true},
		{"a write at the last position", write(byOne, last, nil, entries(1)), false},
		{"a write that begins above it", write(byOne, last+1, nil, entries(1)), true},
		{"a write that ends above it", write(byOne, last, nil, entries(1, 1)), true},
		{"a write that ends at it", write(byOne, last-1, nil, entries(1, 1)), false},
		{"a write with an absent value", write(byOne, 1, nil, entries(1), nil), true},
		{"a write with a long notice", write(byOne, 1, span(1, last), entries(1)), false},
		{"a write with an empty notice", write(byOne, 1, span(0, 0), entries(1)), true},
		{"a write with a notice upside down", write(byOne, 1, span(2, 1), entries(1)), true},
	} {
		t.Run(c.claim, c.check)
	}
}

// cutBy is a run of two entries whose bytes are more than it says, or fewer.
func cutBy(more int) *messages.Values {
	m := entries(2, 3)
	m.Data = make([]byte, len(m.Data)+more)
	return m
}

func TestValueKeepsRulesOfItsKind(t *testing.T) {
	const at = uint64(place)
	for _, c := range []faulty{
		{"a NOP", &messages.Value{Kind: messages.Kind_KIND_NOP}, false},
		{"a NOP with data", &messages.Value{Kind: messages.Kind_KIND_NOP, Data: []byte("a")}, true},
		{"a NOP that truncates", &messages.Value{Kind: messages.Kind_KIND_NOP, To: 1}, true},
		{"an empty entry", entry(0), false},
		{"the largest entry", entry(log.MaxEntry), false},
		{"a larger entry", entry(log.MaxEntry + 1), true},
		{"an entry that truncates", &messages.Value{Kind: messages.Kind_KIND_APPEND, To: 1}, true},
		{"a TRUNCATE to itself", &messages.Value{Kind: messages.Kind_KIND_TRUNCATE, To: at}, false},
		{"a TRUNCATE beyond itself (S11)", &messages.Value{Kind: messages.Kind_KIND_TRUNCATE, To: at + 1}, true},
		{"a TRUNCATE of everything", &messages.Value{Kind: messages.Kind_KIND_TRUNCATE, To: 1<<64 - 1}, true},
		{"a TRUNCATE to nowhere", &messages.Value{Kind: messages.Kind_KIND_TRUNCATE}, true},
		{"a TRUNCATE with data", &messages.Value{Kind: messages.Kind_KIND_TRUNCATE, To: 1, Data: []byte("a")}, true},
		{"no kind", &messages.Value{}, true},
		{"no kind, with data", &messages.Value{Data: []byte("a")}, true},
		{"a kind of the future", &messages.Value{Kind: 4}, true},
		{"a negative kind", &messages.Value{Kind: -1}, true},
	} {
		t.Run(c.claim, c.check)
	}
}

func TestAppendIsWithinItsBounds(t *testing.T) {
	for _, c := range []struct {
		claim string
		sizes []int
		want  error
	}{
		{"one entry", []int{1}, nil},
		{"an empty entry", []int{0}, nil},
		{"no entry", nil, codec.ErrMalformed},
		{"as many as a run has", make([]int, log.MaxRun), nil},
		{"more than a run has", make([]int, log.MaxRun+1), codec.ErrMalformed},
		{"the largest entry", []int{log.MaxEntry}, nil},
		{"a larger entry", []int{log.MaxEntry + 1}, codec.ErrTooLarge},
		{"a batch that is full", []int{log.MaxRunBytes - 1, 1}, nil},
		{"a batch that is too large", []int{log.MaxRunBytes - 1, 2}, codec.ErrTooLarge},
	} {
		t.Run(c.claim, func(t *testing.T) {
			m := new(messages.AppendRequest)
			for _, size := range c.sizes {
				m.Entries = append(m.Entries, make([]byte, size))
			}
			if _, err := codec.DecodeAppendRequest(m); !errors.Is(err, c.want) || (err != nil) != (c.want != nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestLongDetailIsCutBetweenCharacters(t *testing.T) {
	const most = 1 << 10
	for _, detail := range []string{
		strings.Repeat("a", most), strings.Repeat("a", most+1), strings.Repeat("ä", most), "a" + strings.Repeat("ä", most),
		strings.Repeat("日", most), "a" + strings.Repeat("日", most),
	} {
		refused := codec.RefuseWelcome(sender(), identity.Refusal{Reason: identity.Malformed, Detail: detail}).GetRefused().GetDetail()
		failed := codec.EncodeFailure(messages.Code_CODE_BUSY, detail).GetDetail()
		for _, got := range []string{refused, failed} {
			if len(got) > most || len(got) < min(len(detail), most-3) || !utf8.ValidString(got) || !strings.HasPrefix(detail, got) {
				t.Errorf("%q of %d bytes became one of %d bytes", detail[:9], len(detail), len(got))
			}
		}
	}
}
