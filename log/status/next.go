package status

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/invariant"
)

// Config is what every recovery of one log has in common.
type Config struct {
	Members        int  // number of replicas of the log, at least 1
	Quorum         int  // number of replicas that decide; more than half of Members
	AutoInitialize bool // new replicas may start a new log by themselves
}

// Local is the replica that recovers.
type Local struct {
	Replica log.ReplicaID
	Status  Status // not VOTING
}

// Answer is what one replica says of itself when asked to help a recovery. It registered the asking replica's
// incarnation, durably, before it answered: Next rests on that.
type Answer struct {
	From        log.ReplicaID
	Incarnation identity.Incarnation // the life that answers
	Known       identity.Vector      // its crash vector
	Status      Status
	// The rest is set by VOTING replicas only.
	Begin, End, Learned log.Position // begin is at most end + 1, and learned at most end
	Promised, Highest   log.Proposal // the implicit promise; the highest proposal ever granted or used
	Reign               log.Reign    // the latest that it was told of
	Founders            identity.Founders
}

// Decision is what the replica does next.
type Decision struct {
	Undecided bool   // wait for more answers, or ask again; Next is 0
	Next      Status // the status to store
	// What a replica that is to be RECOVERING must take over: the positions to catch up, and the promises to keep. All
	// are 0 otherwise. Begin is at most End + 1.
	Begin, End        log.Position
	Promised, Highest log.Proposal
	Reign             log.Reign
	// Founders are the disks on which the log was begun that the replica is to take part in: whoever votes tells them, and in
	// B3 they are those of all members. Nil where that is not known, and for STARTING.
	Founders identity.Founders
	// Known is the newest incarnation that the answers know of each member. The replica takes it over together with Next:
	// what its peers know to be dead must stay dead for those who count its answers. Of two disks of one generation it names
	// the one that was counted in B1, if one was. Nil where undecided.
	Known    identity.Vector
	Heard    int    // members that have answered, also those whose answer does not count
	Complete bool   // all members have answered: asking again after a pause is right, waiting on is not
	Advice   string // where only an operator can help: one sentence that says why and how; empty otherwise
}

// Next applies the rules of the recover protocol to the answers so far:
//
//	B1  a quorum is VOTING                          -> RECOVERING
//	B2  we are EMPTY, all are EMPTY or STARTING     -> STARTING    with auto-initialize
//	B3  we are STARTING, all are STARTING or VOTING -> VOTING      with auto-initialize
//	L5  we are STARTING, some replica is VOTING     -> VOTING      with auto-initialize
//	B4  otherwise                                   -> undecided
//
// The answers are in the order of their arrival, the local replica's own among them. Of two answers of one replica the
// later one counts. Answers of a dead incarnation never count (hole S3), nor does an own answer that contradicts
// local, for it is of another moment; so the local replica is never part of the quorum of B1.
//
// B1 takes the lowest begin, and the highest end and promise. A vote of a former life of this replica can be counted only
// together with one that a replica of B1's quorum cast before its answer (after it, its crash vector buries the former
// life); and what that one accepted is in its end, what it promised in its promise (hole S2).
//
// For B1, only what a VOTING replica knows makes an answer one of a dead life. That is enough: let M have answered L in a
// life that is over, and let a later one ever vote. It recovered from a quorum without M, which shares some X with the
// quorum of B1. If X answered M first, X's answer to L buries the one of the former life, and it is not counted. If X
// answered L first, M's later life knows L's, and its votes bury the former lives of L. And it is needed: a replica that
// cannot vote may know a life that nobody will ever hear again, and would keep all others from recovering.
//
// B2 and B3 start a new log in two phases. With one, the first replica to vote would leave the others waiting for a
// quorum of voting replicas that never comes. Why they may skip the recovery: see lostQuorum and mayVote.
func Next(c Config, local Local, answers []Answer) Decision {
	invariant.Hold(c.Members < 2*c.Quorum && c.Quorum <= c.Members, "a quorum of %d in %d members", c.Quorum, c.Members)
	invariant.Hold(local.Status.Valid() && local.Status != Voting, "a replica recovers that is %v", local.Status)
	heard := len(latest(answers))
	invariant.Hold(heard <= c.Members, "%d replicas answered, of %d members", heard, c.Members)

	voters, counted := latest(consistent(local, answers, voting)), latest(consistent(local, answers, everybody))
	known := newest(answers)
	d := Decision{Heard: heard, Complete: heard == c.Members, Known: known}
	switch {
	case count(voters, Voting) >= c.Quorum: // B1
		return d.recovering(voters)
	case c.AutoInitialize && local.Status == Empty && allNew(c, counted) && !lostQuorum(c, known): // B2
		d.Next = Starting
	case c.AutoInitialize && local.Status == Starting && mayVote(c, counted): // B3, L5
		d.Next, d.Founders = Voting, founders(counted)
	default: // B4
		d.Undecided, d.Known, d.Advice = true, nil, advice(c, counted, known)
	}
	return d
}

