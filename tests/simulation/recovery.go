package simulation

import (
	"fmt"
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
)

// recover is phase 2: every fault ends, and the cluster must be whole again within bounds.
func (s *simulation) recover() {
	if !s.ok() {
		return
	}
	s.tell("all faults end")
	s.heal()
	s.runFor(10 * time.Millisecond) // who failed in the last moment says so
	s.demand(0, untilVoting, "every member votes", s.everybodyCounts)
	if s.stuck {
		return
	}
	if s.elects {
		s.runUntil(slowest, s.synced) // a slow disk is a fault, too
		s.demand(1, untilElected, "a member is elected, though no client asks", s.somebodyWrites)
	}
	last := s.spawn(len(s.clients)+1, habits{batch: 1, window: 1, think: 50 * time.Millisecond, patience: 5 * time.Second})
	s.demand(2, untilAppended, "an append succeeds", func() bool { return s.succeeded(last) })
	last.over = true
	s.demand(3, untilAnswered, "every call of the last client ends", func() bool { return s.waits(last) == 0 && len(last.errands.line) == 0 })
	s.judge()
	s.demand(4, untilEqual, "all members have learned the same", s.allEqual)
}

// heal ends every fault and starts every process.
func (s *simulation) heal() {
	s.agenda, s.healed, s.duelUntil, s.calmUntil = agenda{}, true, 0, 0
	s.endTwin()
	clear(s.stalled)
	for _, c := range s.clients {
		c.over = true
	}
	net := s.cluster.World.Net
	net.HealAll()
	s.smooth()
	s.cluster.World.Release(nil)
	s.look() // at who died in the last step
	for _, h := range s.hosts {
		if h.gone {
			continue
		}
		catchup.SetLimit(h.CopyLimit, h.Node.Clock().Now(), 0)
		switch h.mend(); {
		case h.rolled:
			s.lose(h, "its directory, which was rolled back, is deleted")
		case h.astray:
			s.lose(h, "its directory, with another log, is deleted")
		case h.leaves:
			s.end(h, "end")
		}
		if h.full, h.slowUntil = 0, 0; !h.up {
			s.start(h)
		}
		h.scrub()
	}
	s.close()
	s.agenda = agenda{}
}

// demand runs until something holds, which must be within bounds. Part is the part of phase 2 that it belongs to.
func (s *simulation) demand(part int, within time.Duration, what string, holds func() bool) {
	began := s.now()
	if !s.runUntil(within, holds) && s.ok() {
		if s.stuck = part == 0 && s.stalemate(); s.stuck {
			s.tell("a stalemate: nobody can tell whether a life that nobody hears will vote")
			return
		}
		broken := [...]struct {
			number int
			name   string
		}{{21, progress}, {21, progress}, {21, progress}, {24, callsEnd}, {3, equalLogs}}[part]
		s.accuse(broken.number, broken.name, fmt.Sprintf("all faults have ended, and after %v it is not so that %s", within, what))
	}
	s.slowest[part] = s.now() - began
}

// stalemate says whether too few votes are left that everybody counts: of some members the disks are lost, and of others
// somebody who votes knows another life, which may recover and vote, for all that can be told. See docs/adr/0010.
func (s *simulation) stalemate() bool {
	// The members were changed while too many had lost their disks; or those who knew that they were changed have lost theirs.
	if !s.survives(s.truth.newest().Configuration, nil) || !s.survives(s.known(), nil) {
		return true
	}
	counted, doubted := 0, 0
	for _, h := range s.members() {
		switch {
		case !h.up || !h.voting:
		case s.discounted(h):
			doubted++
		default:
			counted++
		}
	}
	return doubted > 0 && counted < s.truth.quorum
}

// known is the newest configuration that a member knows which votes.
func (s *simulation) known() membership.Configuration {
	newest := s.truth.configs[0].Configuration
	for _, h := range s.hosts {
		if c := h.Store.Metadata().Configuration; h.voting && c.Epoch > newest.Epoch {
			newest = c
		}
	}
	return newest
}

// synced says whether the slow syncs that had begun before all faults ended are done.
func (s *simulation) synced() bool {
	return !slices.ContainsFunc(s.hosts, func(h *host) bool { return h.syncs > s.now() })
}

// somebodyWrites says whether a coordinator is elected whose writes a quorum would accept. One that is alone greets nobody, and has
// its own answer at once.
func (s *simulation) somebodyWrites() bool {
	for _, h := range s.members() {
		would, writes := 0, h.writes
		if len(s.members()) == 1 {
			writes = h.reigns
		}
		for _, o := range s.members() {
			if h.up && writes > 0 && o.Store.Metadata().Promised <= writes {
				would++
			}
		}
		if would >= s.truth.newest().quorum() {
			return true
		}
	}
	return false
}

// waits is how many calls of a client may still be answered: those of members that are some.
func (s *simulation) waits(c *client) int {
	n := 0
	for _, w := range c.waiting {
		if slices.Contains(s.ids(), w.Member) {
			n++
		}
	}
	return n
}

func (s *simulation) succeeded(c *client) bool {
	for i := len(s.history.operations) - 1; i >= 0; i-- {
		if o := s.history.operations[i]; o.Client == c.id && o.Outcome == spec.Succeeded {
			return true
		}
	}
	return false
}

// allEqual says whether the disks of all members know as chosen all that is.
func (s *simulation) allEqual() bool {
	for _, h := range s.members() {
		if h.disk.learned() < s.truth.last || !h.Store.Rotten().Empty() {
			return false
		}
	}
	return true
}

// dump reads a member's whole log as a client does.
func (s *simulation) dump(h *host) []log.Action {
	var all []log.Action
	for from := log.Position(0); ; {
		h.Probe.Request(h.PID(member.Gateway), &messages.ReadRequest{Request: uint64(from), From: uint64(from)})
		answer := actortest.Await[*messages.ReadResponse](s.t, h.Probe, time.Minute)
		if answer.GetPage() == nil {
			s.violate("member %d does not show its log: %v", h.ID, answer.GetFailure())
			return all
		}
		actions := s.history.read(h.ID, answer.GetPage())
		if len(actions) == 0 {
			return all
		}
		all = append(all, actions...)
		from = actions[len(actions)-1].Position + 1
	}
}
