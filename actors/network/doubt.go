package network

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
)

// doubt is that a peer knows the local replica under another disk.
type doubt struct {
	known uint64    // the generation of that; 0 for no doubt
	votes bool      // the peer votes
	until time.Time // when it is old enough to be acted upon
}

// doubt handles a peer that knows another life of the local replica.
//
// Where that life is there, this one is over. Where nobody hears it, nobody can tell which of them is the later one: it may
// have registered with this peer alone, and lost its disk again before the others heard of it. Both are settled the same
// way: the local replica recovers as a life above both (docs/adr/0010). It costs its vote for a while, so a quorum must be
// left without it; the other life gets time to be heard, and so does another replica in doubt.
func (n *network) doubt(ctx actor.Context, p *peer, r identity.Refusal) {
	now := n.Clock.Now()
	if p.doubt.known == 0 {
		p.doubt.until = now.Add(n.Twice(n.Patience.Absence))
	}
	p.doubt.known, p.doubt.votes = r.Known.Generation, r.Votes
	quorum := paxos.Quorum(len(n.Voters()))
	switch {
	case r.Alive || n.others() < quorum:
		n.tell(ctx, Refused{p.ID, r})
	case now.After(p.doubt.until) && n.voters() >= quorum:
		n.tell(ctx, Doubted{n.highest()})
	}
}

// voters is how many peers are there and vote, the local replica not counted, nor whom another one knows to be dead: a
// recovery would not count its answer either.
func (n *network) voters() int {
	voters := 0
	for _, p := range n.peers {
		if p.ID != n.Self && n.counts(p) && p.votes() && !n.buried(p) {
			voters++
		}
	}
	return voters
}

// others is how many peers there are whose votes count.
func (n *network) others() int {
	others := 0
	for _, p := range n.peers {
		if p.ID != n.Self && n.counts(p) {
			others++
		}
	}
	return others
}

// counts says whether a peer's vote counts.
func (n *network) counts(p *peer) bool { return slices.Contains(n.Voters(), p.ID) }

// votes says whether a peer is there and votes.
func (p *peer) votes() bool {
	return p.Present && (p.Refusal == "" && p.Presence.Status == status.Voting || p.doubt.votes)
}

// buried says whether a peer that votes knows another one to be dead.
func (n *network) buried(p *peer) bool {
	return slices.ContainsFunc(n.peers, func(o *peer) bool { return n.counts(o) && o.votes() && o.knows.Buries(p.ID, p.life) })
}

// highest is the highest generation under which a peer knows the local replica by another disk.
func (n *network) highest() uint64 {
	var known uint64
	for _, p := range n.peers {
		known = max(known, p.doubt.known)
	}
	return known
}
