package simulation

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

// A member whose disk is lost, and that is started with a list of itself alone while it hears nobody, begins another log, and has
// an entry in it. Once it hears the others, whose members were changed since the log began, it must end, and have taken over nothing
// (docs/adr/0027). No client talks to it: what it would acknowledge is nowhere else.
const (
	untilHeard = 1500 * time.Millisecond // from the loss of the disk until the others are heard
	notMixed   = "a log that was begun by mistake is not mixed with this one"
)

// strays has a host that loses its disk begin another log, where that may be now, and is drawn.
func (s *simulation) strays(h *host) bool {
	m, _ := s.truth.newest().Member(h.ID)
	changed := s.truth.newest().Epoch > 0 && m.Role == membership.Voter
	leaving := func(h *host) bool { return h.leaves || h.doomed }
	if !s.auto || !changed || s.twin != nil || !s.everybodyCounts() || slices.ContainsFunc(s.hosts, leaving) || s.other.IntN(2) > 0 {
		return false
	}
	s.faults[astray]++
	s.pacify(untilHeard + untilFound + time.Second)
	s.cluster.World.Net.Isolate(h.Node.Address())
	usual := s.down
	s.down = 50 * time.Millisecond
	s.lose(h, "wipe, and it begins another log")
	s.down, h.astray = usual, true
	s.after(untilHeard/2, func() { s.mislead(h) })
	s.after(untilHeard, func() { s.cluster.World.Net.Join(h.Node.Address()) })
	s.after(untilHeard+untilFound, func() {
		if _, member := s.truth.newest().Member(h.ID); h.astray && member {
			s.accuse(18, notMixed, complain(true, "member %d has another log, and nobody says so", h.ID))
		}
	})
	return true
}

// mislead has an entry appended to a log of a member's own.
func (s *simulation) mislead(h *host) {
	if h.astray && h.up {
		h.Probe.Request(h.PID(member.Gateway), &messages.AppendRequest{Request: s.other.Uint64(), Entries: [][]byte{[]byte("astray")}})
	}
}

// unwatched is who looks at a disk with another log.
func (s *simulation) unwatched() watch {
	t := newTruth(1)
	t.tables = newTables(s.cluster.Memory.Bytes)
	t.accuse, t.onChosen = func(int, string, string) {}, func(log.Position, log.Value) {}
	return watch{
		truth: t, adoption: func(storage.Metadata) adoption { return adoption{} },
		changed: func(moment) {}, advanced: func(status.Status) {},
	}
}

// apart decides on a message of a process that has another log: it is none of this one's, and goes to members only.
func (w *wire) apart(e actortest.Envelope) actortest.Verdict {
	if w.host(e.To) == nil {
		return actortest.Drop
	}
	return actortest.Deliver
}

// found looks at what a process held that ended for its log, and deletes it.
func (s *simulation) found(h *host, err error) {
	meta := h.Store.Metadata()
	foreign := 0
	scanned := h.Store.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
		if a.Position != 1 || string(a.Value.Data) != "astray" {
			foreign++
		}
		return true
	})
	if meta.Configuration.Epoch > 0 || meta.Incarnation.Generation != 1 || foreign > 0 || scanned != nil {
		s.accuse(18, notMixed, complain(true, "member %d has taken over something of this log: %+v, and %d records: %v", h.ID, meta, foreign, scanned))
	}
	s.lose(h, "found to have another log: "+err.Error())
}

// chance is for what other draws should not depend on.
func chance(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 6)) }
