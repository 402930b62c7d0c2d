package replica

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

// accepted is a record as a write leaves it.
func accepted(at log.Position, round uint64, v log.Value) log.Action {
	by := log.NewProposal(round, 1)
	return log.Action{Position: at, Promised: by, Performed: by, Value: v}
}

// promised is the record after a promise of a higher proposal.
func promised(a log.Action, round uint64) log.Action {
	a.Promised = log.NewProposal(round, 2)
	return a
}

func entry() log.Value { return log.Value{Kind: log.Append, Data: []byte("a")} }

func truncate(to log.Position) log.Value { return log.Value{Kind: log.Truncate, To: to} }

// covered says what is remembered of a run: "no", or what it truncates.
func covered(w *written, round uint64, first, last log.Position) string {
	l, ok := w.covers(log.NewProposal(round, 1), log.Range{First: first, Last: last})
	if !ok {
		return "no"
	}
	return fmt.Sprint(l.truncations)
}

func TestRunIsCoveredWhereAllOfItWasAccepted(t *testing.T) {
	var w written
	w.add([]log.Action{accepted(3, 5, entry()), accepted(4, 5, truncate(2)), accepted(6, 5, entry())})
	for _, c := range []struct {
		claim       string
		round       uint64
		first, last log.Position
		want        string
	}{
		{"one", 5, 3, 3, "[]"},
		{"two, of which one truncates", 5, 3, 4, "[2]"},
		{"the one that truncates", 5, 4, 4, "[2]"},
		{"with a gap", 5, 3, 6, "no"},
		{"above everything", 5, 7, 7, "no"},
		{"under a lower proposal", 4, 3, 3, "no"},
		{"under a higher proposal", 6, 3, 3, "no"},
	} {
		if got := covered(&w, c.round, c.first, c.last); got != c.want {
			t.Errorf("%s: got %s, want %s", c.claim, got, c.want)
		}
	}
}

func TestNothingIsCoveredAtFirst(t *testing.T) {
	var w written
	if got := covered(&w, 1, 1, 1); got != "no" {
		t.Errorf("got %s", got)
	}
}

func TestHigherProposalReplacesWhatWasWritten(t *testing.T) {
	var w written
	w.add([]log.Action{accepted(3, 5, truncate(1)), accepted(4, 5, entry())})
	w.add([]log.Action{accepted(4, 6, entry())})
	if low, high := covered(&w, 5, 3, 3), covered(&w, 6, 4, 4); low != "no" || high != "[]" {
		t.Errorf("of the lower %s, of the higher %s", low, high)
	}
	if got := covered(&w, 6, 3, 4); got != "no" {
		t.Errorf("what the lower wrote counts as the higher's: %s", got)
	}
}

func TestLowerProposalIsNotRemembered(t *testing.T) {
	var w written
	w.add([]log.Action{accepted(3, 5, entry())})
	w.add([]log.Action{accepted(4, 4, entry())})
	if low, high := covered(&w, 4, 4, 4), covered(&w, 5, 3, 3); low != "no" || high != "[]" {
		t.Errorf("of the lower %s, of the higher %s", low, high)
	}
}

func TestPromiseIsNoValue(t *testing.T) {
	var w written
	w.add([]log.Action{{Position: 3, Promised: log.NewProposal(5, 1)}, promised(accepted(4, 4, entry()), 5)})
	if got := covered(&w, 4, 4, 4) + covered(&w, 5, 3, 3); got != "nono" {
		t.Errorf("got %s", got)
	}
}

func TestPromiseDoesNotTakeAnAcceptedValueBack(t *testing.T) {
	var w written
	w.add([]log.Action{accepted(3, 5, truncate(2))})
	w.add([]log.Action{promised(accepted(3, 5, truncate(2)), 6)})
	if got := covered(&w, 5, 3, 3); got != "[2]" {
		t.Errorf("got %s, want [2], once", got)
	}
}

func TestWhatIsForgottenIsNotCovered(t *testing.T) {
	var w written
	w.add([]log.Action{accepted(3, 5, truncate(2)), accepted(4, 5, truncate(3)), accepted(5, 5, entry())})
	w.forget(log.Range{First: 1, Last: 3})
	if gone, kept := covered(&w, 5, 3, 3), covered(&w, 5, 4, 5); gone != "no" || kept != "[3]" {
		t.Errorf("of the forgotten %s, of the others %s", gone, kept)
	}
}

func TestForgottenTruncationsTakeNoRoom(t *testing.T) {
	var w written
	w.add([]log.Action{accepted(1, 5, entry())}) // it is never learned
	for at := log.Position(2); at < 100; at++ {
		w.add([]log.Action{accepted(at, 5, truncate(1))})
		w.forget(log.Range{First: at, Last: at})
	}
	if len(w.truncations) > 0 || !w.positions.Contains(1) {
		t.Errorf("%d truncations are left", len(w.truncations))
	}
}

// TestWrittenIsWhatTheDiskWouldSay compares it with the records themselves: what is covered is on the disk under that very
// proposal, truncates what it says, and is of the sessions that it says.
func TestWrittenIsWhatTheDiskWouldSay(t *testing.T) {
	const size = 6
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 1))
		var w written
		disk := map[log.Position]log.Action{}
		for round := uint64(1); round < 60; round++ {
			at := 1 + log.Position(random.IntN(size))
			a := accepted(at, 1+round/6, entry())
			if seed%2 == 1 && random.IntN(2) == 0 {
				a.Value.Session[0], a.Value.Sequence = byte(1+random.IntN(2)), uint64(at)+seed%3
			}
			switch random.IntN(4) {
			case 0:
				a.Value = truncate(1 + log.Position(random.IntN(int(at))))
			case 1:
				a = promised(disk[at], 1+round/6)
				a.Position = at
			}
			if old := disk[at]; a.Performed == old.Performed && a.Performed > 0 {
				a.Value = old.Value // one value for one proposal
			}
			disk[at] = a
			w.add([]log.Action{a})
			first := 1 + log.Position(random.IntN(size))
			checkCovered(t, seed, &w, disk, log.Range{First: first, Last: min(size, first+log.Position(random.IntN(2)))})
		}
	}
}

func checkCovered(t *testing.T, seed uint64, w *written, disk map[log.Position]log.Action, run log.Range) {
	t.Helper()
	l, ok := w.covers(w.by, run)
	want, all := map[log.Position]int{}, true
	var records []log.Action
	for p := run.First; p <= run.Last; p++ {
		a := disk[p]
		records = append(records, a)
		all = all && a.Performed == w.by && a.Value.Kind != log.None
		if a.Value.Kind == log.Truncate {
			want[a.Value.To]++
		}
	}
	if w.by == 0 {
		return
	}
	for _, to := range l.truncations {
		want[to]--
	}
	for to, n := range want {
		if ok && n != 0 {
			t.Fatalf("seed %d: %s truncates to %d %+d times", seed, run, to, n)
		}
	}
	if ok && !all || all && !ok && seed%2 == 0 { // entries of sessions that come out of order are left to the disk
		t.Fatalf("seed %d: %s is covered: %t, and on the disk: %t", seed, run, ok, all)
	}
	if want := lessonOf(records, run); ok && !reflect.DeepEqual(l.piece.Runs, want.piece.Runs) && len(want.piece.Runs) > 0 {
		t.Fatalf("seed %d: %s is of %v, and on the disk of %v", seed, run, l.piece.Runs, want.piece.Runs)
	}
}
