package catchup

import (
	"slices"

	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/status"
)

// sources remembers which peer was asked for what, since the last survey.
type sources struct {
	peers []*source
	turn  int // whose turn it is: the load goes round
}

type source struct {
	id      log.ReplicaID
	silent  bool         // did not answer, or cannot
	unknown interval.Set // positions that it does not know as learned
	size    log.Position // how many positions it is asked for at once
}

// firstSize is how many positions a peer is asked for at first, and then twice as many each time that it answers: a short log
// should come in parts, too, so that one part is stored while the next one travels.
const firstSize = 1024

// newSources are the peers that are present and vote: one that recovers is itself busy with copying. Where nobody votes, or it
// is not known yet, it is all that are present. How slow a peer is stays known from the sources before.
func newSources(self log.ReplicaID, peers []network.Peer, before *sources) *sources {
	s := &sources{}
	for _, voting := range []bool{true, false} {
		for _, p := range peers {
			votes := p.Presence.Status == status.Voting || p.Presence.Status == 0
			if p.ID != self && p.Present && (votes || !voting) {
				s.peers = append(s.peers, &source{id: p.ID, size: before.peer(p.ID).size})
			}
		}
		if len(s.peers) > 0 {
			break
		}
	}
	return s
}

// join takes in the voting peers that were not there at the survey.
func (s *sources) join(self log.ReplicaID, peers []network.Peer) {
	for _, p := range newSources(self, peers, s).peers {
		if !slices.ContainsFunc(s.peers, func(known *source) bool { return known.id == p.id }) {
			s.peers = append(s.peers, p)
		}
	}
}

// maxGap is how many positions that are not missing a chunk, or a Fill, may span: asking for a few too many costs less
// than asking twice.
const maxGap = 16

// next names a peer, and a chunk of what is missing that it may know. It is not ok while every peer that answers was asked
// for everything, or for as much as it may be asked at once. A chunk spans nothing of what was asked for already.
func (s *sources) next(missing interval.Set, out []request) (from log.ReplicaID, chunk log.Range, ok bool) {
	var busy interval.Set
	for _, r := range out {
		busy.Add(r.chunk)
	}
	missing = missing.Minus(busy)
	for range s.peers {
		p := s.peers[s.turn]
		s.turn = (s.turn + 1) % len(s.peers)
		if p.silent || p.asked(out) >= maxPerPeer {
			continue
		}
		if chunk, ok := first(missing.Minus(p.unknown), busy); ok {
			chunk.Last = min(chunk.Last, chunk.First+p.size-1)
			return p.id, chunk, true
		}
	}
	return 0, log.Range{}, false
}

// asked is how many of the requests went to the peer.
func (p *source) asked(out []request) (n int) {
	for _, r := range out {
		if r.from == p.id {
			n++
		}
	}
	return n
}

// first returns the first run of a set, and those that follow it closely, with nothing in between that is busy.
func first(set, busy interval.Set) (chunk log.Range, ok bool) {
	for run := range set.All() {
		gap := log.Range{First: chunk.Last + 1, Last: run.First - 1}
		switch {
		case chunk.Empty():
			chunk = run
		case gap.Len() <= maxGap && busy.Intersect(gap).Empty():
			chunk.Last = run.Last
		default:
			return chunk, true
		}
	}
	return chunk, !chunk.Empty()
}

// examined remembers what a peer does not know.
func (p *source) examined(r log.Range, known interval.Set) {
	for unknown := range known.Complement(r).All() {
		p.unknown.Add(unknown)
	}
	for run := range known.All() {
		p.unknown.Remove(run)
	}
}

// heard notes that the peer answers.
func (p *source) heard() { p.silent, p.size = false, min(2*p.size, log.MaxCopy) }

// peer returns what is known of a peer; of one that is no source it is forgotten again.
func (s *sources) peer(id log.ReplicaID) *source {
	for _, p := range s.peers {
		if p.id == id {
			return p
		}
	}
	return &source{id: id, size: firstSize}
}
