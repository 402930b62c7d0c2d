package simulation

import (
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
)

// truth is what the disks of all members together say, now and before: who accepted what, what is chosen, what was learned.
// It forgets nothing, whatever is crashed, wiped or truncated.
type truth struct {
	quorum    int
	places    map[log.Position]*place
	last      log.Position // the highest chosen position
	begin     log.Position // the highest position that a chosen TRUNCATE keeps
	positions int          // chosen
	onChosen  func(log.Position, log.Value)
	violate   func(format string, args ...any)
}

// place is one position of the log.
type place struct {
	votes  []vote
	chosen *vote
}

// vote is a value that is durable on one replica's disk.
type vote struct {
	by          log.Proposal
	value       log.Value
	replica     log.ReplicaID
	incarnation identity.Incarnation
	known       identity.Vector // whom that replica knew when it accepted
}

func newTruth(members int) *truth {
	return &truth{quorum: members/2 + 1, places: map[log.Position]*place{}}
}

func (t *truth) place(at log.Position) *place {
	p := t.places[at]
	if p == nil {
		p = &place{}
		t.places[at] = p
	}
	return p
}

// value is what is chosen at a position.
func (t *truth) value(at log.Position) (log.Value, bool) {
	if p := t.places[at]; p != nil && p.chosen != nil {
		return p.chosen.value, true
	}
	return log.Value{}, false
}

// voted says whether a life of a replica's disk was seen to hold a value that it accepted under a proposal.
func (t *truth) voted(at log.Position, by log.Proposal, replica log.ReplicaID, i identity.Incarnation) bool {
	p := t.places[at]
	return p != nil && slices.ContainsFunc(p.votes, func(v vote) bool {
		return v.by == by && v.replica == replica && v.incarnation == i
	})
}

// accept takes in a vote, and checks it against all others at its position: a proposal has one value, and once a value is
// chosen under a proposal, every higher one has the same (rule P2b of "Paxos Made Simple").
func (t *truth) accept(at log.Position, v vote) {
	p := t.place(at)
	for _, o := range p.votes {
		if o.by != v.by {
			continue
		}
		if !o.value.Equal(v.value) {
			t.violate("position %d has two values under proposal %s: %s on replica %d, %s on replica %d",
				at, v.by, words(o.value), o.replica, words(v.value), v.replica)
			return
		}
		if o.replica == v.replica && o.incarnation == v.incarnation {
			return
		}
	}
	if c := p.chosen; c != nil && v.by > c.by && !v.value.Equal(c.value) {
		t.violate("%s is chosen at %d under %s, and replica %d accepts %s under %s",
			words(c.value), at, c.by, v.replica, words(v.value), v.by)
	}
	p.votes = append(p.votes, v)
	if t.isQuorum(p.votes, v.by) {
		t.choose(at, p, v)
	}
}

// isQuorum says whether the votes of one proposal could be counted as a quorum: those of enough replicas, of which none
// knew another's disk to be lost.
func (t *truth) isQuorum(votes []vote, by log.Proposal) bool {
	var all []vote
	for _, v := range votes {
		if v.by == by {
			all = append(all, v)
		}
	}
	return len(all) >= t.quorum && t.complete(nil, all)
}

// complete tries to extend consistent votes to a quorum.
func (t *truth) complete(counted, rest []vote) bool {
	if len(counted) == t.quorum {
		return true
	}
	for i, v := range rest {
		fits := !slices.ContainsFunc(counted, func(o vote) bool {
			return o.replica == v.replica || o.known.Buries(v.replica, v.incarnation) || v.known.Buries(o.replica, o.incarnation)
		})
		if fits && t.complete(append(slices.Clone(counted), v), rest[i+1:]) {
			return true
		}
	}
	return false
}

func (t *truth) choose(at log.Position, p *place, v vote) {
	if c := p.chosen; c != nil {
		if !c.value.Equal(v.value) {
			t.violate("two values are chosen at %d: %s under %s, %s under %s", at, words(c.value), c.by, words(v.value), v.by)
		}
		if v.by < c.by {
			p.chosen = &v
		}
		return
	}
	for _, o := range p.votes {
		if o.by > v.by && !o.value.Equal(v.value) {
			t.violate("%s gets chosen at %d under %s, and replica %d had accepted %s under %s",
				words(v.value), at, v.by, o.replica, words(o.value), o.by)
		}
	}
	p.chosen = &v
	t.positions++
	t.last = max(t.last, at)
	if v.value.Kind == log.Truncate {
		t.begin = max(t.begin, v.value.To)
		if v.value.To > at {
			t.violate("the truncation at %d keeps positions from %d on", at, v.value.To)
		}
	}
	t.onChosen(at, v.value)
}

// learn checks what a replica marks as chosen.
func (t *truth) learn(replica log.ReplicaID, at log.Position, v log.Value) {
	switch chosen, found := t.value(at); {
	case !found:
		t.violate("replica %d learns %s at %d, which is not chosen", replica, words(v), at)
	case !chosen.Equal(v):
		t.violate("replica %d learns %s at %d, where %s is chosen", replica, words(v), at, words(chosen))
	}
}

// words names a value.
func words(v log.Value) string {
	const longest = 40
	switch {
	case v.Kind == log.Truncate:
		return fmt.Sprintf("TRUNCATE to %d", v.To)
	case len(v.Data) > longest:
		return fmt.Sprintf("%s %q... (%d bytes)", v.Kind, v.Data[:longest], len(v.Data))
	case v.Kind == log.Append:
		return fmt.Sprintf("%s %q", v.Kind, v.Data)
	}
	return v.Kind.String()
}
