package catchup

import (
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
)

// sources remembers which peer was asked for what, since the last survey.
type sources struct {
	peers []source
	turn  int // whose turn it is: the load goes round
}

type source struct {
	id      log.ReplicaID
	silent  bool         // did not answer, or cannot
	unknown interval.Set // positions that it does not know as learned
}

// newSources are the peers that are present.
func newSources(self log.ReplicaID, peers []network.Peer) *sources {
	s := &sources{}
	for _, p := range peers {
		if p.ID != self && p.Present {
			s.peers = append(s.peers, source{id: p.ID})
		}
	}
	return s
}

// maxGap is how many positions that are not missing a chunk, or a Fill, may span: asking for a few too many costs less
// than asking twice.
const maxGap = 16

// next names a peer, and a chunk of what is missing that it may know. It is not ok once every peer that answers was asked
// for everything.
func (s *sources) next(missing interval.Set) (from log.ReplicaID, chunk log.Range, ok bool) {
	for range s.peers {
		p := &s.peers[s.turn]
		s.turn = (s.turn + 1) % len(s.peers)
		if p.silent {
			continue
		}
		if chunk, ok := first(missing.Minus(p.unknown)); ok {
			return p.id, chunk, true
		}
	}
	return 0, log.Range{}, false
}

// first returns the first run of a set, and those that follow it closely.
func first(set interval.Set) (chunk log.Range, ok bool) {
	for run := range set.All() {
		switch {
		case chunk.Empty():
			chunk = run
		case run.First-chunk.Last-1 <= maxGap:
			chunk.Last = run.Last
		default:
			return chunk, true
		}
	}
	return chunk, !chunk.Empty()
}

// examined remembers what a peer does not know.
func (s *sources) examined(from log.ReplicaID, r log.Range, known []log.Action) {
	p := s.peer(from)
	p.unknown.Add(r)
	for _, a := range known {
		p.unknown.Remove(log.Range{First: a.Position, Last: a.Position})
	}
}

func (s *sources) silent(id log.ReplicaID) { s.peer(id).silent = true }

func (s *sources) peer(id log.ReplicaID) *source {
	for i := range s.peers {
		if s.peers[i].id == id {
			return &s.peers[i]
		}
	}
	return &source{}
}
