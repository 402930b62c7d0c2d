package catchup

import (
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/status"
)

// sources remembers which peer was asked for what, since the last survey.
type sources struct {
	peers  []*source
	turn   int  // whose turn it is: the load goes round
	misses int  // after how many times in a row a peer that is silent is given up
	all    bool // peers that were given up are asked, too
}

type source struct {
	id      log.ReplicaID
	learned log.Position // up to where it said that it has learned, in the last survey
	unable  bool         // it said so, or made no sense
	unknown interval.Set // positions that it does not know as learned
	habits
}

// habits are what is known of how a peer answers. They outlive a survey, as long as the peer is present.
type habits struct {
	size     log.Position  // how many positions it is asked for at once
	patience time.Duration // until it counts as silent, if that is more than usual
	missed   int           // how many times in a row it was silent
}

// A peer that does not answer in time is not one that knows nothing: it may be busy, or far away. So it is asked again before a
// quorum is, and given more time. How much it needs shows with the first answer, however late.
const (
	// patientMisses is how many times in a row a peer is silent before a quorum is asked for what it may know.
	patientMisses = 4
	// maxPatience is how many times the usual time a peer is given at most: the message may be lost that is waited for.
	maxPatience = 8
	// minSize is how many positions a peer is asked for at least, however slow it is.
	minSize = 64
)

// firstSize is how many positions a peer is asked for at first, and then twice as many each time that it answers: a short log
// should come in parts, too, so that one part is stored while the next one travels.
const firstSize = 1024

// newSources are the peers that are present and vote: one that recovers is itself busy with copying. Where nobody votes, or it
// is not known yet, it is all that are present.
func newSources(self log.ReplicaID, peers []network.Peer, before *sources) *sources {
	s := &sources{misses: before.misses}
	for _, voting := range []bool{true, false} {
		for _, p := range peers {
			votes := p.Presence.Status == status.Voting || p.Presence.Status == 0
			if p.ID != self && p.Present && (votes || !voting) {
				s.peers = append(s.peers, &source{id: p.ID, learned: p.Presence.Learned, habits: before.peer(p.ID).habits})
			}
		}
		if len(s.peers) > 0 {
			break
		}
	}
	return s
}

// join takes in the voting peers that were not there at the survey, and what the others have learned since.
func (s *sources) join(self log.ReplicaID, peers []network.Peer) {
	for _, p := range newSources(self, peers, s).peers {
		i := slices.IndexFunc(s.peers, func(known *source) bool { return known.id == p.id })
		if i < 0 {
			s.peers = append(s.peers, p)
			continue
		}
		s.peers[i].learned = p.learned
	}
}

// learned is up to where some peer has learned, as they said in their greetings.
func (s *sources) learned() (most log.Position) {
	for _, p := range s.peers {
		most = max(most, p.learned)
	}
	return most
}

// maxGap is how many positions that are not missing a chunk, or a Fill, may span: asking for a few too many costs less
// than asking twice.
const maxGap = 16

// next names a peer, and a chunk of what is missing that it may know. It is not ok while every peer that is not given up was
// asked for everything, or for as much as it may be asked at once. A chunk spans nothing of what was asked for already. One that
// was silent comes after those that answer.
func (s *sources) next(missing interval.Set, out []request) (from log.ReplicaID, chunk log.Range, ok bool) {
	var busy interval.Set
	for _, r := range out {
		busy.Add(r.chunk)
	}
	missing = missing.Minus(busy)
	for _, silent := range []bool{false, true} {
		for i := range s.peers {
			at := (s.turn + i) % len(s.peers)
			p := s.peers[at]
			if silent != (p.missed > 0) || !s.mayAsk(p, out) {
				continue
			}
			if chunk, ok := first(missing.Minus(p.unknown), busy); ok {
				chunk.Last = min(chunk.Last, chunk.First+p.size-1)
				s.turn = at + 1
				return p.id, chunk, true
			}
		}
	}
	return 0, log.Range{}, false
}

// mayAsk says whether a peer may be asked for one chunk more. One that was silent is asked for one at a time.
func (s *sources) mayAsk(p *source, out []request) bool {
	n := p.asked(out)
	switch {
	case p.unable:
		return false
	case p.missed > 0:
		return n == 0 && (s.all || p.missed < s.misses)
	}
	return n < maxPerPeer
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

// answered notes that the peer answers, and how long that took.
func (h *habits) answered(took, usual time.Duration) {
	h.missed, h.size = 0, min(2*h.size, log.MaxCopy)
	h.patience = min(max(usual, took+took/2, h.patience/2), maxPatience*usual)
}

// silent notes that the peer has not answered in time. It may be slow, or a message was lost: it gets a little more time, and is
// asked for less.
func (h *habits) silent(usual time.Duration) {
	h.missed++
	h.size = max(minSize, h.size/4)
	h.patience = max(2*usual, h.patience)
}

// peer returns what is known of a peer; of one that is no source it is forgotten again.
func (s *sources) peer(id log.ReplicaID) *source {
	for _, p := range s.peers {
		if p.id == id {
			return p
		}
	}
	return &source{id: id, habits: habits{size: firstSize}}
}
