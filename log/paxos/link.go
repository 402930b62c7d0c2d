package paxos

import "github.com/quorumlog/quorumlog/log"

// A writer has several runs on their way at once. That each position has one value is Paxos; that no entry is in the log
// without those that its writer wrote before it is up to two rules. Linked is for acceptors: what is chosen has all of its
// writer's earlier entries below it. Unlinked is for proposers: what lacks them was never chosen, and is not proposed again.

// Linked says whether an acceptor may accept a run of a proposal that begins at first, where the proposer says that every
// position up to settled is chosen, and before is what the acceptor holds below first: only if what the same proposal wrote
// there is on its disk.
//
// So where a run is chosen, a quorum holds the run below it under the same proposal, or its proposer knew all below it as
// chosen. That others know it is not enough: what is chosen there may be a NOP, in place of what the writer wrote, and Unlinked
// holds that nothing of the writer is chosen above it.
func Linked(by log.Proposal, first, settled log.Position, before log.Action) bool {
	return first <= settled+1 || before.Performed == by && before.Value.Kind != log.None
}

// Unlinked says whether a value that a quorum showed was never chosen, since a NOP is chosen or proposed right below it.
//
// No writer writes a NOP: it stands where a quorum held nothing, or nothing that was linked. Within a reign, its writer's
// entries follow each other without a gap (see Linked). So above a NOP in the reign nothing of its writer is chosen, under
// its own proposal or under that of somebody who had settled it again. A position below the latest reign was settled by its
// writer, and the first one of a reign has nothing of its writer below it.
//
// Only whoever settles positions in their order, each above one that is chosen, may conclude this.
func Unlinked(a log.Action, below log.Kind, reign log.Reign) bool {
	return below == log.NOP && !a.Learned && reign.By > 0 && a.Position > reign.First
}
