package leader

import (
	"cmp"
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
)

// What makes a disk slow: its syncs take so many times as long as those of a quorum of the others, and so long.
const (
	slower  = 10
	slowest = 100 * time.Millisecond
)

// heardByQuorum says whether a quorum was heard lately that votes, and would take what the local coordinator writes.
func (l *leader) heardByQuorum() bool {
	n := 0
	for _, p := range l.peers {
		if l.votes(p) && p.Presence.Promised <= max(l.self.Writer, l.self.Promised) {
			n++
		}
	}
	return n >= paxos.Quorum(len(l.Voters()))
}

// mayStand says whether the local replica votes, and its vote counts.
func (l *leader) mayStand() bool {
	return l.self.Status == status.Voting && slices.Contains(l.Voters(), l.Self)
}

// votes says whether a member was heard lately, and votes.
func (l *leader) votes(p network.Peer) bool {
	return slices.Contains(l.Voters(), p.ID) && p.Present && p.Refusal == "" && p.Presence.Status == status.Voting && l.Clock.Now().Sub(p.Heard) <= l.Patience.Silence
}

// slow says whether the local disk is far slower than those of a quorum of the others.
func (l *leader) slow() bool {
	var others []time.Duration
	for _, p := range l.peers {
		if p.ID != l.Self && l.votes(p) {
			others = append(others, sync(p))
		}
	}
	quorum := paxos.Quorum(len(l.Voters()))
	if len(others) < quorum {
		return false
	}
	slices.Sort(others)
	return l.self.Sync > max(slower*others[quorum-1], slowest)
}

// sync is what the syncs of a member's disk take, as it says.
func sync(p network.Peer) time.Duration { return time.Duration(p.Presence.Sync) * time.Microsecond }

// successor is the member that may best write next: it votes, and has learned most; 0 for nobody.
func (l *leader) successor() log.ReplicaID {
	others := slices.DeleteFunc(slices.Clone(l.peers), func(p network.Peer) bool { return p.ID == l.Self || !l.votes(p) })
	if len(others) == 0 {
		return 0
	}
	return slices.MaxFunc(others, func(a, b network.Peer) int {
		return cmp.Or(cmp.Compare(sync(b)/slowest, sync(a)/slowest), cmp.Compare(a.Presence.Learned, b.Presence.Learned))
	}).ID
}
