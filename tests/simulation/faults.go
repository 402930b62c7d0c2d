package simulation

import (
	"errors"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// host is a member, and what the simulation knows of it.
type host struct {
	*kit.Member
	disk    *disk
	life    int  // counts the starts
	up      bool // the process runs
	voting  bool // ... and serves clients
	doomed  bool // the disk will fail
	lost    bool // the disk was lost, and the replica has not voted since
	heard   int  // events that were looked at
	crashIn int  // changes of the disk until the process ends; 0 for never
}

var errInjected = errors.New("the simulation breaks this disk")

// start starts the process, for the first time or again.
func (s *simulation) start(h *host) {
	h.life++
	h.up, h.voting, h.doomed, h.heard, h.crashIn = true, false, false, 0, 0
	h.Wrap = func(store storage.Store) storage.Store {
		if s.Sabotage != nil {
			store = s.Sabotage(store)
		}
		h.disk = newDisk(store, s.truth, h.disk, func() { s.changed(h) })
		return h.disk
	}
	if h.life == 1 {
		h.Start()
		return
	}
	h.Restart()
}

// changed is told that a process changed its disk, or synced it.
func (s *simulation) changed(h *host) {
	if h.crashIn > 0 {
		if h.crashIn--; h.crashIn == 0 {
			s.dying = append(s.dying, h) // once its actor has done its step
		}
	}
}

// end ends a process, and starts it again some time.
func (s *simulation) end(h *host, why string) {
	if !h.up {
		return
	}
	s.tell("member %d: %s", h.ID, why)
	h.up, h.voting = false, false
	if s.random.IntN(2) == 0 {
		h.CrashKeeping(s.random)
	} else {
		h.Crash()
	}
	s.after(about(s.random, s.down), func() {
		if !h.up {
			s.tell("member %d: start", h.ID)
			s.start(h)
		}
	})
}

// lose ends a process, and empties its disk.
func (s *simulation) lose(h *host, why string) {
	s.end(h, why)
	h.lost, h.doomed = true, false
	s.everLost[h.ID-1] = s.everLost[h.ID-1] || !s.allVoted
	h.Wipe()
}

// mayLose says whether the contract lets this disk be lost now.
func (s *simulation) mayLose(h *host) bool {
	lost, ever := 0, 0
	for i, o := range s.hosts {
		if o == h || o.lost || o.doomed {
			lost++
		}
		if o == h || s.everLost[i] {
			ever++
		}
	}
	return lost < s.truth.quorum && (s.allVoted || ever < s.truth.quorum)
}

// strike lets a fault happen, and plans the next one of its kind.
func (s *simulation) strike(f fault) {
	s.after(about(s.random, s.every[f]), func() { s.strike(f) })
	h := s.hosts[s.random.IntN(len(s.hosts))]
	switch f {
	case crash:
		if h.up {
			s.faults[f]++
			s.end(h, "crash")
		}
	case crashAtWrite:
		if h.up && h.crashIn == 0 {
			s.faults[f]++
			h.crashIn = 1 + s.random.IntN(6)
		}
	case crashAll:
		s.faults[f]++
		for _, h := range s.hosts {
			s.end(h, "crash of all")
		}
	case wipe, diskFailure:
		if s.mayLose(h) {
			s.faults[f]++
			s.ruin(h, f)
		}
	case stall:
		s.faults[f]++
		s.stallFor(h, about(s.random, s.away))
	default:
		s.faults[f]++
		s.cut(f, h)
	}
}

func (s *simulation) ruin(h *host, f fault) {
	if f == wipe {
		if !h.up { // so that it comes back some time
			s.tell("member %d: wipe while down", h.ID)
			h.lost, s.everLost[h.ID-1] = true, s.everLost[h.ID-1] || !s.allVoted
			h.Wipe()
			return
		}
		s.lose(h, "wipe")
		return
	}
	if h.up && !h.doomed {
		op := memory.Operation(s.random.IntN(3))
		s.tell("member %d: operation %d of its disk will fail", h.ID, op)
		h.doomed = true
		h.Store.FailNext(op, errInjected)
	}
}

// stallFor keeps what a member sends and gets for a while.
func (s *simulation) stallFor(h *host, d time.Duration) {
	address := h.Node.Address()
	if s.stalled[address] {
		return
	}
	s.tell("member %d: stalls for %v", h.ID, d)
	s.stalled[address] = true
	s.after(d, func() { s.resume(address) })
}

func (s *simulation) resume(address string) {
	s.stalled[address] = false
	s.cluster.World.Release(func(e actortest.Envelope) bool {
		return (e.From == address || e.To == address) && !s.stalled[e.From] && !s.stalled[e.To]
	})
}

// cut cuts links for a while.
func (s *simulation) cut(f fault, h *host) {
	net, address := s.cluster.World.Net, h.Node.Address()
	d := about(s.random, s.away)
	if f == isolation {
		s.tell("member %d: isolated for %v", h.ID, d)
		net.Isolate(address)
		s.after(d, func() { net.Join(address) })
		return
	}
	side := make([]bool, len(s.hosts))
	for i := range side {
		side[i] = s.random.IntN(2) == 0
	}
	other := s.hosts[s.random.IntN(len(s.hosts))]
	s.tell("%s for %v: member %d, member %d, sides %v", f, d, h.ID, other.ID, side)
	for i, from := range s.hosts {
		for k, to := range s.hosts {
			cuts := f == split && side[i] != side[k] ||
				f == oneWay && from != to && s.random.IntN(3) == 0 ||
				f == bridge && (from == h && to == other || from == other && to == h)
			if cuts {
				net.Cut(from.Node.Address(), to.Node.Address())
				s.after(d, func() { net.Heal(from.Node.Address(), to.Node.Address()) })
			}
		}
	}
}

// look reads what the members reported, and ends those that say that they failed.
func (s *simulation) look() {
	for _, h := range s.dying {
		s.end(h, "crash at write")
	}
	s.dying = s.dying[:0]
	for _, h := range s.hosts {
		for ; h.up && h.heard < len(h.Events); h.heard++ {
			switch e := h.Events[h.heard].(type) {
			case member.Recovered:
				h.voting, h.lost = true, false
				s.allVoted = s.allVoted || s.everybodyVotes()
			case member.Failed:
				s.died(h, e.Err)
			}
		}
	}
}

func (s *simulation) everybodyVotes() bool {
	for _, h := range s.hosts {
		if !h.up || !h.voting {
			return false
		}
	}
	return true
}

// died ends a member that failed, which it may do only where its disk was broken.
func (s *simulation) died(h *host, err error) {
	if !h.doomed || !errors.Is(err, errInjected) {
		s.violate("member %d failed: %v", h.ID, err)
		return
	}
	s.lose(h, "failed: "+err.Error())
}
