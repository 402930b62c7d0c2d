package paxos

import "github.com/quorumlog/quorumlog/log/invariant"

// Quorum is the number of replicas that make a majority of a cluster: any two majorities share a replica.
//
// It is derived from the members and never set by hand: a quorum that is too small lets two writers both succeed (hole
// S15). A recovering replica does not vote, so its recovery quorum is made of the others, and still meets every write
// quorum, counted without the recovering replica, in at least one replica.
func Quorum(members int) int {
	invariant.Hold(members > 0, "a cluster has at least one member, not %d", members)
	return members/2 + 1
}
