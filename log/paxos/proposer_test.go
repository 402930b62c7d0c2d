package paxos_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

func TestWinnerProposesWhatBindsItAndNopsElsewhere(t *testing.T) {
	for _, c := range []struct {
		claim       string
		first, last log.Position
		won         string
		want        string
	}{
		{"where nothing was accepted, a NOP", 1, 2, "", "1=nop@7 2=nop@7"},
		{"what was accepted, under the new proposal", 1, 1, "1=a@3^5", "1=a@7"},
		{"what is learned, as it was chosen", 1, 2, "1=a@3^5!", "1=a@3^5! 2=nop@7"},
		{"gaps are filled with NOPs", 1, 4, "2=b@3 4=>2@1", "1=nop@7 2=b@7 3=nop@7 4=>2@7"},
		{"a range in the middle of the log", 8, 9, "9=b@3", "8=nop@7 9=b@7"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			w := paxos.Won{Range: log.Range{First: c.first, Last: c.last}, Actions: records(c.won)}
			if got := showRecords(paxos.Propose(w, ballot("7"), log.None)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestProposedRunFitsIntoOneMessage(t *testing.T) {
	for _, c := range []struct {
		claim string
		sizes []int
		want  int
	}{
		{"exactly full", []int{log.MaxRunBytes / 2, log.MaxRunBytes / 2}, 2},
		{"one byte too much ends it before", []int{log.MaxRunBytes / 2, log.MaxRunBytes/2 + 1}, 1},
		{"the first value goes, however large", []int{log.MaxEntry + 1, 0}, 1},
		{"what is empty fits after a full one", []int{log.MaxEntry, 0, 0, 1}, 3},
	} {
		t.Run(c.claim, func(t *testing.T) {
			w := paxos.Won{Range: log.Span(1, len(c.sizes))}
			for i, size := range c.sizes {
				a := log.Action{Position: log.Position(i + 1), Value: log.Value{Kind: log.Append, Data: make([]byte, size)}}
				w.Actions = append(w.Actions, a)
			}
			if got := len(paxos.Propose(w, ballot("1"), log.None)); got != c.want {
				t.Errorf("got %d values, want %d", got, c.want)
			}
		})
	}
}

func TestLearnedRunNeedsNoWrite(t *testing.T) {
	for held, want := range map[string]bool{
		"":               true,
		"1=a@1!":         true,
		"1=a@1! 2=b@2!":  true,
		"1=a@1! 2=b@2":   false,
		"1=a@1 2=b@2!":   false,
		"1=nop@1":        false,
		"1=nop@1! 2=b@2": false,
	} {
		if got := paxos.AllLearned(records(held)); got != want {
			t.Errorf("%q: got %t, want %t", held, got, want)
		}
	}
}

func TestTwoQuorumsShareReplica(t *testing.T) {
	for n := 1; n <= 64; n++ {
		q := paxos.Quorum(n)
		if 2*q <= n {
			t.Errorf("two quorums of %d among %d replicas may share none", q, n)
		}
		if 2*(q-1) > n {
			t.Errorf("a quorum of %d among %d replicas is more than needed", q, n)
		}
	}
}

// A recovering replica is in no recovery quorum: its recovery quorum must meet every write quorum in somebody else.
func TestRecoveryQuorumOfOthersMeetsEveryWriteQuorum(t *testing.T) {
	for n := 2; n <= 64; n++ {
		q := paxos.Quorum(n)
		recovery, wrote := q, q-1 // without the recovering replica, which may be in the write quorum
		if recovery+wrote <= n-1 {
			t.Errorf("among %d replicas, %d that recover and %d that wrote may share none", n, recovery, wrote)
		}
	}
}

func TestQuorumOfNobodyIsProgramFault(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a cluster without members has a quorum")
		}
	}()
	paxos.Quorum(0)
}
