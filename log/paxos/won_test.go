package paxos_test

import (
	"math/rand/v2"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// promised is a grant of [1, last] by a replica whose log ends at end.
type promised struct {
	last, end log.Position
	actions   string
}

func (p promised) vote(from log.ReplicaID) paxos.Vote {
	_, first := life("1")
	return paxos.Vote{From: from, Incarnation: first, Answer: paxos.Promised{
		Range: log.Range{First: 1, Last: p.last}, End: p.end, Actions: records(p.actions)}}
}

func TestWonPromiseTellsWhatMustBeProposed(t *testing.T) {
	for _, c := range []struct {
		claim string
		a, b  promised
		want  string
	}{
		{"nothing was accepted", promised{3, 3, ""}, promised{3, 3, ""}, ""},
		{"what one accepted", promised{3, 3, "2=a@1"}, promised{3, 3, ""}, "2=a@1"},
		{"what was accepted under the highest proposal", promised{3, 3, "1=a@4"}, promised{3, 3, "1=b@3"}, "1=a@4"},
		{"wherever that comes", promised{3, 3, "1=b@3"}, promised{3, 3, "1=a@4"}, "1=a@4"},
		{"a promise does not make a value stronger", promised{3, 3, "1=b@3^9"}, promised{3, 3, "1=a@4"}, "1=a@4"},
		{"in one round the higher replica's", promised{3, 3, "1=a@4.2"}, promised{3, 3, "1=b@4"}, "1=a@4.2"},
		{"what is learned before what was accepted later", promised{3, 3, "1=a@9"}, promised{3, 3, "1=b@3!"}, "1=b@3!"},
		{"position by position", promised{3, 3, "1=a@4 2=b@1 3=c@1"}, promised{3, 3, "1=x@3 2=y@2 3=z@1!"}, "1=a@4 2=y@2 3=z@1!"},
		{"in the order of positions", promised{3, 3, "3=c@1"}, promised{3, 3, "1=a@1 2=b@1"}, "1=a@1 2=b@1 3=c@1"},
		{"only what everybody granted", promised{3, 3, "1=a@1 3=c@1"}, promised{2, 3, "2=b@1"}, "1=a@1 2=b@1"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			won, ok := ask(c.a, c.b).(paxos.Won)
			if got := showRecords(won.Actions); !ok || got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func ask(promises ...promised) paxos.Outcome {
	tally := paxos.NewTally(explicit, len(promises))
	outcome := paxos.Outcome(paxos.Pending{})
	for i, p := range promises {
		outcome = tally.Add(p.vote(log.ReplicaID(i + 1)))
	}
	return outcome
}

func TestWonRangeIsWhatEverybodyGranted(t *testing.T) {
	won, ok := ask(promised{5, 5, ""}, promised{2, 5, ""}).(paxos.Won)
	if want := (log.Range{First: 1, Last: 2}); !ok || won.Range != want {
		t.Errorf("got %s, want %s", won.Range, want)
	}
}

func TestWonEndIsHighestOfQuorum(t *testing.T) {
	won, ok := ask(promised{1, 4, ""}, promised{1, 9, ""}).(paxos.Won)
	if !ok || won.End != 9 {
		t.Errorf("got end %d, want 9", won.End)
	}
}

func TestRejectingReplicaAddsNothingToWhatWasWon(t *testing.T) {
	tally := paxos.NewTally(explicit, 3)
	tally.Add(promised{3, 3, "1=a@1"}.vote(1))
	tally.Add(vote(explicit, "2:no9"))
	won, ok := tally.Add(promised{2, 7, "2=b@1"}.vote(3)).(paxos.Won)
	if got := showRecords(won.Actions); !ok || got != "1=a@1 2=b@1" || won.Range.Last != 2 || won.End != 7 {
		t.Errorf("got %v", won)
	}
}

func TestDeadReplicaAddsNothingToWhatWasWon(t *testing.T) {
	tally := paxos.NewTally(explicit, 3)
	tally.Add(promised{3, 9, "1=dead@8"}.vote(3))
	witness := promised{3, 3, "1=a@1"}.vote(1)
	witness.Known = witness.Known.With(life("3.2"))
	tally.Add(witness)
	won, ok := tally.Add(promised{3, 3, ""}.vote(2)).(paxos.Won)
	if got := showRecords(won.Actions); !ok || got != "1=a@1" || won.End != 3 {
		t.Errorf("got %v", won)
	}
}

func TestWonPromiseDoesNotDependOnOrder(t *testing.T) {
	texts := []string{"", "1=a@1", "1=b@2 2=c@1", "1=a@1! 3=d@4", "2=c@1^7 3=e@2", "3=d@4"}
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 2))
		var votes []paxos.Vote
		for id := range 3 {
			p := promised{1 + log.Position(random.IntN(3)), log.Position(random.IntN(9)), texts[random.IntN(len(texts))]}
			votes = append(votes, p.vote(log.ReplicaID(id+1)))
		}
		// All three are needed of five, so that the order cannot change who is counted.
		conclude := func() (paxos.Won, string) {
			tally := paxos.NewTally(explicit, 5)
			tally.Add(votes[0])
			tally.Add(votes[1])
			won, _ := tally.Add(votes[2]).(paxos.Won)
			return won, showRecords(won.Actions)
		}
		before, actions := conclude()
		random.Shuffle(len(votes), func(i, j int) { votes[i], votes[j] = votes[j], votes[i] })
		after, shuffled := conclude()
		if before.Range != after.Range || before.End != after.End || actions != shuffled || before.Range.Empty() {
			t.Fatalf("seed %d: %v and %v", seed, before, after)
		}
	}
}
