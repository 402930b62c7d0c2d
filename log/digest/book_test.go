package digest_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/digest"
)

const size = digest.Positions

func kept(first, last log.Position) log.Range { return log.Range{First: first, Last: last} }

// drain puts every block of a range into a book, and returns where they begin, in the order in which they were asked for.
func drain(b *digest.Book, within log.Range) (firsts []log.Position) {
	for {
		block, found := b.Next(within)
		if !found {
			return firsts
		}
		block.Sum = digest.Sum(block.First)
		b.Put(block)
		firsts = append(firsts, block.First)
	}
}

func TestWholeBlocksAreReadNewestFirst(t *testing.T) {
	for _, c := range []struct {
		within log.Range
		want   string
	}{
		{kept(1, 0), "[]"},
		{kept(1, size-1), "[]"},
		{kept(1, size), "[1]"},
		{kept(2, 2*size), "[257]"},
		{kept(size, 2*size), "[257]"},
		{kept(size+1, 2*size), "[257]"},
		{kept(size+2, 2*size), "[]"},
		{kept(1, 3*size+5), "[513 257 1]"},
	} {
		if got := fmt.Sprint(drain(digest.NewBook(1, 3), c.within)); got != c.want {
			t.Errorf("%v: %s, want %s", c.within, got, c.want)
		}
	}
}

func TestWhatIsKnownIsNotReadAgainAndWhatIsTruncatedIsForgotten(t *testing.T) {
	b := digest.NewBook(1, 3)
	drain(b, kept(1, 3*size))
	if got := drain(b, kept(1, 5*size)); len(got) != 2 || got[0] != 4*size+1 {
		t.Errorf("after three blocks it reads %v of five", got)
	}
	drain(b, kept(2*size+7, 5*size))
	for _, told := range b.Tell(100) {
		if told.First <= 2*size+7 {
			t.Errorf("it tells of block %d, which is truncated", told.First)
		}
	}
}

func TestEveryBlockIsToldInTurnsAndTheNewestAlways(t *testing.T) {
	b := digest.NewBook(1, 3)
	drain(b, kept(1, 20*size))
	seen := map[log.Position]int{}
	for range 12 {
		told := b.Tell(4)
		if len(told) > 4 || told[0].First != 19*size+1 {
			t.Fatalf("it tells %v", told)
		}
		for _, block := range told {
			seen[block.First]++
			if block.Sum != digest.Sum(block.First) {
				t.Errorf("of block %d it tells %d", block.First, block.Sum)
			}
		}
	}
	if len(seen) != 20 {
		t.Errorf("in 12 turns it told of %d blocks of 20", len(seen))
	}
	if none := digest.NewBook(1, 3).Tell(4); none != nil {
		t.Errorf("of nothing it tells %v", none)
	}
}

func TestMembersThatDifferAreFound(t *testing.T) {
	for _, c := range []struct {
		claim   string
		members int
		heard   []digest.Sum // of members 2, 3, and so on; 1 is what member 1 has
		want    string       // the peers of the findings; with ! where this member is in the minority
		differs bool
	}{
		{"all are equal", 3, []digest.Sum{1, 1}, "", false},
		{"one differs", 3, []digest.Sum{7, 1}, "2", true},
		{"one differs, and is heard last", 3, []digest.Sum{1, 7}, "3", true},
		{"both differ alike", 3, []digest.Sum{7, 7}, "2 3!", true},
		{"both differ, and from each other", 3, []digest.Sum{7, 8}, "2 3", true},
		{"two of five", 5, []digest.Sum{7, 7, 1, 1}, "2 3", true},
		{"three of five", 5, []digest.Sum{7, 7, 1, 7}, "2 3 5!", true},
		{"two members", 2, []digest.Sum{7}, "2", true},
	} {
		b := digest.NewBook(1, c.members)
		b.Put(digest.Block{First: 1, Sum: 1})
		got := ""
		for range 2 { // nothing is found twice
			for i, sum := range c.heard {
				for _, f := range b.Hear(log.ReplicaID(i+2), []digest.Block{{First: 1, Sum: sum}, {First: size + 1, Sum: 99}}) {
					got += fmt.Sprintf(" %d", f.Peer)
					if f.Minority {
						got += "!"
					}
					if f.Block != kept(1, size) {
						t.Errorf("%s: at %v", c.claim, f.Block)
					}
				}
			}
		}
		if got != "" {
			got = got[1:]
		}
		if got != c.want || b.Differs() != c.differs {
			t.Errorf("%s: found %q, want %q; differs: %t", c.claim, got, c.want, b.Differs())
		}
	}
}

func TestADisputeIsOverOnceNobodySaysAnythingElse(t *testing.T) {
	b := digest.NewBook(1, 3)
	b.Put(digest.Block{First: 1, Sum: 1})
	say := func(peer log.ReplicaID, sum digest.Sum) int {
		return len(b.Hear(peer, []digest.Block{{First: 1, Sum: sum}}))
	}
	if say(2, 7) != 1 || say(2, 7) != 0 || !b.Differs() {
		t.Error("another log is not found once")
	}
	if say(3, 1) != 0 || !b.Differs() {
		t.Error("a third member ended it")
	}
	if say(2, 1) != 0 || b.Differs() {
		t.Error("it is not over")
	}
	if say(2, 7) != 1 {
		t.Error("the next one is not found")
	}
}

func TestHashTellsValuesApartAndNotProposals(t *testing.T) {
	sum := func(records ...log.Action) digest.Sum {
		h := digest.NewHash()
		for _, a := range records {
			h.Add(a)
		}
		return h.Block()
	}
	a := log.Action{Position: 1, Promised: 5, Performed: 5, Value: log.Value{Kind: log.Append, Data: []byte("ab")}}
	same := a
	same.Promised, same.Performed = 9, 9
	if sum(a) != sum(same) {
		t.Error("a proposal counts")
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		other := a
		switch random.IntN(4) {
		case 0:
			other.Position = 2
		case 1:
			other.Value.Kind = log.NOP
		case 2:
			other.Value.To = log.Position(1 + random.IntN(9))
		default:
			other.Value.Data = []byte(fmt.Sprint(random.IntN(1000)))
		}
		if sum(a) == sum(other) {
			t.Errorf("%v and %v have one sum", a, other)
		}
	}
}
