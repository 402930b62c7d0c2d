package log

import (
	"fmt"
	"strconv"
	"strings"
)

// ReplicaID names one replica of the log, from 1. It is configured, and survives the loss of the replica's disk.
type ReplicaID uint16

// Proposal (also: ballot) is the number of a proposer's attempt. 0 means "no proposal".
//
// The upper 48 bits are the round, the lower 16 the proposer's replica, so that two replicas never share one. A replica
// never uses a round twice: it keeps the highest one on disk (see storage.Metadata.Highest).
type Proposal uint64

const replicaBits = 16

// MaxRound is the highest round.
const MaxRound = 1<<(64-replicaBits) - 1

// NewProposal returns the proposal of a replica in a round, which is at most MaxRound.
func NewProposal(round uint64, by ReplicaID) Proposal {
	return Proposal(round<<replicaBits | uint64(by))
}

// Round is the number of the attempt.
func (p Proposal) Round() uint64 { return uint64(p) >> replicaBits }

// Replica is who proposes.
func (p Proposal) Replica() ReplicaID { return ReplicaID(p & (1<<replicaBits - 1)) }

// Next returns the proposal of a replica in the round after p's, which is higher than every proposal of p's round. It is 0
// where the rounds are used up.
func (p Proposal) Next(by ReplicaID) Proposal {
	if p.Round() >= MaxRound {
		return 0
	}
	return NewProposal(p.Round()+1, by)
}

// String writes the proposal as "round.replica".
func (p Proposal) String() string { return fmt.Sprintf("%d.%d", p.Round(), p.Replica()) }

// ParseProposal reads what String has written.
func ParseProposal(text string) (Proposal, error) {
	left, right, _ := strings.Cut(text, ".")
	round, err := strconv.ParseUint(left, 10, 64-replicaBits)
	if err != nil {
		return 0, fmt.Errorf("%q is not a proposal: it is written ROUND.REPLICA", text)
	}
	by, err := strconv.ParseUint(right, 10, replicaBits)
	if err != nil {
		return 0, fmt.Errorf("%q is not a proposal: it is written ROUND.REPLICA", text)
	}
	return NewProposal(round, ReplicaID(by)), nil
}
