package simulation

import (
	"math/rand/v2"
	"slices"
	"time"
)

// story is what a run is about. Most are about everything. The others have few faults, and those often, in the order in
// which a certain mistake would show; a mistake that needs five things to happen in turn is not met by drawing at large.
type story uint8

const (
	anything   story = iota
	lostVotes        // disks are lost and come back at once, while two writers take turns and old answers arrive (S2, S3)
	churn            // the same with five members, of which two lose their disks close together: who was told of the first is lost, too
	turns            // in turn every member is cut off, few notices arrive, and writes reach some only: a quorum finds two values
	relapses         // members recover, crash while they do, and recover again from whom they can reach
	lateCopies       // values are copied long after they were chosen, and writes of fenced writers arrive even later
	crowds           // anything, with so many appends on their way that a writer's pipeline is full
	actors           // actors whose state is in the log, in several processes that crash and are cut off, are activated here and there at once
	moves            // members come and go, while what holds a quorum of before, or of after, crashes, is cut off or wiped
	lostQuorum       // at the end a quorum of the disks is lost, and then the rest: no log may begin anew (S6)
	stories
)

// String names the story.
func (s story) String() string {
	return [stories]string{"anything", "lost votes", "churn", "turns", "relapses", "late copies", "crowds", "actors", "moves", "lost quorum"}[s]
}

// focus draws the story, and leaves what it needs.
func (p *profile) focus(r *rand.Rand, about string) {
	const of = 20
	told := [...]story{lostVotes, lostVotes, lostVotes, churn, churn, turns, turns, relapses, lateCopies, lostQuorum}
	if dice := r.IntN(of); dice < len(told) {
		p.story = told[dice]
	} else if dice == of-1 && r.IntN(2) == 0 {
		p.story = crowds
	} else if dice == of-3 {
		p.story = actors
	}
	for s := range stories {
		if s.String() == about {
			p.story = s
		}
	}
	switch p.story {
	case anything, lostQuorum: // whatever came before
		return
	case crowds:
		p.crowd(r)
		return
	case actors:
		p.actorful(r)
		return
	case moves: // see move
	case lostVotes, churn, turns, relapses, lateCopies, stories:
	}
	p.every, p.mute, p.slow, p.late, p.relapse = [struck]time.Duration{}, [kinds]float64{}, [kinds]float64{}, 0, 0
	for i := range p.links {
		p.links[i].Drop = 0
	}
	p.clients = nil
	for range 3 {
		h := drawHabits(r)
		h.think, h.elect, h.window = between(r, 30*time.Millisecond, 300*time.Millisecond), 0.05+sometimes(r, 0.2), 1+r.IntN(2)
		p.clients = append(p.clients, h)
	}
	p.tell(r)
}

func (p *profile) tell(r *rand.Rand) {
	switch p.story {
	case lostVotes:
		p.every[wipe], p.down = between(r, 300*time.Millisecond, 1500*time.Millisecond), between(r, 5*time.Millisecond, 100*time.Millisecond)
		p.every[bridge], p.away = between(r, 300*time.Millisecond, 2*time.Second), between(r, time.Second, 4*time.Second)
		p.slow[write], p.slow[accepted], p.slow[promised] = sometimes(r, 0.5), sometimes(r, 0.5), sometimes(r, 0.5)
		p.strand, p.slow[recovers] = sometimes(r, 0.2), sometimes(r, 0.3)
	case churn:
		p.resize(5, r)
		p.every[wipe], p.down = between(r, 200*time.Millisecond, time.Second), between(r, 5*time.Millisecond, 100*time.Millisecond)
		p.every[bridge], p.every[split] = between(r, 300*time.Millisecond, 2*time.Second), between(r, time.Second, 4*time.Second)
		p.away = between(r, 300*time.Millisecond, 2*time.Second)
		p.slow[write], p.slow[accepted], p.slow[promised] = r.Float64()/2, r.Float64()/2, sometimes(r, 0.5)
		p.double, p.slow[recovers] = 0.05+r.Float64()*0.3, sometimes(r, 0.3)
	case turns:
		p.every[turn], p.every[crash] = between(r, 200*time.Millisecond, time.Second), between(r, time.Second, 4*time.Second)
		p.down = between(r, 50*time.Millisecond, 500*time.Millisecond)
		p.mute[notice], p.mute[copies], p.strand = 0.5+r.Float64()/2, r.Float64()*0.7, 0.05+r.Float64()*0.2
		p.mute[write], p.mute[accepted] = sometimes(r, 0.5), sometimes(r, 0.5)
		for i := range p.clients {
			p.clients[i].elect, p.clients[i].truncate = 0.2+r.Float64()*0.3, 0
		}
	case relapses:
		p.every[wipe], p.relapse = between(r, 500*time.Millisecond, 2*time.Second), 0.5+r.Float64()/2
		p.down = between(r, 5*time.Millisecond, 200*time.Millisecond)
		p.every[bridge], p.every[oneWay] = between(r, 500*time.Millisecond, 2*time.Second), between(r, 500*time.Millisecond, 2*time.Second)
		p.away, p.mute[copies], p.strand = between(r, 300*time.Millisecond, 2*time.Second), sometimes(r, 0.5), sometimes(r, 0.1)
	case lateCopies:
		p.every[isolation], p.away = between(r, 300*time.Millisecond, time.Second), between(r, 300*time.Millisecond, 2*time.Second)
		p.slow[write], p.mute[notice], p.mute[write] = 0.3+r.Float64()/2, 0.5+r.Float64()/2, sometimes(r, 0.3)
		p.strand = 0.05 + r.Float64()*0.2
	case anything, crowds, actors, moves, lostQuorum, stories:
	}
}