// recovering returns the decision of B1: what the voting replicas together know.
func (d Decision) recovering(counted []Answer) Decision {
	d.Next = Recovering
	for _, a := range counted {
		if a.Status != Voting {
			continue
		}
		if k, _ := d.Known.Of(a.From); k.Generation == a.Incarnation.Generation {
			d.Known = d.Known.With(a.From, a.Incarnation) // of two disks, the one that was counted: else its votes would not be
		}
		if d.Begin == 0 || a.Begin < d.Begin {
			d.Begin = a.Begin
		}
		d.End = max(d.End, a.End)
		d.Promised, d.Highest = max(d.Promised, a.Promised), max(d.Highest, a.Highest)
		d.Reign = d.Reign.Later(a.Reign)
	}
	d.Founders = founders(counted)
	return d
}

// founders are the disks on which the log was begun that the replicas which vote have, or, where none does, is begun. All
// whom it was told by tell founders that share one, so any will do (identity.Founders).
func founders(counted []Answer) identity.Founders {
	all := make([]identity.Incarnation, 0, len(counted))
	for _, a := range counted {
		if len(a.Founders) > 0 {
			return a.Founders
		}
		all = append(all, a.Incarnation)
	}
	if count(counted, Voting) > 0 {
		return nil
	}
	return identity.FoundersOf(all...)
}

// mayVote says whether a STARTING replica may vote without a recovery: all are STARTING or VOTING (B3), or at least one
// is VOTING (L5).
//
// It is safe whoever votes already. The replica has durably never voted in this life, and no vote of a former one can
// be counted any more (see lostQuorum): it is an acceptor that was slow so far. What it does not hold was chosen by a
// quorum without it, and every later quorum meets that one in another replica.
//
// Waiting for somebody serves the others: a replica that voted while they are EMPTY would keep them from B2. A VOTING
// replica has shown that the log is started, so there is nothing left to wait for (hole L5): with A VOTING, B new after
// it lost its disk, and C STARTING, B needs C's vote, and C would wait for B.
//
// L5 holds with auto-initialize only, like B3: without it no replica gets to be STARTING, and one that is since before
// the flag was changed must wait for the operator, who said so.
func mayVote(c Config, counted []Answer) bool {
	voting := count(counted, Voting)
	return voting > 0 || count(counted, Starting) == c.Members
}

// lostQuorum says whether a quorum of the members are known to live on a disk that is not their first. A log may have
// existed then whose every copy is lost (hole S6), and B2 must not start another in its place.
//
// Where fewer are, B2 is safe, although former lives of L, the replica that asks, may have voted (hole S17). Proof: let
// all members have answered L as EMPTY or STARTING, and let Q be a quorum of votes that holds one of a former life of
// L. Fewer than a quorum of members have lost a disk, so some M in Q answered L in its first life. Every member
// registers L's new life before it answers, in every status. M had not voted before, as a first life that has voted
// never answers EMPTY or STARTING; so its vote in Q is younger than the registration, and its crash vector buries
// the former L. Should M lose its disk later, its next life takes Decision.Known over before it votes. So nobody counts
// Q, and L may vote as one that never did. Nothing was ever chosen without L either: that quorum, too, would need a
// first life that has voted before it answered.
//
// A member that takes a new disk for its first one, since nobody could tell it, does no harm: those that remember its
// former disk bury the new one, and its answer is not counted until it has a higher generation. Only if all members
// lose their disks at once is nobody left to remember; that is what auto-initialize off is for.
func lostQuorum(c Config, known identity.Vector) bool { return lostDisks(known) >= c.Quorum }

// lostDisks is the number of members that are known not to live on their first disk.
func lostDisks(known identity.Vector) int {
	n := 0
	for _, k := range known {
		if k.Incarnation.Generation > 1 {
			n++
		}
	}
	return n
}

