// Package measure is what the actors of one member count, and what they note of what happened, for whoever looks on. No rule
// and no actor asks it anything, so that nothing of the protocol can come to depend on it.
//
// Counting is an atomic addition in a place that is known beforehand: there is no map, no lock and no allocation on the way of
// an append. Any goroutine may read while the actors count; what it reads is not of one moment.
//
// Who publishes the numbers under which names is not decided here: see cluster.Collector.
package measure

import (
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// Measures are what one member counts since its process started.
type Measures struct {
	// Appends are the entries that clients asked to append here, by the messages.Code of the answer: 0 is appended.
	Appends Tally
	// AppendTime is how long each request to append took, from its arrival to its answer, in nanoseconds. Only those count
	// that were appended.
	AppendTime *Histogram
	// Batches is how many entries each write to the replicas had.
	Batches *Histogram
	// Elections are the elections of this member that came to an end, by Election.
	Elections Tally
	// Canvasses are the questions of this member whether anybody would mind its election that came to an end, by Canvass.
	Canvasses Tally
	// Promises are the answers to requests for promises, by Kind and Answer.
	Promises [Reigns + 1]Tally
	// Writes are the answers to requests to write, by Answer.
	Writes Tally
	// Syncs is how long each sync of the disk took, in nanoseconds.
	Syncs *Histogram
	// Catchups is how long each catch-up took that came to its end, in nanoseconds.
	Catchups *Histogram
	// CatchupBytes are the bytes of entries that catch-ups copied.
	CatchupBytes Counter
	// DigestMismatches is how often the log of this member and that of a peer were found to differ.
	DigestMismatches Counter

	// DamagedRecords is how often learned records were found to be damaged on the disk, and then copied again.
	DamagedRecords Counter

	// What waits in memory, and what was turned away because too much did.
	Waiting   Queue // entries that wait for the next batch
	Searching Queue // entries that wait until it is known who writes
	Answers   Queue // answers of the replica that wait for the disk

	// Events are the last things that happened.
	Events *Events

	peers peers
}

// Queue is one queue with a bound.
type Queue struct {
	Bytes    Gauge   // that wait now, about
	Rejected Counter // requests, or answers, that were turned away or dropped because of the bound
}

// New returns measures of a member that starts at this time.
func New(now time.Time) *Measures {
	return &Measures{
		AppendTime: NewHistogram(doubling(100*time.Microsecond, 17)),
		Batches:    NewHistogram([]uint64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}),
		Syncs:      NewHistogram(doubling(100*time.Microsecond, 17)),
		Catchups:   NewHistogram(doubling(10*time.Millisecond, 19)),
		Events:     newEvents(now),
		peers:      peers{rtt: make(map[log.ReplicaID]time.Duration)},
	}
}

// doubling returns bounds, in nanoseconds, from the first on, each twice the one before.
func doubling(first time.Duration, n int) []uint64 {
	bounds := make([]uint64, n)
	for i := range bounds {
		bounds[i] = uint64(first) << i
	}
	return bounds
}

// Election is how an election ended.
type Election int

// The ends of an election.
const (
	Won     Election = iota // this member writes
	Lost                    // to a higher proposal
	Unheard                 // no quorum answered in time
)

// String is how the end is published; empty where there is no such end.
func (e Election) String() string { return name(int(e), "won", "lost", "no_quorum") }

// Canvass is how a canvass ended.
type Canvass int

// The ends of a canvass.
const (
	Welcome Canvass = iota // a quorum does not mind
	Minded                 // somebody hears a writer, or promised more
	Silent                 // no quorum answered in time
)

// String is how the end is published; empty where there is no such end.
func (c Canvass) String() string { return name(int(c), "welcome", "minded", "no_quorum") }

// Kind is what a promise is asked for.
type Kind int

// The kinds of promises.
const (
	Implicit Kind = iota // all positions, by a writer
	Explicit             // some positions, by whoever settles them
	Reigns               // note from where on a writer writes
)

// String is how the kind is published; empty where there is no such kind.
func (k Kind) String() string { return name(int(k), "implicit", "explicit", "reign") }

// Answer is what a replica answered.
type Answer int

// The answers.
const (
	Granted   Answer = iota // promised, or accepted
	Rejected                // a higher proposal was promised
	Learned                 // other values are chosen
	Truncated               // the positions are dropped
	NotVoting               // the replica may not vote
	Refused                 // no rule was asked: see identity.Reason
)

// String is how the answer is published; empty where there is no such answer.
func (a Answer) String() string {
	return name(int(a), "granted", "rejected", "learned", "truncated", "not_voting", "refused")
}

// AnswerOf is how an answer of the rules counts.
func AnswerOf(a paxos.Answer) Answer {
	switch a.(type) {
	case paxos.Promised, paxos.Accepted, paxos.Willing:
		return Granted
	case paxos.Rejected:
		return Rejected
	case paxos.Learned:
		return Learned
	case paxos.Truncated:
		return Truncated
	case paxos.NotVoting:
		return NotVoting
	case paxos.Refused:
	}
	return Refused
}

func name(i int, names ...string) string {
	if i < 0 || i >= len(names) {
		return ""
	}
	return names[i]
}

// peers is how far the other members are, in time.
type peers struct {
	mu  sync.Mutex
	rtt map[log.ReplicaID]time.Duration
}

// Answered notes how long a peer took to answer a greeting.
func (m *Measures) Answered(by log.ReplicaID, rtt time.Duration) {
	m.peers.mu.Lock()
	defer m.peers.mu.Unlock()
	m.peers.rtt[by] = rtt
}

// RTT is how long a peer took to answer the last greeting that it answered; false where it answered none.
func (m *Measures) RTT(of log.ReplicaID) (time.Duration, bool) {
	m.peers.mu.Lock()
	defer m.peers.mu.Unlock()
	rtt, known := m.peers.rtt[of]
	return rtt, known
}
