package simulation

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

// fault is a kind of fault that strikes now and then.
type fault uint8

const (
	crash        fault = iota // a process ends; what was not synced is lost, or all but the oldest of it
	crashAtWrite              // the same, right behind a change or a sync of the disk
	crashAll                  // the same, of all processes at once
	wipe                      // a process ends, and its disk is empty when it comes back
	diskFailure               // a change, a sync or a read of the disk fails: the member ends, and comes back without its disk
	isolation                 // a member hears nobody, and nobody hears it, clients included
	split                     // the members are in two groups
	oneWay                    // some links are cut, in one direction
	bridge                    // two members do not hear each other
	stall                     // what a member sends and what it gets is late, all of it
	faults
)

// String names the fault.
func (f fault) String() string {
	return [faults]string{"crash", "crash at write", "crash of all", "wipe", "disk failure", "isolation", "split", "one way",
		"bridge", "stall"}[f]
}

// profile is what one run has.
type profile struct {
	members int
	auto    bool          // the members initialize the log themselves
	length  time.Duration // of phase 1
	every   [faults]time.Duration
	down    time.Duration  // mean time until a crashed process is started again
	away    time.Duration  // mean time until a cut link is whole again
	late    float64        // probability that a message between members is late
	slow    [kinds]float64 // the same for those of one kind
	mute    [kinds]float64 // probability that one of a kind is lost
	strand  float64        // probability that a write reaches some replicas only, and its writer loses touch with the others
	links   []link
	skews   []time.Duration // of the members' clocks
	clients []habits
}

// link is how messages go from one member to another.
type link struct {
	from, to int
	actortest.Quality
}

func draw(r *rand.Rand) profile {
	p := profile{
		members: 3, auto: r.IntN(2) == 0, length: time.Duration(10+r.IntN(20)) * time.Second,
		down: between(r, 100*time.Millisecond, 3*time.Second), away: between(r, 300*time.Millisecond, 4*time.Second),
	}
	if r.IntN(4) == 0 {
		p.members = 5
	}
	for f := range faults {
		if r.IntN(2) == 0 {
			p.every[f] = between(r, 800*time.Millisecond, 10*time.Second)
		}
	}
	if r.IntN(2) == 0 {
		p.late = r.Float64() * 0.05
	}
	for k := range kinds {
		p.slow[k], p.mute[k] = seldom(r, 0.3), seldom(r, 0.4)
	}
	p.strand = sometimes(r, 0.1)
	p.drawLinks(r)
	for range p.members {
		p.skews = append(p.skews, time.Duration(r.NormFloat64()*float64(time.Minute)))
	}
	for range 1 + r.IntN(3) {
		p.clients = append(p.clients, drawHabits(r))
	}
	if r.IntN(3) == 0 {
		p.focus(r)
	}
	return p
}

// focus leaves few faults, and makes them frequent: disks are lost and come back at once, while two members that do not hear
// each other take turns as writers, and what they sent long ago arrives. This is how votes of lost disks would be counted,
// and how promises would be lost with a disk (holes S2 and S3).
func (p *profile) focus(r *rand.Rand) {
	p.every, p.mute, p.late = [faults]time.Duration{}, [kinds]float64{}, 0
	p.every[wipe], p.down = between(r, 300*time.Millisecond, 1500*time.Millisecond), between(r, 5*time.Millisecond, 100*time.Millisecond)
	p.every[bridge], p.away = between(r, 300*time.Millisecond, 2*time.Second), between(r, time.Second, 4*time.Second)
	p.slow[write], p.slow[accepted], p.slow[promised] = sometimes(r, 0.5), sometimes(r, 0.5), sometimes(r, 0.5)
	p.strand = sometimes(r, 0.2)
	for i := range p.links {
		p.links[i].Drop = 0
	}
	p.clients = nil
	for range 3 {
		h := drawHabits(r)
		h.think, h.elect, h.window = between(r, 30*time.Millisecond, 500*time.Millisecond), 0.05+sometimes(r, 0.2), 1+r.IntN(2)
		p.clients = append(p.clients, h)
	}
}

// drawLinks makes some links slow, and all of them about as bad as each other.
func (p *profile) drawLinks(r *rand.Rand) {
	drop, duplicate, reorder := sometimes(r, 0.2), sometimes(r, 0.3), r.IntN(2) == 0
	for from := range p.members {
		for to := range p.members {
			q := actortest.Quality{Min: 100 * time.Microsecond, Max: 3 * time.Millisecond, Drop: drop, Duplicate: duplicate, Reorder: reorder}
			switch r.IntN(6) {
			case 0:
				q.Max = between(r, 5*time.Millisecond, 50*time.Millisecond)
			case 1:
				q.Min, q.Max = 20*time.Millisecond, between(r, 30*time.Millisecond, 400*time.Millisecond)
			}
			p.links = append(p.links, link{from, to, q})
		}
	}
}

func drawHabits(r *rand.Rand) habits {
	return habits{
		fenced: r.IntN(2) == 0, stubborn: r.Float64() / 2, batch: 1 + r.IntN(6), large: r.IntN(16) == 0, window: 1 + r.IntN(4),
		think: between(r, 10*time.Millisecond, 200*time.Millisecond), patience: between(r, 500*time.Millisecond, 8*time.Second),
		truncate: sometimes(r, 0.1), elect: sometimes(r, 0.1), look: 0.1,
	}
}

// sometimes returns 0, or a probability below most.
func sometimes(r *rand.Rand, most float64) float64 {
	if r.IntN(2) == 0 {
		return 0
	}
	return r.Float64() * most
}

// seldom is sometimes, less often.
func seldom(r *rand.Rand, most float64) float64 {
	if r.IntN(3) > 0 {
		return 0
	}
	return sometimes(r, most)
}

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)))
}

// about returns a duration around a mean, seldom a much longer one.
func about(r *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(r.ExpFloat64() * float64(mean))
}

// heavy returns a duration from a millisecond to half a minute, of every order alike.
func heavy(r *rand.Rand) time.Duration {
	const low, high = float64(time.Millisecond), float64(30 * time.Second)
	return time.Duration(low * math.Pow(high/low, r.Float64()))
}
