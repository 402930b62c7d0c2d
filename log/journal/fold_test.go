package journal

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

const seeds = 1000

// written is an entry, where it is, and what became of it in a fold of the whole log.
type written struct {
	at      log.Position
	entry   Entry
	verdict Verdict
}

// story writes what actors write that are activated several times, and go on writing after they were fenced.
func story(random *rand.Rand, steps int) (all []written, f *Fold) {
	f = NewFold(1)
	activations, wrote := make(map[string][]log.Position), make(map[log.Position]bool)
	for at := log.Position(1); int(at) <= steps; at += 1 + log.Position(random.IntN(3)) {
		owner := fmt.Sprint("actor-", random.IntN(4))
		e := entry(random, owner, activations[owner], f.View(owner))
		if now := f.View(owner); e.Activation == now.Activation && !wrote[e.Activation] {
			e.Index = now.Next - e.Count*uint64(e.Kind-Events)
			wrote[e.Activation] = true
		}
		if e.Kind == Activation {
			activations[owner] = append(activations[owner], at)
		}
		all = append(all, written{at, e, f.Apply(at, e)})
	}
	return all, f
}

func entry(random *rand.Rand, owner string, activations []log.Position, now View) Entry {
	if len(activations) == 0 || random.IntN(10) == 0 {
		return Entry{Owner: owner, Kind: Activation}
	}
	by := activations[len(activations)-1]
	if random.IntN(4) == 0 {
		by = activations[random.IntN(len(activations))]
	}
	behind := min(uint64(random.IntN(3)), now.Next-now.Index)
	switch random.IntN(6) {
	case 0:
		return Entry{Owner: owner, Kind: Snapshot, Activation: by, Index: now.Next - behind, Count: behind}
	case 1:
		return Entry{Owner: owner, Kind: Events, Activation: by, Index: now.Next + uint64(random.IntN(3)) - min(now.Next, 1), Count: 1}
	}
	return Entry{Owner: owner, Kind: Events, Activation: by, Index: now.Next, Count: 1 + uint64(random.IntN(3))}
}

// dumb says what counts, with all that was ever written.
type dumb struct {
	latest map[string]log.Position
	next   map[string]uint64
	broken map[string]bool
}

func (d dumb) judge(at log.Position, e Entry) Verdict {
	after := e.Index + e.Count
	switch o := e.Owner; {
	case e.Kind == Activation:
		d.latest[o], d.broken[o] = at, false
	case e.Activation != d.latest[o] || d.broken[o]:
		return Fenced
	case e.Kind == Events && e.Index != d.next[o], e.Kind == Snapshot && after != d.next[o]:
		d.broken[o] = true
		return OutOfOrder
	case e.Kind == Events:
		d.next[o] = after
	}
	return Counts
}

func TestWhatCountsIsWhatTheLatestActivationWritesInOrder(t *testing.T) {
	for seed := range uint64(seeds) {
		all, f := story(rand.New(rand.NewPCG(seed, 1)), 200)
		d := dumb{map[string]log.Position{}, map[string]uint64{}, map[string]bool{}}
		for _, w := range all {
			if want := d.judge(w.at, w.entry); w.verdict != want {
				t.Fatalf("seed %d: at %d, %+v: %v, want %v", seed, w.at, w.entry, w.verdict, want)
			}
			if got := f.Why(w.at); got != w.verdict {
				t.Fatalf("seed %d: at %d, it was said %v, and is said %v", seed, w.at, w.verdict, got)
			}
		}
	}
}

func TestEachIndexIsInAJournalOnce(t *testing.T) {
	for seed := range uint64(seeds) {
		_, f := story(rand.New(rand.NewPCG(seed, 2)), 200)
		for owner := range f.owners {
			v := f.View(owner)
			for i, s := range v.Spans {
				if i > 0 && s.First != v.Spans[i-1].First+v.Spans[i-1].Count {
					t.Fatalf("seed %d: %s has %v", seed, owner, v.Spans)
				}
			}
			if n := len(v.Spans); n > 0 && v.Spans[n-1].First+v.Spans[n-1].Count != v.Next {
				t.Fatalf("seed %d: %s has %v, and %d comes next", seed, owner, v.Spans, v.Next)
			}
		}
	}
}

// A truncation, at some time, to what was needed then; the fold that begins there goes on with the rest.
func TestAFoldOfATruncatedLogComesToTheSameEnd(t *testing.T) {
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 3))
		all, whole := story(random, 200)
		early := NewFold(1)
		cut := random.IntN(len(all))
		for _, w := range all[:cut] {
			early.Apply(w.at, w.entry)
		}
		begin := early.Needed()
		late := NewFold(begin)
		for _, w := range all {
			if w.at >= begin {
				late.Apply(w.at, w.entry)
			}
		}
		for owner := range whole.owners {
			if got, want := late.View(owner), whole.View(owner); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, truncated to %d: %s is %+v, want %+v", seed, begin, owner, got, want)
			}
		}
	}
}

func TestASnapshotFreesWhatIsBeforeIt(t *testing.T) {
	f := NewFold(1)
	f.Apply(1, Entry{Owner: "a", Kind: Activation})
	f.Apply(2, Entry{Owner: "a", Kind: Events, Activation: 1, Count: 2})
	f.Apply(3, Entry{Owner: "b", Kind: Activation})
	f.Apply(4, Entry{Owner: "b", Kind: Events, Activation: 3, Count: 1})
	f.Apply(5, Entry{Owner: "a", Kind: Snapshot, Activation: 1, Index: 2})
	if got, holding := f.Needed(), f.Holding(); got != 3 || holding != "b" {
		t.Errorf("from %d on it is needed, by %s; want 3, by b", got, holding)
	}
	f.Apply(6, Entry{Owner: "b", Kind: Snapshot, Activation: 3, Index: 1})
	if got := f.Needed(); got != 5 {
		t.Errorf("from %d on it is needed, want 5", got)
	}
}

func TestAFoldForgetsWhyOnlyWhatIsLongAgo(t *testing.T) {
	f := NewFold(1)
	f.Apply(1, Entry{Owner: "a", Kind: Activation})
	for at := log.Position(2); at < 4*maxVoid; at++ {
		f.Apply(at, Entry{Owner: "a", Kind: Events, Activation: 9, Count: 1})
	}
	if got := f.Why(4*maxVoid - maxVoid); got != Fenced {
		t.Errorf("it is said to be %v", got)
	}
	if len(f.void) > 2*maxVoid {
		t.Errorf("%d are remembered", len(f.void))
	}
}

func TestAnEntryThatBreaksALimitIsRefused(t *testing.T) {
	for name, e := range map[string]Entry{
		"no owner":       {Kind: Activation},
		"long owner":     {Owner: string(make([]byte, MaxOwner+1)), Kind: Activation},
		"long by":        {Owner: "a", Kind: Activation, By: string(make([]byte, MaxBy+1))},
		"no kind":        {Owner: "a", Activation: 1, Count: 1},
		"no activation":  {Owner: "a", Kind: Events, Count: 1},
		"no events":      {Owner: "a", Kind: Events, Activation: 1},
		"many events":    {Owner: "a", Kind: Events, Activation: 1, Count: MaxEvents + 1},
		"an index above": {Owner: "a", Kind: Events, Activation: 1, Index: MaxIndex, Count: 1},
	} {
		if e.Check() == nil {
			t.Errorf("%s: %+v is taken", name, e)
		}
	}
}