// advice is for the cases in which asking again never helps, as no quorum is VOTING and none will be. One disk that comes
// back does not help: who votes knows its later life. A quorum of them do, as they know each other.
func advice(c Config, counted []Answer, known identity.Vector) string {
	switch {
	case allNew(c, counted) && lostQuorum(c, known):
		return fmt.Sprintf("a quorum of the members (%d of %d) lost a disk, so a log may have existed and be lost: to "+
			"start an empty one all the same, stop every member, run 'quorumlog initialize' once for each, and start them again", lostDisks(known), c.Members)
	case !c.AutoInitialize && count(counted, Empty) == c.Members:
		return "all members are EMPTY and auto-initialize is off: to start a new log, stop every member, run 'quorumlog " +
			"initialize' once for each, and start them again"
	case len(counted) == c.Members && count(counted, Voting) > 0 && hopeful(c, counted) < c.Quorum:
		return fmt.Sprintf("a quorum of the disks is lost: of %d members %d must vote, and %d can; bring back the disks "+
			"that %d members lost, or stop a member that votes, and save what 'quorumlog read --data' finds in its directory", c.Members, c.Quorum, hopeful(c, counted), c.Quorum)
	case len(counted) == c.Members && count(counted, Voting) == 0 && count(counted, Recovering) > 0:
		return fmt.Sprintf("no member votes, and %d of %d had data and must recover it, so nobody starts a new log: bring back the disks "+
			"that %d members lost, or, if there are none and an empty log will do, stop every member, delete its directory, run "+
			"'quorumlog initialize' once for each, and start them again", count(counted, Recovering), c.Members, c.Quorum)
	default:
		return ""
	}
}

// hopeful is the number of members that vote, or will without anybody's help.
func hopeful(c Config, counted []Answer) int {
	n := count(counted, Voting)
	if c.AutoInitialize {
		n += count(counted, Starting)
	}
	return n
}

// allNew says whether all members answered, and none has voted in its present life.
func allNew(c Config, counted []Answer) bool {
	return count(counted, Empty)+count(counted, Starting) == c.Members
}

func count(counted []Answer, s Status) int {
	n := 0
	for _, a := range counted {
		if a.Status == s {
			n++
		}
	}
	return n
}

// consistent drops what contradicts the local replica or is known to be dead by an answer that is heeded. What a dead
// incarnation knew is true all the same, for generations only grow.
func consistent(local Local, answers []Answer, heeded func(Answer) bool) []Answer {
	kept := make([]Answer, 0, len(answers))
	for _, a := range answers {
		if (a.From != local.Replica || a.Status == local.Status) && !buried(a, answers, heeded) {
			kept = append(kept, a)
		}
	}
	return kept
}

// buried says whether one of the answers is by a later life of a's replica, or is heeded and knows of one.
func buried(a Answer, answers []Answer, heeded func(Answer) bool) bool {
	for _, by := range answers {
		later := by.From == a.From && by.Incarnation.Generation > a.Incarnation.Generation
		if later || heeded(by) && by.Known.Buries(a.From, a.Incarnation) {
			return true
		}
	}
	return false
}

func voting(a Answer) bool { return a.Status == Voting }

func everybody(Answer) bool { return true }

// latest returns the last answer of each replica, in the order of their first ones.
func latest(answers []Answer) []Answer {
	last := make([]Answer, 0, len(answers))
next:
	for _, a := range answers {
		for i := range last {
			if last[i].From == a.From {
				last[i] = a
				continue next
			}
		}
		last = append(last, a)
	}
	return last
}

// newest returns the newest incarnation of each member that the answers know of. Of two disks of one generation, which
// are both buried as long as both are known, it takes the higher, so that the order of the answers does not matter.
func newest(answers []Answer) identity.Vector {
	var v identity.Vector
	for _, a := range answers {
		v = newer(v, identity.Known{Replica: a.From, Incarnation: a.Incarnation})
		for _, k := range a.Known {
			v = newer(v, k)
		}
	}
	return v
}

func newer(v identity.Vector, k identity.Known) identity.Vector {
	have, found := v.Of(k.Replica)
	older := have.Generation > k.Incarnation.Generation
	same := have.Generation == k.Incarnation.Generation
	if found && (older || same && have.Disk >= k.Incarnation.Disk) {
		return v
	}
	return v.With(k.Replica, k.Incarnation)
}
