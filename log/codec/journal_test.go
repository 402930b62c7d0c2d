package codec

import (
	"errors"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/log/journal"
)

func anyOf(t testing.TB, text string) *anypb.Any {
	t.Helper()
	a, err := anypb.New(wrapperspb.String(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// journalEntries are entries of each kind, with what they hold.
func journalEntries(t testing.TB) (entries []journal.Entry, bodies []JournalBody) {
	one, two := anyOf(t, "one"), anyOf(t, "two")
	return []journal.Entry{
			{Owner: "a", Kind: journal.Activation, By: "host:1"},
			{Owner: "a", Kind: journal.Events, Activation: 7, Index: 3, Count: 2},
			{Owner: "a", Kind: journal.Snapshot, Activation: 7, Index: 4, Count: 1},
			{Owner: "a", Kind: journal.Snapshot, Activation: 7, Index: 5},
		}, []JournalBody{
			{}, {Events: []*anypb.Any{one, two}}, {State: one, Events: []*anypb.Any{two}}, {State: two},
		}
}

func TestAJournalEntryIsReadAsItWasWritten(t *testing.T) {
	entries, bodies := journalEntries(t)
	for i, e := range entries {
		wire, err := EncodeJournalEntry(e, bodies[i])
		if err != nil || !IsJournalEntry(wire) {
			t.Fatalf("%+v: %v, %x", e, err, wire)
		}
		got, body, err := DecodeJournalEntry(wire)
		if err != nil || got != e {
			t.Errorf("got %+v, %v; want %+v", got, err, e)
		}
		same := proto.Equal(body.State, bodies[i].State) && len(body.Events) == len(bodies[i].Events)
		for j := range body.Events {
			same = same && proto.Equal(body.Events[j], bodies[i].Events[j])
		}
		if !same {
			t.Errorf("%+v holds %v, want %v", e, body, bodies[i])
		}
	}
}

func TestWhatIsNoJournalEntryIsNotTakenForOne(t *testing.T) {
	entries, bodies := journalEntries(t)
	whole, err := EncodeJournalEntry(entries[1], bodies[1])
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "zeros": make([]byte, 64), "half": whole[:len(whole)/2], "no content": whole[:9],
		"no state": append(whole[:12:12], 0x2a, 2, 8, 1),
	} {
		if _, _, err := DecodeJournalEntry(data); !errors.Is(err, journal.ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if IsJournalEntry([]byte("hello")) || IsJournalEntry(whole[:5]) {
		t.Error("other data is taken for an entry")
	}
}

func TestAnEntryThatCannotBeReadIsNotWritten(t *testing.T) {
	for _, e := range []journal.Entry{
		{Kind: journal.Activation}, {Owner: "a", Kind: journal.Events, Activation: 1}, {Owner: "a", Kind: journal.Events, Activation: 0},
	} {
		if _, err := EncodeJournalEntry(e, JournalBody{}); !errors.Is(err, journal.ErrMalformed) {
			t.Errorf("%+v: got %v", e, err)
		}
	}
}

func FuzzDecodeJournalEntry(f *testing.F) {
	entries, bodies := journalEntries(f)
	for i, e := range entries {
		wire, err := EncodeJournalEntry(e, bodies[i])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, body, err := DecodeJournalEntry(data)
		if err != nil {
			return
		}
		again, err := EncodeJournalEntry(e, body)
		if err != nil {
			t.Fatalf("%x is read as %+v, and cannot be written: %v", data, e, err)
		}
		if got, _, err := DecodeJournalEntry(again); err != nil || fmt.Sprint(got) != fmt.Sprint(e) {
			t.Fatalf("%+v is read again as %+v, %v", e, got, err)
		}
	})
}
