// Package paxos has the rules of Multi-Paxos: what an acceptor answers and what it must have on disk before the answer
// leaves (acceptor.go), and what a proposer may conclude from the answers (tally.go).
//
// The source of the rules is Lamport, "Paxos Made Simple" (2001), and src/log of Apache Mesos; where the latter has a
// hole, the comment says so and docs/mesos.md has the list.
package paxos

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
)

// Answer is what an acceptor says to a proposer: Promised, Accepted, Rejected, Learned, Truncated, Willing, NotVoting or
// Refused.
//
//sumtype:decl
type Answer interface{ answer() }

type (
	// Promised grants a promise.
	Promised struct {
		Range   log.Range    // the granted positions, possibly a prefix of those asked for; empty if implicit
		End     log.Position // the highest position for which the acceptor holds anything
		Actions []log.Action // what it had accepted or learned in Range, in the order of positions
		Reign   log.Reign    // the latest that it was told of
	}
	// Accepted says that a run of values is on the acceptor's disk, or chosen.
	Accepted struct{ Range log.Range }
	// Rejected says that a higher proposal was promised.
	Rejected struct {
		By log.Proposal
		// Overwritten, answering a write: a higher proposal wrote at one of the positions since, or a value of the run is
		// chosen, so that the acceptor can no longer tell whether it, or a former life of it, had accepted the run before.
		Overwritten bool
	}
	// Learned says that other values than those written are chosen. It says nothing of the positions that it leaves out:
	// the acceptor may hold what was written there.
	Learned struct{ Actions []log.Action }
	// Truncated says that the request starts below the log.
	Truncated struct{ Begin log.Position }
	// Willing answers a canvass: the acceptor would promise the proposal, and hears nobody who writes. It is no promise.
	Willing struct{}
	// NotVoting says that the replica may not vote.
	NotVoting struct{ Status status.Status }
	// Refused says that no rule was asked.
	Refused struct{ identity.Refusal }
)

func (Promised) answer()  {}
func (Accepted) answer()  {}
func (Rejected) answer()  {}
func (Learned) answer()   {}
func (Truncated) answer() {}
func (Willing) answer()   {}
func (NotVoting) answer() {}
func (Refused) answer()   {}
