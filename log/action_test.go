package log_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

func TestValuesAreEqualWhereEverythingIs(t *testing.T) {
	different := []log.Value{
		{},
		{Kind: log.NOP},
		{Kind: log.Append},
		{Kind: log.Append, Data: []byte("a")},
		{Kind: log.Append, Data: []byte("b")},
		{Kind: log.Append, Data: []byte("ab")},
		{Kind: log.Truncate, To: 1},
		{Kind: log.Truncate, To: 2},
	}
	for i, a := range different {
		for j, b := range different {
			if a.Equal(b) != (i == j) {
				t.Errorf("%v and %v: equal %t", a, b, a.Equal(b))
			}
		}
	}
}

func TestEntryWithoutBytesEqualsEmptyOne(t *testing.T) {
	if a, b := (log.Value{Kind: log.Append}), (log.Value{Kind: log.Append, Data: []byte{}}); !a.Equal(b) || !b.Equal(a) {
		t.Error("the two differ")
	}
}

func TestKindsHaveNames(t *testing.T) {
	for kind, want := range map[log.Kind]string{
		log.None: "NONE", log.NOP: "NOP", log.Append: "APPEND", log.Truncate: "TRUNCATE", 99: "NONE",
	} {
		if kind.String() != want {
			t.Errorf("kind %d is called %s, want %s", kind, kind, want)
		}
	}
}

func TestOneEntryFitsIntoOneRun(t *testing.T) {
	if log.MaxEntry > log.MaxRunBytes || log.MaxRun > log.Window {
		t.Error("an entry is larger than a message may be, or a run is longer than is accepted")
	}
}
