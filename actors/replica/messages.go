package replica

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/sessions"
	"github.com/quorumlog/quorumlog/log/status"
)

// What actors of the same process say to the replica, and what it says to its owner. What other processes say are the
// protobuf messages of package messages.
type (
	// Inspect asks how the replica is.
	Inspect struct{ Gaps bool } // say also which positions are not learned
	// Inspected answers Inspect.
	Inspected struct {
		Identity            identity.Identity
		Known               identity.Vector
		Status              status.Status
		Since               time.Time // when the status was entered
		Begin, End, Learned log.Position
		NotLearned          uint64       // positions from Begin to End that are not learned
		Settled             log.Position // up to where everything is chosen, as the newest writer said
		Promised, Highest   log.Proposal
		Writer              log.Proposal  // of the local coordinator while it is elected; 0 otherwise
		Candidacy           log.Proposal  // of the local coordinator while it is about to be elected; 0 otherwise
		Heard               log.Proposal  // of whoever writes, or is about to, as far as was heard lately; 0 for nobody
		Sync                time.Duration // what nineteen of twenty of the last syncs took at most; 0 where there were too few
		Cluster             string        // the cluster's name
		Founders            identity.Founders
		Syncs               uint64       // that the disk has seen
		Damaged             interval.Set // learned positions that cannot be read here
		Gaps                []log.Range  // from Begin to End that are not learned, if asked for; the last of 64 holds all the rest
	}

	// Reserve asks for a proposal that this replica never used before.
	Reserve struct{ Above log.Proposal }
	// Reserved answers Reserve, once the proposal is durable. By is 0 where the proposals are used up.
	Reserved struct {
		By       log.Proposal
		Identity identity.Identity // with the age of the disk on which the proposal is durable
	}

	// Stand says that the sender, the local coordinator, is not elected, and about to be: a quorum has promised it By, or did under
	// its last reign. It stands until it says Lead.
	Stand struct{ By log.Proposal }
	// Lead says that the sender, the local coordinator, is elected; By is 0 once it is not.
	Lead struct{ By log.Proposal }
	// Attend asks to be told Deserted from now on.
	Attend struct{}
	// Deserted tells who attends that the writer that was heard is gone, or writes no more.
	Deserted struct{ Successor log.ReplicaID } // whom it named; 0 for nobody
	// Gone tells that the connection to another replica broke, or that it was silent for too long.
	Gone struct{ Replica log.ReplicaID }
	// Outbid tells the coordinator that led that its replica promised a higher proposal.
	Outbid struct{ By log.Proposal }

	// Advance takes the replica to its next status, and adopts what a quorum of its peers has promised.
	Advance struct {
		To                status.Status
		Promised, Highest log.Proposal
		Reign             log.Reign
		Known             identity.Vector
		Founders          identity.Founders // of the log that the replica takes part in from now on
	}
	// Advanced answers Advance, once the status is durable.
	Advanced struct{ Status status.Status }

	// Reincarnate gives a replica a generation above one that its peers know, and the number of a new disk. One that is VOTING
	// becomes RECOVERING.
	Reincarnate struct{ Above uint64 }
	// Reincarnated answers Reincarnate, once the incarnation is durable.
	Reincarnated struct{ Incarnation identity.Incarnation }

	// Install tells of a configuration that is known to be chosen, in the log of these founders: nil for the replica's own. One that is
	// not newer is ignored. Where it is of another log the replica fails.
	Install struct {
		Configuration membership.Configuration
		Founders      identity.Founders
	}
	// Reconfigured tells the owner that a newer configuration is in force here. Where Unknown is set it is not: this replica is no
	// member of it, and never was, so it has to be added first.
	Reconfigured struct {
		Configuration membership.Configuration
		Unknown       bool
	}

	// Lacking tells the owner that a change of the members waits here for what is not learned.
	Lacking struct{ Range log.Range }

	// Heard tells which processes of other replicas were heard, by a round or by a peer.
	Heard struct{ Processes []identity.Heard }
	// Trusted tells that no peer that can be reached objects to the replica's disk.
	Trusted struct{}

	// Missing asks which positions of a range are not learned, nor truncated: none, if the range is empty.
	Missing struct{ Range log.Range }
	// Missed answers Missing.
	Missed struct {
		Set        interval.Set
		Begin, End log.Position
		Learned    log.Position
		Identity   identity.Identity
	}

	// Learn stores values that are known to be chosen. The records are in the order of positions.
	Learn struct{ Actions []log.Action }
	// Taught answers Learn. The records are visible, and durable with the next vote or status.
	Taught struct{}

	// Jump says that a peer's log begins here: everything below was truncated by a chosen TRUNCATE.
	Jump struct{ Begin log.Position }
	// Jumped answers Jump.
	Jumped struct{ Begin log.Position }

	// Sessions asks for the table of sessions, once everything up to a position is in it; only the last one who asks is answered.
	Sessions struct{ UpTo log.Position }
	// Remembered answers Sessions, with a table that is the asker's own. UpTo is the position of its last entry, or above.
	Remembered struct {
		Table *sessions.Table
		UpTo  log.Position
	}

	// Read asks for learned records. Range.First 0 starts at the begin of the log, Range.Last 0 ends at what is learned.
	Read struct {
		Range log.Range
		Tag   uint64 // is repeated in the answer
	}
	// Page answers Read: the records of the first part of the range, without a gap.
	Page struct {
		Tag     uint64    // of the Read
		Range   log.Range // the positions covered; empty if the log has none in the range
		Actions []log.Action
		Begin   log.Position
		Learned log.Position
		Fault   Fault
	}

	// Distrust says that the disk holds what was not chosen: the replica stops voting, and its disk is condemned.
	Distrust struct{ Why string }

	// Await has an actor told once everything up to a position is learned, or truncated. It takes the place of what that actor
	// awaited before; At 0 awaits nothing.
	Await struct {
		At log.Position
		By *actor.PID // who is told
	}
	// Reached answers Await.
	Reached struct{ Learned log.Position }

	// Damaged tells the owner which learned positions cannot be read here, until they are copied from a peer: none in the end.
	Damaged struct{ Set interval.Set }

	// StatusChanged tells the owner.
	StatusChanged struct {
		From, To status.Status
		At       time.Time // by the clock of the replica
	}
	// Failed tells the owner that the disk failed or lied, or, with an identity.Refusal, that it was put back to an earlier
	// state while the process ran, or, with an OtherLogError, that it holds another log. The replica no longer votes.
	Failed struct{ Err error }
)

// Fault says why a Read cannot be served.
type Fault uint8

// The faults.
const (
	NoFault     Fault = iota // it is served
	Truncated                // the range starts below Begin
	NotLearned               // the range ends above Learned
	Backwards                // the range ends before it starts
	DiskFailure              // the disk failed
	Mending                  // the records are damaged, and not copied yet
)
