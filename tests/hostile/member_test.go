package hostile

import (
	"math"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// FuzzMember sends a member up to eight frames of any kind.
func FuzzMember(f *testing.F) {
	for _, input := range corpus(f) {
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		frames := parse(input)
		if len(frames) == 0 {
			return
		}
		s := newSubject(t)
		for _, frame := range frames {
			s.send(frame)
		}
	})
}

// corpus is every probe of the schema, from a peer to those actors that serve. The fuzzer finds the other guises and targets:
// more to begin with would keep it busy for half a minute before it tries anything new.
func corpus(t testing.TB) [][]byte {
	s := newSubject(t)
	var all [][]byte
	for _, m := range probes() {
		for _, target := range []string{member.Replica, member.Gateway, member.Network} {
			all = append(all, format([]Frame{frameOf(t, m, s.index(target), peer)}))
		}
	}
	return all
}

func frameOf(t testing.TB, m proto.Message, target uint8, g Guise) Frame {
	t.Helper()
	wire, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range kinds() {
		if k.ProtoReflect().Descriptor() == m.ProtoReflect().Descriptor() {
			return Frame{Kind: uint8(i), Target: target, Guise: g, Wire: wire}
		}
	}
	t.Fatalf("%T does not travel", m)
	return Frame{}
}

// probes are messages at and beyond the bounds of what a correct peer sends.
func probes() []proto.Message {
	h := &messages.Header{Request: 7}
	all := []proto.Message{
		&messages.RecoverRequest{Header: h}, &messages.Hello{Header: h},
		&messages.AppendRequest{Request: 1, Entries: [][]byte{[]byte("x")}}, &messages.AppendRequest{Request: 1},
		&messages.TruncateRequest{Request: 1, To: math.MaxUint64}, &messages.ElectRequest{Request: 1},
		&messages.ReadRequest{Request: 1, To: math.MaxUint64}, &messages.CatchupRequest{Request: 1},
		&messages.StatusRequest{Request: 1}, &messages.DigestRequest{Request: 1, Range: &messages.Range{First: 1, Last: math.MaxUint64}},
	}
	last := log.MaxPosition
	for _, by := range []log.Proposal{0, log.NewProposal(4, 2), log.NewProposal(log.MaxRound, 2), math.MaxUint64} {
		for _, r := range []log.Range{{}, {First: 1, Last: 1}, {First: 4, Last: 6}, {First: 1, Last: last}, {First: last, Last: last}, {First: 6, Last: 2}} {
			all = append(all,
				codec.EncodePromiseRequest(h, by, r), codec.EncodeLearnedMessage(h, by, r), codec.EncodeFetchRequest(h, r),
				codec.EncodeReignRequest(h, log.Reign{By: by, First: r.First}),
				codec.EncodeWriteRequest(h, codec.Write{By: by, First: r.First, Settled: r.First - 1, Learned: r, Values: []log.Value{
					{Kind: log.Append, Data: []byte("x")}, {Kind: log.Truncate, To: r.Last}, {Kind: log.NOP},
				}}))
		}
	}
	return all
}

func TestEveryProbeIsBorneByEveryActorInEveryGuise(t *testing.T) {
	all := probes()
	for g := range guises {
		s := newSubject(t)
		for _, m := range all {
			for target := range s.targets() {
				s.send(frameOf(t, m, uint8(target), g))
			}
		}
	}
}

func TestSpoiledMessagesChangeNothingTheyMustNot(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newSubject(t)
		all := probes()
		for range 200 {
			f := frameOf(t, all[r.IntN(len(all))], uint8(r.IntN(20)), Guise(r.IntN(int(guises))))
			for range r.IntN(3) {
				if len(f.Wire) > 0 {
					f.Wire[r.IntN(len(f.Wire))] ^= 1 << r.IntN(8)
				}
			}
			s.send(f)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// What an attack is measured against must itself be able to change the disk.
func TestAPeersPromiseAndWriteChangeTheDisk(t *testing.T) {
	h := &messages.Header{Request: 7}
	by := log.NewProposal(4, 2)
	for _, m := range []proto.Message{
		codec.EncodePromiseRequest(h, by, log.Range{}),
		codec.EncodeWriteRequest(h, codec.Write{By: by, First: 6, Settled: 5, Values: []log.Value{{Kind: log.Append, Data: []byte("x")}}}),
		codec.EncodeLearnedMessage(h, log.NewProposal(3, 2), log.Range{First: 5, Last: 5}),
	} {
		s := newSubject(t)
		before := s.digest()
		s.send(frameOf(t, m, s.index(member.Replica), peer))
		if s.digest() == before {
			t.Errorf("%v changed nothing", m)
		}
	}
}

func TestInputsAndFramesAreTheSame(t *testing.T) {
	frames := []Frame{{1, 2, peer, []byte("abc")}, {3, 4, older, nil}}
	got := parse(format(frames))
	if len(got) != 2 || got[0].Kind != 1 || string(got[0].Wire) != "abc" {
		t.Errorf("got %v", got)
	}
}
