package simulation

import (
	"time"

	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// fault is a kind of fault that strikes now and then.
type fault uint8

const (
	crash        fault = iota // a process ends; what was not synced is lost, or all but the oldest of it
	crashAtWrite              // the same, right behind a change or a sync of the disk
	crashAtSend               // the same, right before or behind a message that it sends
	crashAll                  // the same, of all processes at once
	shutdown                  // a process is told to end, and does, a moment later
	storm                     // for a while every process ends every few seconds
	wipe                      // a process ends, and its disk is empty when it comes back
	corruption                // a read of the disk fails: the member ends, and comes back without its disk
	syncFailure               // a change or a sync of the disk fails: the same
	fullDisk                  // the disk has no space for a while: the member ends, and comes back with its disk
	slowDisk                  // every sync takes long, for a while
	isolation                 // a member hears nobody, and nobody hears it, clients included
	split                     // the members are in two groups
	oneWay                    // some links are cut, in one direction
	bridge                    // two members do not hear each other
	halfCut                   // a member that writes and another one do not hear each other, or one does not hear the other
	swizzle                   // links are cut one after the other, and are whole again one after the other
	turn                      // a member is cut off, and all others are not
	stall                     // what a member sends and what it gets is late, all of it
	clockJump                 // a clock jumps, by up to an hour
	drift                     // a clock runs too fast or too slowly
	stranger                  // somebody who is no member says what members say
	duel                      // for a while each client has another member elected, again and again
	demotion                  // a coordinator is told to step down
	rollback                  // a process comes back on an earlier state of its disk, and a peer remembers a later one
	copied                    // a second process runs on an earlier state of a disk, beside the first
	struck                    // what is above strikes by itself
)

// These come with the others.
const (
	torn     = struck + iota // a crash leaves a part of what was not synced
	unended                  // a crash comes while a sync runs
	changed                  // a change of the members is asked for
	newcomer                 // a member is started that was none
	left                     // a member that was removed is told, and ends
	rotten                   // a learned record rots: it is copied from a peer, and the member does not end
	rebirth                  // a replica that votes recovers as another life, since somebody knows one that it does not
	astray                   // a process whose disk is lost begins another log, alone
	faults
)

// String names the fault.
func (f fault) String() string {
	return [faults]string{"crash", "crash at write", "crash at send", "crash of all", "shutdown", "restart storm", "wipe", "corruption", "sync failure",
		"full disk", "slow disk", "isolation", "split", "one way", "bridge", "half cut off", "swizzle", "turn", "stall", "clock jump", "drift", "stranger",
		"duel", "demotion", "rolled back disk", "copied disk", "torn write", "crash in a sync", "change of members", "member joins", "member leaves", "rotten record", "rebirth",
		"another log"}[f]
}

// strike lets a fault happen, and plans the next one of its kind.
func (s *simulation) strike(f fault) {
	s.after(about(s.random, s.every[f]), func() { s.strike(f) })
	if s.now() < s.calmUntil {
		return
	}
	h := s.hosts[s.random.IntN(len(s.hosts))]
	if h.gone {
		return
	}
	switch f {
	case crash, crashAtWrite, crashAtSend, crashAll, shutdown, storm:
		s.crash(f, h)
	case wipe, corruption, syncFailure, fullDisk, slowDisk:
		s.ruin(f, h)
	case stall:
		s.faults[f]++
		s.stallFor(h, about(s.random, s.away))
	case clockJump, drift:
		s.faults[f]++
		s.bend(f, h)
	case stranger:
		s.faults[f]++
		s.stranger.speak()
	case demotion:
		if h.up && h.voting {
			s.faults[f]++
			h.Probe.Request(h.PID(member.Coordinator), coordinator.Demote{})
		}
	case rollback, copied:
		s.duplicate(f, h)
	case duel:
		s.faults[f]++
		s.duelUntil = s.now() + 500*time.Millisecond + about(s.random, s.away)
	default:
		s.faults[f]++
		s.cut(f, h)
	}
}

// crash ends processes, now or soon.
func (s *simulation) crash(f fault, h *host) {
	switch {
	case f == crashAll:
		s.faults[f]++
		for _, h := range s.hosts {
			s.end(h, "crash of all")
		}
	case f == storm:
		s.faults[f]++
		s.storm(s.now() + between(s.random, 5*time.Second, 15*time.Second))
	case !h.up || h.operations > 0 || h.sends > 0:
	case f == shutdown:
		s.faults[f]++
		s.shutDown(h)
	case f == crashAtWrite:
		s.faults[f]++
		h.operations = 1 + s.random.IntN(6)
	case f == crashAtSend:
		s.faults[f]++
		h.sends, h.unsent = 1+s.random.IntN(12), s.random.IntN(2) == 0
	default:
		s.faults[f]++
		s.end(h, "crash")
	}
}

// shutDown has a process end as its owner would have it: it hands over, most often; its actors stop, children first; and then
// it is gone.
func (s *simulation) shutDown(h *host) {
	life := h.life
	h.leaves = true
	still := func(do func()) func() {
		return func() {
			if h.up && h.life == life {
				do()
			}
		}
	}
	stop := still(func() {
		s.tell("member %d: shuts down", h.ID)
		h.Node.Root().Poison(h.Node.PID(kit.Name))
		s.after(between(s.random, 0, 50*time.Millisecond), still(func() { s.end(h, "end") }))
	})
	if s.random.IntN(4) == 0 {
		stop()
		return
	}
	s.tell("member %d: hands over", h.ID)
	h.Node.Root().Send(h.Node.PID(kit.Name), member.Leave{})
	s.after(between(s.random, 0, 800*time.Millisecond), stop)
}

// storm has every member end every one to ten seconds.
func (s *simulation) storm(until time.Duration) {
	for _, h := range s.hosts {
		var next func()
		next = func() {
			if s.now() < until {
				if s.now() >= s.calmUntil {
					s.end(h, "crash in a storm")
				}
				s.after(between(s.random, time.Second, 10*time.Second), next)
			}
		}
		s.after(between(s.random, 0, 5*time.Second), next)
	}
}

// fullest is how long a disk has no space at most: a log that is to begin needs all of its disks within the time of a run.
const fullest = 20 * time.Second

// ruin lets something happen to a disk.
func (s *simulation) ruin(f fault, h *host) {
	switch {
	case f == slowDisk:
		s.faults[f]++
		h.slow, h.slowUntil = between(s.random, 5*time.Millisecond, 2*time.Second), s.now()+about(s.random, 4*s.away)
		s.tell("member %d: a sync takes %v", h.ID, h.slow)
	case f == fullDisk && h.up && !h.doomed:
		s.faults[f]++
		h.full = s.now() + min(about(s.random, 2*s.away), fullest)
		s.tell("member %d: no space on its disk", h.ID)
		h.Store.FailNext(memory.Operation(s.random.IntN(2)), errFull)
	case f == fullDisk || !s.mayLose(h):
	case f == wipe && s.strays(h):
	case f == wipe:
		s.faults[f]++
		s.lose(h, "wipe")
	case f == corruption && s.random.IntN(2) == 0:
		s.rot(h)
	case h.up && !h.doomed && s.now() >= h.full:
		s.faults[f]++
		op := memory.Read
		if f == syncFailure {
			op = memory.Operation(s.random.IntN(2))
		}
		s.tell("member %d: the next %s of its disk will fail", h.ID, [...]string{memory.Change: "change", memory.Sync: "sync", memory.Read: "read"}[op])
		h.doomed = true
		h.Store.FailNext(op, errInjected)
	}
}

// rot damages a learned record. Half of them are found at once, as by a scrub.
func (s *simulation) rot(h *host) {
	settled := h.Store.Settled()
	if settled.Empty() {
		return
	}
	runs := settled.Runs()
	run := runs[s.random.IntN(len(runs))]
	at := run.First + log.Position(s.random.Uint64N(run.Len()))
	s.faults[rotten]++
	s.tell("member %d: its record at %d rots", h.ID, at)
	h.Store.Rot(at)
	if s.random.IntN(2) == 0 {
		h.scrub()
	}
}

// scrub finds what has rotten.
func (h *host) scrub() {
	for run := range h.Store.Rotten().All() {
		for p := run.First; p <= run.Last && h.up && !h.doomed; p++ {
			_, _, _ = h.disk.Get(p) // it is noted
		}
	}
}

// mend ends what is to come of the faults of a disk.
func (h *host) mend() {
	h.operations, h.sends, h.full, h.slowUntil = 0, 0, 0, 0
	for _, op := range []memory.Operation{memory.Change, memory.Sync, memory.Read} {
		h.Store.FailNext(op, nil)
	}
	h.doomed = h.doomed && h.disk.failed
}

// bend makes a clock wrong.
func (s *simulation) bend(f fault, h *host) {
	if f == clockJump {
		by := between(s.random, -time.Hour, time.Hour)
		s.tell("member %d: its clock is %v ahead", h.ID, by)
		h.Node.Skew(by)
		return
	}
	rate := s.random.Float64()/2 - 0.25
	s.tell("member %d: its clock drifts by %.2f", h.ID, rate)
	h.Node.Drift(rate)
}
