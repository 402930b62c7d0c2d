package paxos_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

func TestAnElectionIsMindedWhereSomebodyWritesOrMoreWasPromised(t *testing.T) {
	p := log.NewProposal
	for _, c := range []struct {
		claim               string
		promised, heard, by log.Proposal
		want                string
	}{
		{"nobody ever wrote", 0, 0, p(1, 2), "willing"},
		{"the last writer is silent", p(4, 1), 0, p(5, 2), "willing"},
		{"somebody writes", p(4, 1), p(4, 1), p(5, 2), "rejected by " + showBallot(p(4, 1))},
		{"somebody is about to", p(4, 1), p(9, 3), p(5, 2), "rejected by " + showBallot(p(9, 3))},
		{"the one who asks does", p(4, 2), p(4, 2), p(5, 2), "willing"},
		{"more was promised", p(6, 1), 0, p(5, 2), "rejected by " + showBallot(p(6, 1))},
		{"the same was promised", p(5, 2), 0, p(5, 2), "rejected by " + showBallot(p(5, 2))},
		{"it is too far away", 0, 0, p(paxos.MaxJump+1, 2), "refused: out of bounds"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			got := showAnswer(paxos.Canvass(paxos.Acceptor{Promised: c.promised, Highest: c.promised}, c.heard, c.by))
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestAQuorumThatDoesNotMindIsEnough(t *testing.T) {
	tally := paxos.NewTally(paxos.AskOpinion, 3)
	if _, pending := tally.Add(paxos.Vote{From: 1, Answer: paxos.Rejected{By: 7}}).(paxos.Pending); !pending {
		t.Error("one who minds ends it")
	}
	tally.Add(paxos.Vote{From: 2, Answer: paxos.Willing{}})
	if _, won := tally.Add(paxos.Vote{From: 3, Answer: paxos.Willing{}}).(paxos.Won); !won {
		t.Error("two of three are not enough")
	}
}
