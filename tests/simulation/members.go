package simulation

import (
	"slices"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// How large a log gets, and how many members it ever has.
const (
	mostVoters  = 5
	mostMembers = 10
)

// members are those of the newest configuration that is chosen.
func (s *simulation) members() []*host {
	c := s.truth.newest()
	return slices.DeleteFunc(slices.Clone(s.hosts), func(h *host) bool {
		_, member := c.Member(h.ID)
		return !member
	})
}

// showing are those that can show their logs: all but one that is a member since a moment.
func (s *simulation) showing() []*host {
	return slices.DeleteFunc(s.members(), func(h *host) bool { return !h.up || !h.voting })
}

// ids are their ids.
func (s *simulation) ids() []log.ReplicaID { return s.truth.newest().IDs() }

// survives says whether a quorum of a configuration's voters has disks that everybody counts, also where a host loses its own. Once
// the members were changed, whoever did not vote before has to recover, and does not count until then.
func (s *simulation) survives(c membership.Configuration, h *host) bool {
	whole := 0
	for _, o := range s.hosts {
		m, _ := c.Member(o.ID)
		voted := c.Epoch == 0 || o.Store.Metadata().Status == status.Voting
		if m.Role == membership.Voter && voted && o != h && !o.lost && !o.doomed && o.Store.Rotten().Empty() && !s.discounted(o) {
			whole++
		}
	}
	return whole >= len(c.Voters())/2+1
}

// change asks some of the members for a change, and plans the next one.
func (s *simulation) change() {
	s.after(about(s.random, s.changes), s.change)
	c := s.truth.newest().Configuration
	ch := s.anyChange(c)
	next, err := c.Next(ch)
	alone := len(next.Voters()) < 2 // who writes is heard from its greetings, and it would greet nobody
	if s.now() < s.calmUntil || err != nil || next.Epoch == c.Epoch || alone || !s.survives(next, nil) {
		return
	}
	if ch.Kind == membership.Add && int(ch.ID) > len(s.hosts) {
		s.join()
	}
	s.faults[changed]++
	s.tell("asked for: %s", next)
	request := &messages.MembersRequest{Request: s.random.Uint64(), Change: codec.EncodeChange(ch)}
	for _, h := range s.hosts {
		if h.up && h.voting && s.random.IntN(3) > 0 {
			h.Probe.Request(h.PID(member.Gateway), request)
		}
	}
}

// anyChange draws a change.
func (s *simulation) anyChange(c membership.Configuration) membership.Change {
	m := c.Members[s.random.IntN(len(c.Members))]
	dice := s.random.IntN(3)
	switch id := c.Highest + 1; {
	case m.Role == membership.Observer && dice > 0:
		return membership.Change{Kind: membership.Promote, ID: m.ID}
	case dice > 0 && len(c.Members) < mostVoters && id <= mostMembers:
		return membership.Change{Kind: membership.Add, ID: id, Address: logtest.Address(id)}
	}
	return membership.Change{Kind: membership.Remove, ID: m.ID}
}

// join makes one more member, which is started soon. It may be refused, and is asked for again then.
func (s *simulation) join() {
	h := &host{Member: s.cluster.Add(), lost: true}
	s.hosts = append(s.hosts, h)
	s.everLost = append(s.everLost, false)
	s.addresses[h.Node.Address()] = h
	s.restrain(h)
	s.after(about(s.random, s.down), func() {
		if !h.up {
			s.faults[newcomer]++
			s.tell("member %d: start, for the first time", h.ID)
			s.start(h)
		}
	})
}

// joins says whether a host was not there when the log began, and has not voted yet.
func (s *simulation) joins(h *host) bool { return int(h.ID) > s.size && h.lost }

// removed ends a member that says that it was removed, which it may only say where it was.
func (s *simulation) removed(h *host, err error) {
	if _, member := s.truth.newest().Member(h.ID); member {
		s.accuse(17, "only who was removed leaves", complain(true, "member %d ends, and is a member: %v", h.ID, err))
		return
	}
	s.faults[left]++
	s.tell("member %d: removed", h.ID)
	h.gone, h.up, h.voting, h.dead = true, false, false, nil
	h.Node.Crash()
}
