package simulation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

// profile is what one run has.
type profile struct {
	story   story
	size    int           // members at first
	auto    bool          // the members initialize the log themselves
	elects  bool          // the members elect a writer themselves
	length  time.Duration // of phase 1
	every   [struck]time.Duration
	down    time.Duration  // mean time until a crashed process is started again
	away    time.Duration  // mean time until a cut link is whole again
	late    float64        // probability that a message between members is late
	slow    [kinds]float64 // the same for those of one kind
	mute    [kinds]float64 // probability that one of a kind is lost
	strand  float64        // probability that a write reaches some replicas only, and its writer loses touch with the others
	relapse float64        // probability that a process ends while its replica recovers
	double  float64        // probability that a replica that recovers is heard by some only, and loses its disk again
	changes time.Duration  // mean time between two changes of the members; 0 for none
	limit   int64          // of what catch-ups copy, in bytes a second; 0 for none
	depth   int            // of the priorities by which the actors are chosen; 0 for a uniform choice
	links   []link
	skews   []time.Duration // of the members' clocks
	clients []habits
	apps    appHabits
}

// link is how messages go from one member to another.
type link struct {
	from, to int
	actortest.Quality
}

// draw draws a profile, about something or about what the draw says. It has some kinds of faults, seldom many: a run that has all of them is busy with nothing else.
func draw(r *rand.Rand, about string) profile {
	p := profile{
		size: 3, auto: r.IntN(2) == 0, length: time.Duration(10+r.IntN(15)) * time.Second,
		down: between(r, 100*time.Millisecond, 3*time.Second), away: between(r, 300*time.Millisecond, 4*time.Second),
	}
	if r.IntN(4) == 0 {
		p.size = 5
	}
	for _, f := range r.Perm(int(struck))[:1+r.IntN(8)] {
		p.every[f] = between(r, 800*time.Millisecond, 8*time.Second)
	}
	if r.IntN(2) == 0 {
		p.late = r.Float64() * 0.05
	}
	for k := range kinds {
		p.slow[k], p.mute[k] = seldom(r, 0.3), seldom(r, 0.4)
	}
	p.strand, p.relapse = sometimes(r, 0.1), seldom(r, 0.5)
	if r.IntN(3) == 0 {
		p.depth = 2 + r.IntN(4)
	}
	p.drawLinks(r)
	for range p.size {
		p.skews = append(p.skews, time.Duration(r.NormFloat64()*float64(time.Minute)))
	}
	for range 2 + r.IntN(4) {
		p.clients = append(p.clients, drawHabits(r))
	}
	p.focus(r, about)
	if r.IntN(4) == 0 {
		p.limit = 1 << (8 + r.IntN(7))
	}
	p.elects = r.IntN(4) > 0
	p.move(r, about)
	return p
}

// words tells to people what a run has.
func (p profile) words() string {
	var text strings.Builder
	fmt.Fprintf(&text, "a run about %v: %d members, %d clients, %v of faults; the members initialize the log themselves: %t; they elect themselves: %t\n", p.story, p.size,
		len(p.clients), p.length, p.auto, p.elects)
	var every []string
	for f, d := range p.every {
		if d > 0 {
			every = append(every, fmt.Sprintf("%v every %v", fault(f), d.Round(time.Millisecond)))
		}
	}
	fmt.Fprintf(&text, "faults, with their mean times: %s; down for %v, cut off for %v; copies at most %d bytes a second (0: without a limit)\n", strings.Join(every, ", "), p.down.Round(time.Millisecond),
		p.away.Round(time.Millisecond), p.limit)
	fmt.Fprintf(&text, "messages between members: %.1f%% late", 100*p.late)
	for k := range kinds {
		if p.slow[k] > 0 || p.mute[k] > 0 {
			fmt.Fprintf(&text, "; of %v %.1f%% late, %.1f%% lost", k, 100*max(p.late, p.slow[k]), 100*p.mute[k])
		}
	}
	fmt.Fprintf(&text, "\nwrites that reach some only %.1f%%, recoveries that a crash ends %.1f%%, doubled losses of a disk %.1f%%; actors are chosen %s",
		100*p.strand, 100*p.relapse, 100*p.double, p.order())
	return text.String()
}

func (p profile) order() string {
	if p.depth == 0 {
		return "uniformly"
	}
	return fmt.Sprintf("by priorities, to depth %d", p.depth)
}

// drawLinks makes some links slow, and all of them about as bad as each other.
func (p *profile) drawLinks(r *rand.Rand) {
	all := actortest.Quality{Drop: sometimes(r, 0.2), Duplicate: sometimes(r, 0.3), Reorder: r.IntN(2) == 0}
	tail, longest := seldom(r, 0.05), time.Minute
	if !all.Reorder { // what is behind a late message waits for it
		tail, longest = tail/20, 5*time.Second
	}
	for from := range p.size {
		for to := range p.size {
			q := all
			q.Min, q.Max = 100*time.Microsecond, 3*time.Millisecond
			switch r.IntN(6) {
			case 0:
				q.Max = between(r, 5*time.Millisecond, 50*time.Millisecond)
			case 1:
				q.Min, q.Max = 20*time.Millisecond, between(r, 30*time.Millisecond, 400*time.Millisecond)
			case 2:
				q.Tail, q.Longest = tail, longest
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
