package log_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

func TestProposalKeepsItsRoundAndReplica(t *testing.T) {
	for _, round := range []uint64{0, 1, 7, 1<<16 - 1, 1 << 16, 1 << 32, log.MaxRound - 1, log.MaxRound} {
		for _, id := range []log.ReplicaID{0, 1, 3, 1<<16 - 1} {
			if p := log.NewProposal(round, id); p.Round() != round || p.Replica() != id {
				t.Errorf("%d.%d became %s", round, id, p)
			}
		}
	}
}

func TestProposalsAreOrderedByRoundThenReplica(t *testing.T) {
	ordered := []log.Proposal{
		0, log.NewProposal(0, 1), log.NewProposal(1, 1), log.NewProposal(1, 2), log.NewProposal(1, 1<<16-1),
		log.NewProposal(2, 1), log.NewProposal(log.MaxRound, 1), log.NewProposal(log.MaxRound, 1<<16-1),
	}
	for i := range len(ordered) - 1 {
		if ordered[i] >= ordered[i+1] {
			t.Errorf("%s is not below %s", ordered[i], ordered[i+1])
		}
	}
}

func TestNextProposalIsOfNextRound(t *testing.T) {
	for _, c := range []struct {
		claim string
		p     log.Proposal
		by    log.ReplicaID
		want  log.Proposal
	}{
		{"the first", 0, 3, log.NewProposal(1, 3)},
		{"after one of its own", log.NewProposal(4, 3), 3, log.NewProposal(5, 3)},
		{"after one of a higher replica", log.NewProposal(4, 9), 3, log.NewProposal(5, 3)},
		{"after one of a lower replica, whose round is used as well", log.NewProposal(4, 1), 3, log.NewProposal(5, 3)},
		{"the last round", log.NewProposal(log.MaxRound-1, 9), 3, log.NewProposal(log.MaxRound, 3)},
		{"after the last round, none", log.NewProposal(log.MaxRound, 1), 3, 0},
		{"after the last proposal, none", 1<<64 - 1, 3, 0},
	} {
		if got := c.p.Next(c.by); got != c.want {
			t.Errorf("%s: got %s, want %s", c.claim, got, c.want)
		}
	}
}

func TestProposalIsWrittenAsRoundAndReplica(t *testing.T) {
	for p, want := range map[log.Proposal]string{
		0:                                    "0.0",
		log.NewProposal(7, 3):                "7.3",
		log.NewProposal(log.MaxRound, 65535): "281474976710655.65535",
	} {
		if p.String() != want {
			t.Errorf("got %s, want %s", p, want)
		}
	}
}

func TestProposalsAreReadAsTheyAreWritten(t *testing.T) {
	for _, p := range []log.Proposal{0, log.NewProposal(1, 2), log.NewProposal(log.MaxRound, 1<<16-1)} {
		if read, err := log.ParseProposal(p.String()); read != p || err != nil {
			t.Errorf("%s became %s, %v", p, read, err)
		}
	}
	for _, text := range []string{"", "1", "1.", ".1", "1.65536", "281474976710656.1", "a.b", "1.1.1", "-1.1"} {
		if p, err := log.ParseProposal(text); err == nil {
			t.Errorf("%q is %s", text, p)
		}
	}
}
