package simulation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/actors/audit"
	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// host is a member, and what the simulation knows of it.
type host struct {
	*kit.Member
	disk   *disk
	life   int          // counts the starts
	up     bool         // the process runs
	voting bool         // ... and serves clients
	leaves bool         // ... and was told to end
	doomed bool         // the disk will fail, or failed, and is lost then
	lost   bool         // the disk was lost, and the replica has not voted since
	rolled bool         // the disk is an earlier state of itself
	gone   bool         // the member was removed, and knows
	astray bool         // the process began another log
	heard  int          // events that were looked at
	writes log.Proposal // of its coordinator, as it said in its last greeting; 0 if that is not elected
	reigns log.Proposal // for which it asked last to note a reign

	operations int           // of the disk until the process ends; 0 for never
	sends      int           // of messages until the process ends; 0 for never
	unsent     bool          // ... and the last of them does not leave
	dead       *memory.Store // what the end of a process in the middle of a step left of its disk
	full       time.Duration // until when the disk has no space
	slow       time.Duration // what a sync takes, about
	slowUntil  time.Duration
	syncs      time.Duration // until when a slow sync goes on that has begun

	acknowledged log.Position // the highest position that this process told a client
}

// acknowledges takes in what the process tells a client of an append. One that has numbers may be acknowledged once more.
func (h *host) acknowledges(m *messages.AppendResponse, again func(log.Position) bool, accuse accuser) {
	r := m.GetRange()
	if r == nil {
		return
	}
	if first := log.Position(r.GetFirst()); first <= h.acknowledged && !again(first) {
		accuse(13, inTheirOrder, fmt.Sprintf("member %d acknowledges [%d, %d] after %d", h.ID, first, r.GetLast(), h.acknowledged))
	}
	h.acknowledged = max(h.acknowledged, log.Position(r.GetLast()))
}

var (
	errInjected = errors.New("the simulation breaks this disk")
	errFull     = errors.New("the simulation leaves no space on this disk")
)

// restrain limits what the catch-ups of a member copy, as the run's profile says. Nothing is in reserve: the logs are short.
func (s *simulation) restrain(h *host) {
	h.CopyLimit = catchup.NewLimit(s.limit)
	if s.limit > 0 {
		h.CopyLimit.ReserveN(h.Node.Clock().Now(), h.CopyLimit.Burst())
	}
}

// slowest is what one sync takes at most: it ends soon after all faults do.
const slowest = 4 * time.Second

// start starts the process, for the first time or again.
func (s *simulation) start(h *host) {
	h.life++
	h.acknowledged, h.writes, h.reigns = 0, 0, 0
	h.Alone = h.astray
	h.up, h.voting, h.leaves, h.doomed, h.heard, h.operations, h.sends = true, false, false, false, 0, 0, 0
	h.Wrap = func(store storage.Store) storage.Store {
		if s.Sabotage != nil {
			store = s.Sabotage(store)
		}
		before := h.disk
		if h.rolled {
			before = nil // it is not what the last process left
		}
		w := watch{
			truth: s.truth, adoption: s.wire.adoption,
			changed:  func(m moment) { s.changed(h, m) },
			advanced: func(is status.Status) { s.advanced(h, is) },
		}
		if h.astray {
			w = s.unwatched()
		}
		h.disk = newDisk(store, before, w)
		return h.disk
	}
	if h.life == 1 {
		h.Start()
		return
	}
	h.Restart()
}

// restart starts a process that ended; where its disk has no space, later.
func (s *simulation) restart(h *host) {
	switch now := s.now(); {
	case h.up, h.gone:
	case now < h.full:
		s.after(h.full-now+about(s.random, s.down), func() { s.restart(h) })
	default:
		s.tell("member %d: start", h.ID)
		s.start(h)
	}
}

// changed is told that a process changed its disk, or that a sync begins or ends.
func (s *simulation) changed(h *host, m moment) {
	if h.operations > 0 {
		if h.operations--; h.operations == 0 {
			s.kill(h)
		}
	}
	if m == syncing && s.now() < h.slowUntil && h.dead == nil { // the replica goes on, and its answers wait
		takes := min(about(s.random, h.slow), slowest)
		h.syncs = s.now() + takes
		h.Node.Occupy(kit.Name+"/"+member.Replica+"/"+replica.Syncer, takes)
	}
}

// advanced is told of every new status of a replica.
func (s *simulation) advanced(h *host, is status.Status) {
	s.tell("member %d: %s", h.ID, is)
	if is == status.Recovering && h.voting { // its life is in doubt: it recovers as another one
		s.faults[rebirth]++
		h.voting, h.lost = false, true
	}
	if is == status.Recovering && s.random.Float64() < s.relapse && !s.healed {
		s.faults[crashAtWrite]++
		h.operations = 1 + s.random.IntN(40)
	}
	if s.hopeless && (is == status.Starting || is == status.Voting) {
		s.accuse(18, "a log whose quorum of disks is lost is not replaced by an empty one", complain(true, "replica %d gets to be %s", h.ID, is))
	}
}

// kill ends a process in the middle of a step: nothing that it does from now on happens.
func (s *simulation) kill(h *host) {
	if h.dead == nil && h.up {
		h.dead = s.crashed(h)
		s.dying = append(s.dying, h)
	}
}

