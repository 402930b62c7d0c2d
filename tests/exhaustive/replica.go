package exhaustive

import (
	"math/bits"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
)

// Bounds of what a state has room for.
const (
	maxReplicas  = 5
	maxProposals = 4
	maxPositions = 2
	maxWipes     = 2
	maxLives     = maxWipes + 1
)

// record is what a replica holds for one position. Proposals are counted from 1.
type record struct {
	promised, performed uint8
	value               value
	learned             bool
}

type reign struct{ by, first uint8 }

// replica is the disk of one replica, and what it has said that may still arrive. It does not know its own name: two
// states in which replicas have changed places are the same.
type replica struct {
	status   status.Status
	lives    uint8 // which wipes were its own, as bits
	knows    uint8 // which wipes it has heard of, as bits
	promised uint8 // implicitly
	reign    reign
	held     [maxPositions]record
	target   uint8                            // RECOVERING: the position to catch up to
	former   memory                           // of the disk that it lost first; see scope.doubts
	told     [maxProposals][maxLives]answerID // its answer to the question that each proposer asks now, by its lives
	helped   [maxWipes]answerID               // its answer to each recovery
}

// memory is what a disk holds of votes.
type memory struct {
	promised uint8
	reign    reign
	held     [maxPositions]record
}

func (r replica) memory() memory { return memory{r.promised, r.reign, r.held} }

func (r replica) remembering(m memory) replica {
	r.promised, r.reign, r.held = m.promised, m.reign, m.held
	return r
}

// answer is what a replica said.
type answer struct {
	granted        ask   // what it granted; 0 for the answer to a recovery
	life, knows    uint8 // of the replica, at that moment
	end            uint8
	reign          reign
	held           [maxPositions]record
	promised       uint8         // answering a recovery
	status         status.Status // the same
	rejected, seen uint8         // see rules.resign
}

func (r replica) life() uint8 { return uint8(bits.OnesCount8(r.lives)) }

func (r replica) end() uint8 {
	for p := uint8(maxPositions); p > 0; p-- {
		if r.held[p-1] != (record{}) {
			return p
		}
	}
	return 0
}

func (r replica) acceptor() paxos.Acceptor {
	return paxos.Acceptor{
		Promised: proposal(r.promised), Highest: proposal(r.promised), Begin: 1, End: log.Position(r.end()), Reign: r.reign.ours(),
	}
}

func (r reign) ours() log.Reign {
	return log.Reign{By: proposal(r.by), First: log.Position(r.first)}
}

func reignOf(r log.Reign) reign { return reign{uint8(r.By.Round()), uint8(r.First)} }

// proposal numbers the proposals: each has a proposer of its own.
func proposal(k uint8) log.Proposal {
	if k == 0 {
		return 0
	}
	return log.NewProposal(uint64(k), log.ReplicaID(k))
}

// actions are the records from first to last, as a disk hands them out.
func actions(held [maxPositions]record, first, last uint8) []log.Action {
	var found []log.Action
	for p := first; p <= min(last, maxPositions); p++ {
		if r := held[p-1]; r != (record{}) {
			found = append(found, log.Action{
				Position: log.Position(p), Promised: proposal(r.promised), Performed: proposal(r.performed),
				Learned: r.learned, Value: r.value.ours(),
			})
		}
	}
	return found
}

// hear has a replica handle a request. It returns the replica afterwards, and its answer if that grants what was asked.
func (r replica) hear(q request, rule rules) (replica, answer) {
	if q.ask == notice {
		return r.mark(q), answer{}
	}
	if r.status != status.Voting {
		return r, answer{}
	}
	before := r.answer()
	v := r.verdict(q, rule)
	if q.ask == writing && len(v.Store) > 0 && !r.linked(q, rule) {
		return r, answer{} // it waits for what is missing below it
	}
	a := r.grant(q, v)
	if rule.syncFirst || a.granted == 0 {
		r = r.store(v)
	}
	if a.granted > 0 {
		a.life, a.knows = before.life, before.knows
	}
	return r, a
}

func (r replica) linked(q request, rule rules) bool {
	before := log.Action{}
	if q.first > 1 {
		before, _ = find(actions(r.held, q.first-1, q.first-1), log.Position(q.first-1))
	}
	return rule.linked(proposal(q.by), log.Position(q.first), log.Position(q.settled), before)
}

func (r replica) answer() answer { return answer{life: r.life(), knows: r.knows} }

func (r replica) verdict(q request, rule rules) paxos.Verdict {
	first, last := log.Position(q.first), log.Position(q.last)
	switch q.ask {
	case implicit:
		return rule.promise(r.acceptor(), proposal(q.by))
	case explicit:
		return rule.explore(r.acceptor(), actions(r.held, q.first, q.last), proposal(q.by), log.Range{First: first, Last: last})
	case reigning:
		return rule.begin(r.acceptor(), actions(r.held, q.first, maxPositions), log.Reign{By: proposal(q.by), First: first})
	case writing:
		return rule.write(r.acceptor(), actions(r.held, q.first, q.last), proposal(q.by), first, q.ours())
	case notice:
	}
	return paxos.Verdict{}
}

// grant is what is kept of an answer. What grants nothing ends a round at most, and so does no answer at all.
func (r replica) grant(q request, v paxos.Verdict) answer {
	switch a := v.Answer.(type) {
	case paxos.Promised:
		given := answer{granted: q.ask, end: uint8(a.End), reign: reignOf(a.Reign)}
		for _, known := range a.Actions {
			given.held[known.Position-1] = recordOf(known)
		}
		if q.ask == reigning {
			given.end, given.reign = 0, reign{}
		}
		if q.ask == explicit {
			given.end = 0
		}
		return given
	case paxos.Accepted:
		return answer{granted: writing}
	case paxos.Rejected:
		return answer{rejected: 1, seen: uint8(a.By.Round())}
	case paxos.Learned, paxos.Truncated, paxos.Willing, paxos.NotVoting, paxos.Refused:
	}
	return answer{}
}

func recordOf(a log.Action) record {
	return record{promised: uint8(a.Promised.Round()), performed: uint8(a.Performed.Round()), value: valueOf(a.Value), learned: a.Learned}
}

// store does what replica.decide does.
func (r replica) store(v paxos.Verdict) replica {
	r.promised = max(r.promised, uint8(v.Promised.Round()))
	r.reign = reignOf(r.reign.ours().Later(v.Reign))
	for _, a := range v.Store {
		if at := int(a.Position) - 1; at < maxPositions {
			stored := recordOf(a)
			stored.learned = r.held[at].learned
			r.held[at] = stored
		}
	}
	return r
}

// mark does what replica.mark does with a notice that something is chosen.
func (r replica) mark(q request) replica {
	for _, run := range paxos.Chosen(actions(r.held, q.first, q.last), proposal(q.by)) {
		for p := run.First; p <= run.Last; p++ {
			r.held[p-1].learned = true
		}
	}
	return r
}

// incarnation numbers the lives of a replica.
func incarnation(life uint8) identity.Incarnation {
	return identity.Incarnation{Generation: uint64(life) + 1, Disk: uint64(life) + 1}
}
