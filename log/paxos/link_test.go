package paxos_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

func TestRunIsAcceptedOnlyBehindTheOneBelowIt(t *testing.T) {
	for _, c := range []struct {
		claim          string
		first, settled log.Position
		below          string // what is held at first - 1
		want           bool
	}{
		{"the first run of a reign", 8, 7, "", true},
		{"all below it is chosen", 8, 9, "", true},
		{"the run below it is held", 8, 5, "7=a@3", true},
		{"nothing is held below it", 8, 6, "", false},
		{"another writer's run is below it", 8, 6, "7=a@2", false},
		{"somebody has settled what is below it", 8, 6, "7=a@4", false},
		{"a promise alone is below it", 8, 6, "7=^3", false},
	} {
		t.Run(c.claim, func(t *testing.T) {
			var before log.Action
			if c.below == "7=^3" {
				before = log.Action{Position: 7, Promised: ballot("3")}
			} else if c.below != "" {
				before = records(c.below)[0]
			}
			if got := paxos.Linked(ballot("3"), c.first, c.settled, before); got != c.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestWhatLacksItsWritersEarlierEntriesIsNotProposedAgain(t *testing.T) {
	for _, c := range []struct {
		claim       string
		below       log.Kind
		won         string
		reign       log.Position // the reign of 3 begins here; 0 for none
		first, last log.Position
		want        string
	}{
		{"behind a hole", log.Append, "6=b@3", 4, 5, 6, "5=nop@7 6=nop@7"},
		{"behind a NOP that is chosen", log.NOP, "5=a@3 6=b@3", 4, 5, 6, "5=nop@7 6=nop@7"},
		{"behind a NOP that was accepted", log.Append, "5=nop@4 6=b@3", 4, 5, 6, "5=nop@7 6=nop@7"},
		{"settled once before, and not chosen", log.NOP, "5=a@5", 4, 5, 5, "5=nop@7"},
		{"behind an entry", log.Append, "5=a@3 6=b@3", 4, 5, 6, "5=a@7 6=b@7"},
		{"behind what is truncated", log.None, "5=a@3 6=b@3", 4, 5, 6, "5=a@7 6=b@7"},
		{"the first of the reign", log.NOP, "5=a@3 6=b@3", 5, 5, 6, "5=a@7 6=b@7"},
		{"below the reign", log.NOP, "5=a@2 6=b@2", 9, 5, 6, "5=a@7 6=b@7"},
		{"what is learned stays", log.NOP, "5=a@3!", 4, 5, 5, "5=a@3!"},
		{"nobody has reigned yet", log.NOP, "5=a@3", 0, 5, 5, "5=a@7"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			w := paxos.Won{Range: log.Range{First: c.first, Last: c.last}, Actions: records(c.won)}
			if c.reign > 0 {
				w.Reign = log.Reign{By: ballot("3"), First: c.reign}
			}
			if got := showRecords(paxos.Propose(w, ballot("7"), c.below)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
