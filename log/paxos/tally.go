package paxos

import (
	"cmp"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
)

// Question says which answers a tally counts.
type Question uint8

// The questions.
const (
	// AskImplicit asks for an implicit promise: one rejection ends it, since a higher proposal is alive.
	AskImplicit Question = iota + 1
	// AskRange asks for an explicit promise.
	AskRange
	// AskWrite asks to accept.
	AskWrite
	// AskOpinion asks whether an election would be minded. A quorum that would not is enough: it does without the others.
	AskOpinion
)

// Vote is one replica's answer, and what it takes to know whether it still counts.
type Vote struct {
	From        log.ReplicaID
	Incarnation identity.Incarnation
	Known       identity.Vector // the crash vector of the answer
	Answer      Answer
}

// Tally counts the answers to one question of one proposal.
//
// Only answers of replicas that are still alive count together: an answer of an incarnation that any other answer
// knows to be dead is dropped, and its replica may be asked again (hole S3).
type Tally struct {
	question Question
	members  int
	quorum   int
	votes    []Vote // at most one per replica, in the order of their ids
}

// NewTally returns an empty tally.
func NewTally(q Question, members int) *Tally {
	return &Tally{question: q, members: members, quorum: Quorum(members)}
}

// Outcome is what a proposer may conclude so far: Pending, Won, Lost, Settled, Passed or Unheard.
//
//sumtype:decl
type Outcome interface{ outcome() }

type (
	// Pending: wait for more answers.
	Pending struct{}
	// Won: a quorum granted it.
	Won struct {
		Range   log.Range    // explicit promise: the positions that every counted replica granted
		End     log.Position // promise: the highest position for which a counted replica holds anything
		Actions []log.Action // promise: per position, what is learned, or was accepted under the highest proposal
		Reign   log.Reign    // promise: the latest that a counted replica was told of
	}
	// Lost: a higher proposal stands in the way.
	Lost struct{ By log.Proposal }
	// Settled: other values than those written are chosen.
	Settled struct{ Actions []log.Action }
	// Passed: the positions are truncated.
	Passed struct{ Begin log.Position }
	// Unheard: no quorum can be had at the moment; nobody objected.
	Unheard struct{}
)

func (Pending) outcome() {}
func (Won) outcome()     {}
func (Lost) outcome()    {}
func (Settled) outcome() {}
func (Passed) outcome()  {}
func (Unheard) outcome() {}

// Add counts an answer and says what can be concluded. A replica that granted stays counted as long as it lives: a later
// answer to a retransmission cannot take the grant back, nor can a late answer of one of its former lives.
func (t *Tally) Add(v Vote) Outcome {
	i, found := slices.BinarySearchFunc(t.votes, v.From, func(o Vote, id log.ReplicaID) int { return cmp.Compare(o.From, id) })
	switch {
	case !found:
		t.votes = slices.Insert(t.votes, i, v)
	case t.votes[i].Incarnation == v.Incarnation && grants(t.votes[i].Answer):
	case t.votes[i].Incarnation.Generation > v.Incarnation.Generation:
	default:
		t.votes[i] = v
	}
	return t.conclude()
}

// Answered says whether the replica's answer is counted, so that it need not be asked again.
func (t *Tally) Answered(id log.ReplicaID) bool {
	return slices.ContainsFunc(t.living(), func(v Vote) bool { return v.From == id })
}

// Votes returns the counted answers, in the order of the replicas' ids.
func (t *Tally) Votes() []Vote { return t.living() }

// Unclear says whether a replica may hold something of a write of so many values, also where its answer is no: then
// somebody may yet find it there and have it chosen. Those who certainly hold nothing of it are those who promised a higher
// proposal before they heard of it, and those who know that other values are chosen at all of its positions.
func (t *Tally) Unclear(values int) bool {
	living := t.living()
	for _, v := range living {
		switch a := v.Answer.(type) {
		case Rejected:
			if a.Overwritten {
				return true
			}
		case Learned:
			if len(a.Actions) < values {
				return true
			}
		case Promised, Accepted, Truncated, Willing, NotVoting, Refused:
			return true
		}
	}
	return len(living) < t.members
}

func grants(a Answer) bool {
	switch a.(type) {
	case Promised, Accepted, Willing:
		return true
	case Rejected, Learned, Truncated, NotVoting, Refused:
		return false
	}
	return false
}

// living returns the votes of incarnations that no vote knows to be dead.
func (t *Tally) living() []Vote {
	return slices.DeleteFunc(slices.Clone(t.votes), func(v Vote) bool {
		return slices.ContainsFunc(t.votes, func(o Vote) bool { return o.Known.Buries(v.From, v.Incarnation) })
	})
}

func (t *Tally) conclude() Outcome {
	living := t.living()
	c := count(living)
	switch {
	case len(c.settled) > 0:
		return Settled{c.settled}
	case c.begin > 0:
		return Passed{c.begin}
	case t.question == AskImplicit && c.rejected > 0:
		return Lost{c.by}
	case c.granted >= t.quorum:
		return won(living)
	case c.granted+t.members-len(living) >= t.quorum:
		return Pending{}
	case c.rejected > 0:
		return Lost{c.by}
	}
	return Unheard{}
}

// counted is what the answers add up to.
type counted struct {
	granted, rejected int
	by                log.Proposal // the highest proposal of the rejections
	begin             log.Position // the highest begin of the truncated
	settled           []log.Action
}

func count(votes []Vote) counted {
	var c counted
	for _, v := range votes {
		switch a := v.Answer.(type) {
		case Promised, Accepted, Willing:
			c.granted++
		case Rejected:
			c.rejected++
			c.by = max(c.by, a.By)
		case Learned:
			c.settled = append(c.settled, a.Actions...)
		case Truncated:
			c.begin = max(c.begin, a.Begin)
		case NotVoting, Refused:
		}
	}
	return c
}

// won merges the grants: the positions that all of them cover, and for each what must be proposed there.
func won(votes []Vote) Won {
	var w Won
	best := map[log.Position]log.Action{}
	first := true
	w.Reign = latest(votes)
	for _, v := range votes {
		switch a := v.Answer.(type) {
		case Promised:
			if first {
				w.Range = a.Range
			}
			w.Range, w.End, first = w.Range.Intersect(a.Range), max(w.End, a.End), false
			for _, action := range a.Actions {
				if known, found := best[action.Position]; !w.Reign.Voids(action) && (!found || stronger(action, known)) {
					best[action.Position] = action
				}
			}
		case Accepted:
			w.Range = a.Range
		case Rejected, Learned, Truncated, Willing, NotVoting, Refused:
		}
	}
	for _, a := range best {
		if w.Range.Contains(a.Position) {
			w.Actions = append(w.Actions, a)
		}
	}
	slices.SortFunc(w.Actions, func(a, b log.Action) int { return cmp.Compare(a.Position, b.Position) })
	return w
}

// latest is the latest reign that any of the voters was told of.
func latest(votes []Vote) log.Reign {
	var r log.Reign
	for _, v := range votes {
		if a, ok := v.Answer.(Promised); ok {
			r = r.Later(a.Reign)
		}
	}
	return r
}

// stronger says whether a binds the proposer more than b: what is learned is chosen; of what was accepted, the value of
// the highest proposal may be chosen (rule P2c of "Paxos Made Simple").
func stronger(a, b log.Action) bool {
	if a.Learned != b.Learned {
		return a.Learned
	}
	return a.Performed > b.Performed
}