// crashed is what a crash leaves of the disk: what was synced, and sometimes some of the rest.
func (s *simulation) crashed(h *host) *memory.Store {
	if h.disk.syncing > 0 {
		s.faults[unended]++
	}
	if s.random.IntN(2) == 0 {
		return h.Store.Crash(nil)
	}
	if h.disk.later.changes+h.disk.syncing > 0 {
		s.faults[torn]++
	}
	return h.Store.Crash(s.random)
}

// end ends a process, and starts it again some time.
func (s *simulation) end(h *host, why string) {
	if !h.up {
		return
	}
	s.tell("member %d: %s", h.ID, why)
	h.up, h.voting = false, false
	left := h.dead
	if left == nil {
		left = s.crashed(h)
	}
	h.Node.Crash()
	h.Store, h.dead = left, nil
	s.hangUp(h)
	s.after(about(s.random, s.down), func() { s.restart(h) })
}

// hangUp tells some of the others that their connection to a process is broken, as a broken one sometimes does at once.
func (s *simulation) hangUp(h *host) {
	for _, o := range s.hosts {
		if o.up && s.random.IntN(2) == 0 {
			o.Node.Root().Send(o.PID(member.Network), network.Lost{Address: h.Node.Address()})
		}
	}
}

// lose ends a process, and empties its disk.
func (s *simulation) lose(h *host, why string) {
	if h.up {
		s.end(h, why)
	} else { // it comes back some time
		s.tell("member %d: %s while down", h.ID, why)
	}
	damaged := h.doomed && s.allVoted
	h.lost, h.doomed, h.rolled, h.astray, h.full = true, false, false, false, 0
	s.everLost[h.ID-1] = s.everLost[h.ID-1] || !s.allVoted
	if damaged { // the member replaces it by itself, see docs/adr/0011
		h.Replace()
		return
	}
	h.Wipe()
}

// mayLose says whether the contract lets this disk be lost now: fewer than a quorum are lost, or not
// counted by somebody who votes, or is about to (docs/adr/0010).
func (s *simulation) mayLose(h *host) bool {
	ever := 0
	for i, o := range s.hosts {
		if o == h || s.everLost[i] {
			ever++
		}
	}
	for _, c := range s.truth.possible() {
		if !s.survives(c, h) {
			return false
		}
	}
	return s.allVoted || ever < s.truth.quorum
}

// doubted says whether a member knows a replica under another disk, so that some do not count its vote.
func (s *simulation) doubted(h *host) bool {
	m := h.Store.Metadata()
	return slices.ContainsFunc(s.members(), func(o *host) bool { return o != h && o.Store.Metadata().Known.Buries(h.ID, m.Incarnation) })
}

// discounted says whether a member that votes, or recovers, knows a replica under another disk.
func (s *simulation) discounted(h *host) bool {
	m := h.Store.Metadata()
	return slices.ContainsFunc(s.members(), func(o *host) bool {
		known := o.Store.Metadata()
		may := known.Status == status.Voting || known.Status == status.Recovering
		return o != h && may && known.Known.Buries(h.ID, m.Incarnation)
	})
}

// look reads what the members reported, and ends those that say that they failed, or that died in a step.
func (s *simulation) look() {
	for _, h := range s.dying {
		s.end(h, "crash in a step")
	}
	s.dying = s.dying[:0]
	for _, h := range s.hosts {
		for ; h.up && h.heard < len(h.Events); h.heard++ {
			switch e := h.Events[h.heard].(type) {
			case member.Recovered:
				s.recovered(h)
			case audit.Diverged:
				s.accuse(3, equalLogs, fmt.Sprintf("member %d: %s", h.ID, member.Divergence(e)))
			case member.Failed:
				s.died(h, e.Err)
			}
		}
	}
	s.watchTwin()
	s.measure()
}

// recovered takes in that a replica votes, in this log.
func (s *simulation) recovered(h *host) {
	if !h.astray {
		h.voting, h.lost = true, false
		s.allVoted = s.allVoted || s.everybodyVotes()
	}
}

func (s *simulation) everybodyVotes() bool {
	return !slices.ContainsFunc(s.members(), func(h *host) bool { return !h.up || !h.voting })
}

// everybodyCounts says whether every member votes, and nobody doubts it.
func (s *simulation) everybodyCounts() bool {
	return s.everybodyVotes() && !slices.ContainsFunc(s.members(), s.doubted)
}

// died ends a member that failed, which it may do only where its disk was broken.
func (s *simulation) died(h *host, err error) {
	switch {
	case errors.Is(err, member.ErrRemoved):
		s.removed(h, err)
	case errors.Is(err, member.ErrConfiguration) && s.joins(h): // started before it was added, or before that got around
		s.end(h, "not a member yet")
	case errors.Is(err, errFull):
		s.end(h, "no space left")
	case errors.Is(err, member.ErrFenced) && h.rolled:
		s.lose(h, "found to be rolled back: "+err.Error())
	case errors.Is(err, member.ErrFenced) && s.doubted(h): // the life that a peer knows was there a moment ago
		s.lose(h, "fenced: "+err.Error())
	case errors.Is(err, member.ErrOtherLog) && h.astray:
		s.found(h, err)
	case h.doomed && errors.Is(err, errInjected):
		s.lose(h, "failed: "+err.Error())
	default:
		s.accuse(18, onlyBroken, complain(true, "member %d failed: %v", h.ID, err))
	}
}
