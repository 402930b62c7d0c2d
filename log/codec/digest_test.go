package codec

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

func TestADigestTellsValuesApartAndNotTheirProposals(t *testing.T) {
	base := log.Action{Position: 7, Promised: 3, Performed: 3, Learned: true, Value: log.Value{Kind: log.Append, Data: []byte("ab")}}
	for _, c := range []struct {
		what   string
		change func(*log.Action)
		same   bool
	}{
		{"the proposals", func(a *log.Action) { a.Promised, a.Performed = 9, 8 }, true},
		{"the position", func(a *log.Action) { a.Position = 8 }, false},
		{"the kind", func(a *log.Action) { a.Value.Kind = log.NOP }, false},
		{"what it keeps", func(a *log.Action) { a.Value.To = 2 }, false},
		{"the session", func(a *log.Action) { a.Value.Session[3] = 1 }, false},
		{"the number in it", func(a *log.Action) { a.Value.Sequence = 1 }, false},
		{"the bytes", func(a *log.Action) { a.Value.Data = []byte("ac") }, false},
		{"one byte more", func(a *log.Action) { a.Value.Data = []byte("ab\x00") }, false},
	} {
		other := base
		c.change(&other)
		if same := Digest([]log.Action{base}) == Digest([]log.Action{other}); same != c.same {
			t.Errorf("%s differ: the digests are the same: %v, expected %v", c.what, same, c.same)
		}
	}
}
