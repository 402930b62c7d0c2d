package simulation

import (
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// step is what a replica keeps about itself, and what it keeps from now on.
type step struct {
	truth        *truth
	before, next storage.Metadata
}

// ofMetadata are the rules between two steps of one replica.
var ofMetadata = []rule[step]{
	{19, "the status goes forward", func(s step) string {
		reborn := s.before.Status == status.Voting && s.next.Status == status.Recovering && s.next.Incarnation != s.before.Incarnation
		return complain(!reborn && !follows(s.before.Status, s.next.Status), "replica %d goes from %s to %s", s.next.Replica, s.before.Status, s.next.Status)
	}},
	{5, "the implicit promise grows", func(s step) string {
		return complain(s.next.Promised < s.before.Promised, "that of replica %d goes from %s to %s", s.next.Replica, s.before.Promised, s.next.Promised)
	}},
	{5, "the highest proposal grows", func(s step) string {
		return complain(s.next.Highest < s.before.Highest || s.next.Highest < s.next.Promised, "that of replica %d goes from %s to %s, with a promise of %s",
			s.next.Replica, s.before.Highest, s.next.Highest, s.next.Promised)
	}},
	{12, "the reign is the latest", func(s step) string {
		return complain(s.next.Reign.By < s.before.Reign.By, "that of replica %d goes from %v to %v", s.next.Replica, s.before.Reign, s.next.Reign)
	}},
	{18, "a process leaves the count of its starts alone", func(s step) string {
		return complain(s.next.Boot != s.before.Boot, "that of replica %d goes from %d to %d", s.next.Replica, s.before.Boot, s.next.Boot)
	}},
	{18, "a replica that takes another incarnation does not vote", func(s step) string {
		is, was := s.next.Incarnation, s.before.Incarnation
		silent := s.next.Status == status.Empty || s.next.Status == status.Recovering
		return complain(is != was && (!silent || is.Generation <= was.Generation || is.Disk == was.Disk),
			"that of replica %d, which is %s, goes from %s to %s", s.next.Replica, s.before.Status, was, is)
	}},
	{10, "who is known to be dead stays dead", func(s step) string {
		gone := forgets(s.before.Known, s.next)
		return complain(len(gone) > 0, "replica %d knew %v, and knows %v", s.next.Replica, gone, s.next.Known)
	}},
	{18, "all replicas have one log", func(s step) string {
		i := slices.IndexFunc(s.truth.founders, s.next.Founders.Differ)
		return complain(i >= 0, "that of replica %d was begun on %x, and another one's on others", s.next.Replica, s.next.Founders)
	}},
	{18, "a replica keeps its log", func(s step) string {
		is, was := s.next.Founders, s.before.Founders
		return complain(len(was) > 0 && !slices.Equal(is, was), "that of replica %d was begun on %x, and then on %x", s.next.Replica, was, is)
	}},
	{17, "a configuration is in force once it is chosen", func(s step) string {
		c := s.next.Configuration
		return complain(c.Epoch < s.before.Configuration.Epoch || c.Epoch > 0 && !s.truth.configs[c.Epoch].Equal(c),
			"replica %d goes by %s, after %s, and %s is chosen", s.next.Replica, c, s.before.Configuration, s.truth.newest())
	}},
	{22, "nothing of a stranger is kept", func(s step) string {
		m := s.next
		members := slices.Clone(m.Members)
		for id := range m.Configuration.Highest {
			members = append(members, id+1)
		}
		strange := strangeProposal(m.Promised, members) || strangeProposal(m.Highest, members) || strangeProposal(m.Reign.By, members)
		for _, k := range m.Known {
			strange = strange || !slices.Contains(members, k.Replica) || k.Incarnation.Disk == strangeDisk
		}
		if !strange {
			return ""
		}
		return fmt.Sprintf("replica %d keeps %+v", m.Replica, m)
	}},
}

// forgets returns what was known and is not any more. Of whoever is no member any more nothing need be known.
func forgets(before identity.Vector, next storage.Metadata) identity.Vector {
	return slices.DeleteFunc(slices.Clone(before), func(k identity.Known) bool {
		now, found := next.Known.Of(k.Replica)
		_, member := next.Configuration.Member(k.Replica)
		return !member && next.Configuration.Epoch > 0 || found && now.Generation >= k.Incarnation.Generation
	})
}

// follows says whether a status may come after another, or be the same.
func follows(before, next status.Status) bool {
	switch next {
	case before:
		return true
	case status.Starting:
		return before == status.Empty
	case status.Recovering:
		return before == status.Empty || before == status.Starting
	case status.Voting:
		return before == status.Starting || before == status.Recovering
	case status.Empty:
	}
	return false
}

// change is what a replica holds at a position, and what it puts in its place.
type change struct {
	replica log.ReplicaID
	before  record
	next    log.Action
	voting  bool // the replica votes: what it puts there is a vote, or a copy of what is chosen
}

// ofRecords are the rules between two records at one position. They are looked at more than all others, so words are made only
// where one is broken.
var ofRecords = []rule[change]{
	{5, "what is accepted is promised", func(c change) string {
		if c.next.Promised >= c.next.Performed {
			return ""
		}
		return fmt.Sprintf("replica %d has promised %s at %d, and accepted %s", c.replica, c.next.Promised, c.next.Position, c.next.Performed)
	}},
	{3, "what is learned is final", func(c change) string {
		if !c.before.learned || c.before.value.Equal(c.next.Value) {
			return ""
		}
		return fmt.Sprintf("replica %d has learned %s at %d, and puts %s there", c.replica, words(c.before.value), c.next.Position, words(c.next.Value))
	}},
	{5, "what is accepted is replaced by what a higher proposal wrote", func(c change) string {
		if c.next.Performed >= c.before.performed || c.next.Learned {
			return ""
		}
		return fmt.Sprintf("replica %d had accepted %s at %d under %s, and holds %s of %s", c.replica, words(c.before.value),
			c.next.Position, c.before.performed, words(c.next.Value), c.next.Performed)
	}},
	{5, "the promise of a position grows", func(c change) string {
		if c.next.Promised >= c.before.promised || c.next.Learned {
			return ""
		}
		return fmt.Sprintf("replica %d had promised %s at %d, and has promised %s", c.replica, c.before.promised, c.next.Position, c.next.Promised)
	}},
	{22, "no record is a stranger's", func(c change) string {
		if !strangeProposal(max(c.next.Promised, c.next.Performed), nil) {
			return ""
		}
		return fmt.Sprintf("replica %d keeps %+v", c.replica, c.next)
	}},
}

// restart is a disk before a crash of its process and after it.
type restart struct{ before, after *disk }

// ofRestarts are the rules between the lives of a process.
var ofRestarts = []rule[restart]{
	{8, "a crash takes nothing back that is kept about the replica", func(r restart) string {
		is, was := r.after.synced, r.before.synced
		less := is.Reign.By < was.Reign.By || is.Status < was.Status || is.Begin < was.Begin
		return complain(less || is.Promised < was.Promised || is.Highest < was.Highest || is.Configuration.Epoch < was.Configuration.Epoch || len(forgets(was.Known, is)) > 0,
			"replica %d crashed with %+v on its disk, and starts with %+v", r.after.id, was, is)
	}},
	{8, "a crash takes no promise back", func(r restart) string {
		for at, was := range r.before.durable {
			_, final := r.after.truth.value(at)
			if r.after.promised(at) < was.promised && at >= r.after.synced.Begin && !final {
				return complain(true, "replica %d had promised %s at %d before its crash, and has promised %s", r.after.id, was.promised, at, r.after.promised(at))
			}
		}
		return ""
	}},
	{8, "a crash takes no vote back", func(r restart) string {
		for at, was := range r.before.durable {
			_, final := r.after.truth.value(at)
			if is := r.after.durable[at]; is.performed < was.performed && at >= r.after.synced.Begin && !final {
				return complain(true, "replica %d had accepted %s at %d before its crash, and holds %s", r.after.id, was.performed, at, is.performed)
			}
		}
		return ""
	}},
}

// truncation is a replica's new begin.
type truncation struct {
	truth   *truth
	replica log.ReplicaID
	begin   log.Position
}

// ofTruncations are the rules of what is dropped.
var ofTruncations = []rule[truncation]{
	{16, "the log is truncated only where that is chosen", func(t truncation) string {
		return complain(t.begin > max(t.truth.begin, 1), "replica %d truncates to %d, and %d is the highest that is chosen", t.replica, t.begin, t.truth.begin)
	}},
}

// adoption is a replica that becomes RECOVERING, or ends that, and what the members told it.
type adoption struct {
	next    storage.Metadata
	learned log.Position // everything up to here is learned
	heard   []told       // the answers to each of its questions
}

// told is what those that vote answered to one question, and who they were to the one that asked.
type told struct {
	configured
	standpoints []standpoint
}

// standpoint is what a member that votes says of itself.
type standpoint struct {
	from        log.ReplicaID
	incarnation identity.Incarnation
	promised    log.Proposal
	highest     log.Proposal
	end         log.Position
	reign       log.Reign
	known       identity.Vector
}

// ofAdoptions are the rules of a recovery. What a former life of the replica said may be counted only together with what a
// member of the quorum said before it answered (docs/adr/0002); so the replica must know all that each of a quorum knew,
// itself not counted.
var ofAdoptions = []rule[adoption]{
	{10, "a replica that recovers takes over what a quorum of voting replicas knew", func(a adoption) string {
		return complain(!slices.ContainsFunc(a.heard, a.covers),
			"replica %d gets to be %s as %+v, after %+v", a.next.Replica, a.next.Status, a.next, a.heard)
	}},
}

// covers says whether the replica took over what enough of these said, of whom none knew another to be dead.
func (a adoption) covers(heard told) bool {
	var known []standpoint
	for _, t := range heard.standpoints {
		if t.from != a.next.Replica && heard.votes(t.from) && a.knows(t) {
			known = append(known, t)
		}
	}
	return consistent(nil, known, heard.quorum())
}

// consistent tries to extend answers that go together to so many.
func consistent(counted, rest []standpoint, quorum int) bool {
	if len(counted) == quorum {
		return true
	}
	for i, t := range rest {
		fits := !slices.ContainsFunc(counted, func(o standpoint) bool {
			return o.from == t.from || o.known.Buries(t.from, t.incarnation) || t.known.Buries(o.from, o.incarnation)
		})
		if fits && consistent(append(slices.Clone(counted), t), rest[i+1:], quorum) {
			return true
		}
	}
	return false
}

func (a adoption) knows(t standpoint) bool {
	m := a.next
	if m.Promised < t.promised || m.Highest < t.highest || m.Reign.By < t.reign.By {
		return false
	}
	if m.Status == status.Voting && a.learned < t.end {
		return false
	}
	for _, k := range append(slices.Clone(t.known), identity.Known{Replica: t.from, Incarnation: t.incarnation}) {
		is, _ := m.Known.Of(k.Replica)
		if k.Replica == m.Replica {
			is.Generation = max(is.Generation, m.Incarnation.Generation)
		}
		_, member := m.Configuration.Member(k.Replica)
		if is.Generation < k.Incarnation.Generation && (member || m.Configuration.Epoch == 0) {
			return false
		}
	}
	return true
}
