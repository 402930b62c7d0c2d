package simulation

import (
	"errors"
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// A directory that was put back to an earlier state, or is a copy of one, is found as soon as a peer is heard that remembers a
// later state (docs/adr/0012). So these two faults make that sure: nothing else happens for a while, everybody is there, and
// the disk that is copied has had a sync since, which greetings have told. Then the process on the earlier state must end,
// within a bound, and must not have granted anything.
const (
	untilOlder = 1500 * time.Millisecond // from the copy until it is put to use
	untilFound = 4 * time.Second         // from its use until the process on it has ended
)

// twin is a second process of a member, on a copy of its disk.
type twin struct {
	*kit.Member
	of *host
}

// duplicate copies a disk, and has something done with the copy a while later.
func (s *simulation) duplicate(f fault, h *host) {
	leaving := func(h *host) bool { return h.leaves || h.doomed }
	if !s.everybodyCounts() || slices.ContainsFunc(s.hosts, leaving) || !s.mayLose(h) || s.twin != nil {
		return
	}
	s.pacify(untilOlder + untilFound + time.Second)
	early := h.Store.Copy()
	life := h.life
	s.tell("member %d: its directory is copied", h.ID)
	known := uint64(0) // the age that the peers know: they were greeted since
	s.after(untilOlder-2*ensemble.Usual().Hello, func() { known = h.Store.Age() })
	s.after(untilOlder, func() {
		switch {
		case h.life != life || !h.up || known <= early.Age():
			s.calmUntil = s.now() // nobody could tell the copy from the original
		case f == rollback:
			s.putBack(h, early)
		default:
			s.beside(h, early)
		}
	})
}

// pacify ends every fault for a while.
func (s *simulation) pacify(d time.Duration) {
	s.calmUntil = s.now() + d
	s.cluster.World.Net.HealAll()
	s.smooth()
	for _, h := range s.hosts {
		h.mend()
		s.resume(h.Node.Address())
	}
	s.after(d, func() {
		if !s.healed {
			s.roughen()
		}
	})
}

// putBack has a process start on an earlier state of its disk.
func (s *simulation) putBack(h *host, early *memory.Store) {
	s.faults[rollback]++
	usual := s.down
	s.down = 50 * time.Millisecond // it starts while everything is calm
	s.end(h, "end, and its directory is put back")
	s.down = usual
	h.Store, h.rolled, h.lost = early, true, true
	s.after(untilFound, func() {
		if h.rolled {
			s.accuse(18, foundOut, complain(true, "member %d runs on a directory that was rolled back, and nobody says so", h.ID))
		}
	})
}

// beside has a second process start on an earlier state of a disk, while the first one runs.
func (s *simulation) beside(h *host, early *memory.Store) {
	s.faults[copied]++
	t := &twin{h.Twin(), h}
	t.Store = early
	s.twin = t
	s.tell("member %d: a second process starts on the copy", h.ID)
	t.Start()
	s.after(untilFound, func() {
		if s.twin == t {
			s.accuse(18, foundOut, complain(true, "a second process of member %d runs on a copy of its directory, and nobody says so", h.ID))
		}
	})
}

// watchTwin ends a second process once it says that it is one.
func (s *simulation) watchTwin() {
	if s.twin == nil || s.twin.Failure() == nil {
		return
	}
	if err := s.twin.Failure(); !errors.Is(err, member.ErrFenced) {
		s.accuse(18, onlyBroken, complain(true, "the second process of member %d failed: %v", s.twin.ID, err))
	}
	s.tell("member %d: its second process ended: %v", s.twin.ID, s.twin.Failure())
	s.endTwin()
}

func (s *simulation) endTwin() {
	if s.twin != nil {
		s.twin.Crash()
		s.twin = nil
	}
}

// overhearTwin checks that a second process grants nothing.
func (s *simulation) overhearTwin(e actortest.Envelope) {
	if s.twin == nil || e.From != s.twin.Node.Address() {
		return
	}
	granted := false
	switch m := e.Message.(type) {
	case *messages.PromiseResponse:
		granted = m.GetPromised() != nil
	case *messages.WriteResponse:
		granted = m.GetAccepted() != nil
	}
	if granted {
		s.accuse(18, foundOut, complain(true, "the second process of member %d grants what it is asked", s.twin.ID))
	}
}

// smooth makes all links between members good.
func (s *simulation) smooth() {
	for _, l := range s.links { // messages that are late already stay so, and others overtake them
		s.cluster.World.Net.Link(s.hosts[l.from].Node.Address(), s.hosts[l.to].Node.Address(),
			actortest.Quality{Min: 100 * time.Microsecond, Max: 3 * time.Millisecond, Reorder: true})
	}
}

// roughen makes the links between members what the run has drawn.
func (s *simulation) roughen() {
	for _, l := range s.links {
		s.cluster.World.Net.Link(s.hosts[l.from].Node.Address(), s.hosts[l.to].Node.Address(), l.Quality)
	}
}
