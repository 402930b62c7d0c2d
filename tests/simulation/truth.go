package simulation

import (
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/membership"
)

// truth is what the disks of all members together say, now and before: who accepted what, what is chosen, what was learned.
// It forgets nothing, whatever is crashed, wiped or truncated.
type truth struct {
	quorum    int                        // of the members that the log began with
	configs   map[uint64]configured      // those that are chosen, and the one that the log began with
	proposed  []membership.Configuration // those that somebody asked to accept
	epoch     uint64                     // of the newest that is chosen
	places    map[log.Position]*place
	reigns    map[log.Proposal][]log.Position // where each elected writer's own entries begin: once, and again behind each change of the members
	last      log.Position                    // the highest chosen position
	begin     log.Position                    // the highest position that a chosen TRUNCATE keeps
	positions int                             // chosen
	founders  []identity.Founders             // that a replica noted, each once
	onChosen  func(log.Position, log.Value)
	tables    *tables
	accuse    accuser
}

// place is one position of the log.
type place struct {
	writes []written // each proposal's once
	votes  []vote
	chosen *vote
}

// written is a value that somebody asked to accept.
type written struct {
	by    log.Proposal
	value log.Value
}

// write takes in what somebody asks to accept.
func (t *truth) write(first log.Position, by log.Proposal, values []log.Value) {
	for i, v := range values {
		p := t.place(first + log.Position(i))
		t.propose(v)
		if !slices.ContainsFunc(p.writes, func(w written) bool { return w.by == by }) {
			p.writes = append(p.writes, written{by, v})
		}
	}
}

// linked holds every chosen value against the one below it: the writer whose entry it is wrote that one, too, unless a reign of
// it begins here.
func (t *truth) linked() {
	for at, p := range t.places {
		below := t.places[at-1]
		if p.chosen == nil || p.chosen.value.Kind == log.NOP || below == nil || below.chosen == nil {
			continue
		}
		origin := written{}
		for _, w := range p.writes {
			reigns := t.reigns[w.by]
			if w.value.Equal(p.chosen.value) && len(reigns) > 0 && at >= slices.Min(reigns) && w.by > origin.by {
				origin = w // the last one: what certainly is not in the log, a member's next writer may write again
			}
		}
		for _, w := range below.writes {
			if w.by == origin.by && !slices.Contains(t.reigns[w.by], at) && !w.value.Equal(below.chosen.value) {
				t.accuse(13, contiguous, fmt.Sprintf("%s is chosen at %d, as %s wrote it behind %s; at %d %s is chosen",
					words(p.chosen.value), at, w.by, words(w.value), at-1, words(below.chosen.value)))
			}
		}
	}
}

// vote is a value that is durable on one replica's disk.
type vote struct {
	by          log.Proposal
	value       log.Value
	replica     log.ReplicaID
	incarnation identity.Incarnation
	known       identity.Vector // whom that replica knew when it accepted
	epoch       uint64          // of the configuration that it went by then
}

