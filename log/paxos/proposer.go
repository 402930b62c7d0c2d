package paxos

import "github.com/quorumlog/quorumlog/log"

// Propose returns what a proposer whose promise round was won must propose, position by position: what is learned, else
// what was accepted under the highest proposal, else a NOP, also in place of what is unlinked. Below is what is chosen right
// below the range; None where that is truncated, or not known to be anything. It covers the won range, or a prefix of it that fits into one
// message. What is learned keeps the proposal under which it was chosen: Write goes by it.
//
// A CONFIG is alone: it is accepted only above what is learned, and what lies above it is for its own quorum to settle.
func Propose(w Won, by log.Proposal, below log.Kind) []log.Action {
	var values []log.Action
	size := 0
	for known := range records(w.Actions, w.Range) {
		if known.Value.Kind == log.None || Unlinked(known, below, w.Reign) {
			known.Value = log.Value{Kind: log.NOP}
		}
		if known.Value.Kind == log.Config && len(values) > 0 {
			break
		}
		below = known.Value.Kind
		if size += len(known.Value.Data); size > log.MaxRunBytes && len(values) > 0 {
			break
		}
		if !known.Learned {
			known.Promised, known.Performed = by, by
		}
		values = append(values, known)
		if known.Value.Kind == log.Config {
			break
		}
	}
	return values
}

// AllLearned says whether every one of the values is known to be chosen, so that none need be written.
func AllLearned(values []log.Action) bool {
	for _, a := range values {
		if !a.Learned {
			return false
		}
	}
	return true
}
