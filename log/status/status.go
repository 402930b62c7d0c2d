// Package status says what a replica may do, and what lets it do more.
package status

// Status is the state of one replica. Only a VOTING replica promises and accepts.
//
//	EMPTY -> STARTING -> VOTING        a new log, if the replicas may initialize it by themselves
//	EMPTY or STARTING -> RECOVERING -> VOTING
type Status uint8

// The statuses, in the order of a replica's life.
const (
	// Empty: the disk is new. The replica could have forgotten what it promised.
	Empty Status = iota + 1
	// Starting: all replicas were seen to be new. It has durably never voted on this disk.
	Starting
	// Recovering: it copies what it missed.
	Recovering
	// Voting: it votes.
	Voting
)

// String names the status as the protocol's documents do.
func (s Status) String() string {
	switch s {
	case Empty:
		return "EMPTY"
	case Starting:
		return "STARTING"
	case Recovering:
		return "RECOVERING"
	case Voting:
		return "VOTING"
	default:
		return "UNKNOWN"
	}
}

// Valid says whether s is one of the statuses.
func (s Status) Valid() bool { return Empty <= s && s <= Voting }