func newTruth(members int) *truth {
	return &truth{quorum: members/2 + 1, configs: map[uint64]configured{0: inForce(began(members), 0)}, places: map[log.Position]*place{}, reigns: map[log.Proposal][]log.Position{}}
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

// accept takes in a vote that became durable, and holds it against all others at its position.
func (t *truth) accept(at log.Position, v vote) {
	p := t.place(at)
	if slices.ContainsFunc(p.votes, func(o vote) bool {
		return o.by == v.by && o.replica == v.replica && o.incarnation == v.incarnation && o.value.Equal(v.value)
	}) {
		return
	}
	cast := ballot{at, p, v}
	check(ofVotes, cast, t.accuse)
	p.votes = append(p.votes, v)
	if t.isQuorum(p.votes, v.by, v.epoch) {
		t.choose(cast)
	}
}

// isQuorum says whether the votes of one proposal could be counted as a quorum: those of enough replicas that go by one
// configuration, and vote in it, of which none knew another's disk to be lost.
func (t *truth) isQuorum(votes []vote, by log.Proposal, epoch uint64) bool {
	c := t.configs[epoch]
	all := make([]*vote, 0, len(votes))
	for i := range votes {
		if v := &votes[i]; v.by == by && v.epoch == epoch && c.votes(v.replica) {
			all = append(all, v)
		}
	}
	return len(all) >= c.quorum() && complete(c.quorum(), nil, all)
}

// complete tries to extend consistent votes to a quorum.
func complete(quorum int, counted, rest []*vote) bool {
	if len(counted) == quorum {
		return true
	}
	for i, v := range rest {
		fits := !slices.ContainsFunc(counted, func(o *vote) bool {
			return o.replica == v.replica || o.known.Buries(v.replica, v.incarnation) || v.known.Buries(o.replica, o.incarnation)
		})
		if fits && complete(quorum, append(slices.Clone(counted), v), rest[i+1:]) {
			return true
		}
	}
	return false
}

// choose takes in a vote that completes a quorum.
func (t *truth) choose(b ballot) {
	check(ofChoices, b, t.accuse)
	check(ofConfigurations, decision{t, b}, t.accuse)
	if c := b.chosen; c != nil {
		if b.by < c.by {
			b.place.chosen = &b.vote
		}
		return
	}
	b.place.chosen = &b.vote
	t.positions++
	t.last = max(t.last, b.at)
	t.configure(b)
	if b.value.Kind == log.Truncate {
		t.begin = max(t.begin, b.value.To)
	}
	t.onChosen(b.at, b.value)
}

// begun takes in on which disks a replica says that its log was begun.
func (t *truth) begun(f identity.Founders) {
	if len(f) > 0 && !slices.ContainsFunc(t.founders, func(o identity.Founders) bool { return slices.Equal(f, o) }) {
		t.founders = append(t.founders, f)
	}
}

// learn takes in what a replica marks as chosen.
func (t *truth) learn(replica log.ReplicaID, at log.Position, v log.Value) {
	check(ofLessons, lesson{t, replica, at, v}, t.accuse)
}

// ballot is a vote that becomes durable at a place.
type ballot struct {
	at log.Position
	*place
	vote
}

// ofVotes are the rules of votes, against those that were there before.
var ofVotes = []rule[ballot]{
	{4, "a proposal has one value at a position", func(b ballot) string {
		for _, o := range b.votes {
			if o.by == b.by && !o.value.Equal(b.value) {
				return fmt.Sprintf("position %d has two values under proposal %s: %s on replica %d, %s on replica %d",
					b.at, b.by, words(o.value), o.replica, words(b.value), b.replica)
			}
		}
		return ""
	}},
	{6, "nobody accepts another value than the chosen one under a higher proposal", func(b ballot) string {
		c := b.chosen
		if c == nil || b.by <= c.by || b.value.Equal(c.value) {
			return ""
		}
		return fmt.Sprintf("%s is chosen at %d under %s, and replica %d accepts %s under %s",
			words(c.value), b.at, c.by, b.replica, words(b.value), b.by)
	}},
}

// ofChoices are the rules of a vote that completes a quorum.
var ofChoices = []rule[ballot]{
	{1, "one value is chosen at a position", func(b ballot) string {
		c := b.chosen
		if c == nil || c.value.Equal(b.value) {
			return ""
		}
		return fmt.Sprintf("two values are chosen at %d: %s under %s, %s under %s", b.at, words(c.value), c.by, words(b.value), b.by)
	}},
	{6, "nothing is chosen below another value of a higher proposal", func(b ballot) string {
		for _, o := range b.votes {
			if o.by > b.by && !o.value.Equal(b.value) {
				return fmt.Sprintf("%s gets chosen at %d under %s, and replica %d had accepted %s under %s",
					words(b.value), b.at, b.by, o.replica, words(o.value), o.by)
			}
		}
		return ""
	}},
	{16, "a truncation keeps its own position", func(b ballot) string {
		return complain(b.value.Kind == log.Truncate && b.value.To > b.at,
			"the truncation at %d keeps positions from %d on", b.at, b.value.To)
	}},
}

// lesson is what a replica marks as chosen.
type lesson struct {
	truth   *truth
	replica log.ReplicaID
	at      log.Position
	value   log.Value
}

// ofLessons are the rules of what is marked as chosen.
var ofLessons = []rule[lesson]{
	{3, "what is learned is chosen", func(l lesson) string {
		chosen, found := l.truth.value(l.at)
		if !found {
			return fmt.Sprintf("replica %d learns %s at %d, which is not chosen", l.replica, words(l.value), l.at)
		}
		if chosen.Equal(l.value) {
			return ""
		}
		return fmt.Sprintf("replica %d learns %s at %d, where %s is chosen", l.replica, words(l.value), l.at, words(chosen))
	}},
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