// crowd gives each client many calls at one time, and fewer seconds for them: it is calls that take the time of a run.
func (p *profile) crowd(r *rand.Rand) {
	p.length, p.down = between(r, 5*time.Second, 8*time.Second), between(r, 100*time.Millisecond, 500*time.Millisecond)
	for f := range p.every {
		p.every[f] /= 2
	}
	for i := range p.clients {
		h := &p.clients[i]
		h.window, h.think = 8+r.IntN(57), between(r, 3*time.Millisecond, 30*time.Millisecond)
		h.truncate, h.elect, h.look = min(h.truncate, 0.01), min(h.elect, 0.002), min(h.look, 0.02)
	}
}

// resize draws the links of a cluster of another size.
func (p *profile) resize(size int, r *rand.Rand) {
	p.size, p.links = size, nil
	p.drawLinks(r)
	for i := range p.links {
		p.links[i].Drop = 0
	}
	for len(p.skews) < size {
		p.skews = append(p.skews, 0)
	}
}

// loseAll loses a quorum of the disks at once, and then perhaps the others one by one. What is left must stay as it is.
func (s *simulation) loseAll() {
	s.tell("all faults end, and then a quorum of the disks is lost")
	s.heal()
	s.demand(0, untilVoting, "every member votes", s.everybodyCounts)
	s.runFor(time.Second) // so that all know each other
	if !s.ok() {
		return
	}
	order := s.random.Perm(len(s.hosts))
	s.hopeless = true
	for _, i := range order[:s.truth.quorum] {
		s.lose(s.hosts[i], "wipe of a quorum")
	}
	s.settle()
	if s.random.IntN(2) == 0 {
		for _, i := range order[s.truth.quorum:] {
			s.lose(s.hosts[i], "wipe of the rest")
			s.settle()
		}
	}
	s.runFor(10 * time.Second)
}

// settle waits until every process runs and has heard of all the others: a log begins anew where nobody is left who
// remembers the old one.
func (s *simulation) settle() {
	s.runUntil(time.Minute, func() bool {
		return !slices.ContainsFunc(s.hosts, func(h *host) bool { return !h.up })
	})
	s.runFor(3 * time.Second)
}

// move has the members changed: in some of the runs that are about anything, with the faults that these have, and in those
// that are about this, with the few that matter.
func (p *profile) move(r *rand.Rand, about string) {
	switch {
	case p.story == anything && about == "" && r.IntN(4) == 0:
		p.story = moves
		p.every = [struck]time.Duration{}
		p.mute, p.slow, p.late = [kinds]float64{}, [kinds]float64{}, 0
	case p.story != moves:
		return
	}
	p.changes, p.limit = between(r, 200*time.Millisecond, 1500*time.Millisecond), 0
	p.down, p.away = between(r, 20*time.Millisecond, time.Second), between(r, 200*time.Millisecond, 2*time.Second)
	for _, f := range r.Perm(len(moving))[:1+r.IntN(4)] {
		p.every[moving[f]] = between(r, 400*time.Millisecond, 4*time.Second)
	}
	p.slow[write], p.slow[accepted], p.slow[promised] = sometimes(r, 0.3), sometimes(r, 0.3), sometimes(r, 0.3)
	p.mute[notice], p.slow[recovers], p.slow[other] = sometimes(r, 0.7), sometimes(r, 0.3), sometimes(r, 0.3)
	p.strand = sometimes(r, 0.1)
}

// moving are the faults of runs about changes of the members.
var moving = [...]fault{crash, crashAtWrite, crashAtSend, wipe, isolation, split, bridge, oneWay, turn, duel, demotion, slowDisk}
