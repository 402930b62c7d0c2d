package paxos

import (
	"cmp"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
)

// Standpoint is what one VOTING replica says of its log to a reader, and what it takes to know whether that still counts.
type Standpoint struct {
	From        log.ReplicaID
	Incarnation identity.Incarnation
	Known       identity.Vector // the crash vector of the answer
	End         log.Position    // the highest position for which the replica holds anything, or had
}

// Frontier finds a position at or above everything that was acknowledged before anybody was asked.
//
// What was acknowledged was accepted by a quorum, and any other quorum shares a replica with that one. A VOTING replica
// holds what it accepted, and one that lost its disk votes again only once it has learned all that its former lives may have
// helped to choose. So the highest end of a quorum of answers, all of them given after the question, is high enough. An
// answer of a life that another answer knows to be dead does not count: whoever still runs on the deleted disk knows nothing
// of what its next life accepted. The quorum that let that life vote shares a replica with the others of this one (see
// Quorum), and that replica knows.
//
// No replica promises anything, so nobody needs to be the writer, and no disk needs to be synced: an end that is lost in
// a crash was too high, which costs a wait and no truth.
type Frontier struct {
	quorum  int
	answers []Standpoint // at most one per replica, in the order of their ids
}

// NewFrontier returns one that has heard nobody.
func NewFrontier(members int) *Frontier { return &Frontier{quorum: Quorum(members)} }

// Add counts an answer, and returns the position once a quorum answered. Of two answers of one replica, that of the later
// life counts, or the higher one.
func (f *Frontier) Add(s Standpoint) (log.Position, bool) {
	i, found := slices.BinarySearchFunc(f.answers, s.From, func(o Standpoint, id log.ReplicaID) int { return cmp.Compare(o.From, id) })
	switch {
	case !found:
		f.answers = slices.Insert(f.answers, i, s)
	case f.answers[i].Incarnation.Generation > s.Incarnation.Generation:
	default:
		s.End = max(s.End, f.answers[i].End)
		f.answers[i] = s
	}
	var end log.Position
	n := 0
	for _, o := range f.answers {
		if f.alive(o) {
			n++
			end = max(end, o.End)
		}
	}
	return end, n >= f.quorum
}

// Answered says whether the replica's answer counts, so that it need not be asked again.
func (f *Frontier) Answered(id log.ReplicaID) bool {
	return slices.ContainsFunc(f.answers, func(s Standpoint) bool { return s.From == id && f.alive(s) })
}

// alive says whether no answer knows the replica's life to be dead.
func (f *Frontier) alive(s Standpoint) bool {
	return !slices.ContainsFunc(f.answers, func(o Standpoint) bool { return o.Known.Buries(s.From, s.Incarnation) })
}
