package actortest

import "time"

// Schedule is how a world chooses which of the actors that have something to do runs next: Uniform or Priorities.
type Schedule interface{ begin(w *World) chooser }

// chooser is a schedule at work.
type chooser interface {
	// next returns the place in World.ready, which is not empty, of who runs next; or -1 where time passes first, up to an
	// event that is due by until.
	next(w *World, until time.Duration) int
}

// Schedule sets how the world chooses who runs next, from now on. The default is Uniform.
func (w *World) Schedule(s Schedule) { w.chooser = s.begin(w) }

// Uniform gives every actor that has something to do the same chance.
type Uniform struct{}

func (u Uniform) begin(*World) chooser { return u }

func (Uniform) next(w *World, _ time.Duration) int { return w.chance.IntN(len(w.ready)) }

// Priorities gives each actor a priority by chance, and of those that have something to do always runs the one with the
// highest; but at Depth-1 steps, chosen by chance among the next Steps, the one that would run drops below all others.
// After Steps steps all of this is drawn again. Passing time takes part like an actor, within the bound of Starve.
//
// Where a bug needs Depth things to happen in a certain order, and k actors take n steps, n at most Steps, such a schedule
// meets it with a probability of at least 1/(k*n^(Depth-1)), while a uniform choice may need luck at every single step
// (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs,
// ASPLOS 2010). That holds for what happens at one instant; networks and timers add chance of their own.
type Priorities struct {
	// Depth is how many orders are to be met at a time; 3 finds most. Less than 1 is 1.
	Depth int
	// Steps is for how many steps one drawing lasts. 0 is 1,000.
	Steps int
	// Starve bounds the virtual time that passes while an actor has something to do; the actor then runs until it has
	// nothing. With 0 none passes, but for World.Lag.
	Starve time.Duration
}

// begin draws for the first time.
func (p Priorities) begin(w *World) chooser {
	p.Depth = max(p.Depth, 1)
	if p.Steps <= 0 {
		p.Steps = usualSteps
	}
	r := &ranks{Priorities: p}
	r.draw(w)
	return r
}

// fair is after how many steps at one instant the choice is uniform, so that two actors who wait for a third, and talk
// meanwhile, do not talk for ever.
const fair = 1000

// usualSteps is what Steps is where nothing is said.
const usualSteps = 1000

// ranks are priorities that were drawn.
type ranks struct {
	Priorities
	drawing uint64       // a mailbox that carries another number has no rank yet
	step    int          // within the drawing
	drops   map[int]rank // at which step the one that would run drops, and to where
	time    rank         // of passing time
}

// rank is a priority. Those that were dropped are below Depth.
type rank uint64

// draw begins a drawing.
func (r *ranks) draw(w *World) {
	w.drawings++
	r.drawing, r.step = w.drawings, 0
	r.drops = make(map[int]rank, r.Depth)
	for i := range r.Depth - 1 {
		r.drops[w.chance.IntN(r.Steps)] = rank(r.Depth - 1 - i)
	}
	r.time = r.any(w)
}

// any draws a priority above those that were dropped.
func (r *ranks) any(w *World) rank { return rank(r.Depth) + rank(w.chance.Uint64N(1<<62)) }

func (r *ranks) next(w *World, until time.Duration) int {
	if w.moment > fair {
		return Uniform{}.next(w, until)
	}
	if r.step == r.Steps {
		r.draw(w)
	}
	best := r.highest(w, until)
	if lowest, drops := r.drops[r.step]; drops {
		if best < 0 {
			r.time = lowest
		} else {
			w.ready[best].rank = lowest
		}
		best = r.highest(w, until)
	}
	r.step++
	return best
}

// highest returns the place of the actor with the highest priority in World.ready, or -1 where that of time is higher.
func (r *ranks) highest(w *World, until time.Duration) int {
	best, patient := 0, until
	for i, m := range w.ready {
		if m.drawing != r.drawing {
			m.drawing, m.rank = r.drawing, r.any(w)
		}
		if m.rank > w.ready[best].rank {
			best = i
		}
		patient = min(patient, m.since+r.Starve)
	}
	if r.time > w.ready[best].rank && r.Starve > 0 && w.events.due(patient) {
		return -1
	}
	return best
}
