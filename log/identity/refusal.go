package identity

// Reason says why a message was refused before any rule of the protocol was asked.
type Reason uint8

// The reasons.
const (
	// Malformed: the message breaks a rule of the schema.
	Malformed Reason = iota + 1
	// WrongCluster: the sender belongs to another cluster.
	WrongCluster
	// WrongConfiguration: the sender has another member list.
	WrongConfiguration
	// UnknownMember: the sender's id is not in the member list.
	UnknownMember
	// DeadIncarnation: a newer incarnation of the sender's replica is registered.
	DeadIncarnation
	// DuplicateIdentity: two processes claim one incarnation, or the sender's disk is an older copy.
	DuplicateIdentity
	// IOError: the replica's disk failed, and it no longer votes.
	IOError
	// Overloaded: a queue is full.
	Overloaded
	// OutOfBounds: a position or a proposal is further away than is accepted in one step.
	OutOfBounds
)

var reasons = [...]string{
	Malformed: "malformed", WrongCluster: "wrong cluster", WrongConfiguration: "wrong configuration",
	UnknownMember: "unknown member", DeadIncarnation: "dead incarnation", DuplicateIdentity: "duplicate identity",
	IOError: "i/o error", Overloaded: "overloaded", OutOfBounds: "out of bounds",
}

// String names the reason.
func (r Reason) String() string {
	if r.Valid() {
		return reasons[r]
	}
	return "unknown"
}

// Valid says whether r is one of the reasons.
func (r Reason) Valid() bool { return Malformed <= r && r <= OutOfBounds }

// Refusal is the answer to a message that changed nothing.
type Refusal struct {
	Reason Reason
	Detail string      // what was expected and what was seen, for people
	Known  Incarnation // with DeadIncarnation: the one that is registered
	Votes  bool        // with DeadIncarnation: the replica that refuses votes
	Alive  bool        // with DeadIncarnation: the registered one greeted a moment ago
}

// Error makes a refusal an error.
func (r Refusal) Error() string { return r.Reason.String() + ": " + r.Detail }
