package actortest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Livelock is how many steps may happen at one instant of virtual time before the world fails.
const Livelock = 200_000

// World holds nodes, the network between them, and virtual time. It is for one goroutine; other worlds may run in others.
type World struct {
	// Net is the network between the nodes.
	Net *Network

	t      testing.TB // nil outside of tests
	seed   uint64
	chance *rand.Rand // chooses who runs next

	now     time.Duration // since the world began
	events  events
	ready   []*mailbox // who has something to do
	acting  *life      // whose code is running; nil for the test's
	running bool       // a step is under way
	moment  int        // steps since time moved

	chooser  chooser
	drawings uint64 // of priorities
	lagging  float64
	farthest time.Duration

	nodes   []*Node // in the order of their making
	mold    *mold   // nil until the first node starts
	filter  func(Envelope) Verdict
	held    []*letter
	forgive func(Panic) bool

	trace  trace
	err    error
	told   bool // the test was told of err
	closed bool
}

// New returns a world for a test. A failing test prints the seed and the last steps; the world is closed when the test
// ends. A panic of an actor ends the test.
func New(t testing.TB, seed uint64) *World {
	t.Helper()
	w := NewWorld(seed)
	w.t = t
	t.Cleanup(func() {
		w.Close()
		if w.err != nil && !w.told {
			t.Errorf("%v", w.err)
		}
		if t.Failed() {
			t.Logf("seed %d, %v of virtual time; the last steps:\n%s", w.seed, w.now, w.Tail())
		}
	})
	return w
}

// NewWorld returns a world for programs that are no tests. Look at Err after running it, and close it.
func NewWorld(seed uint64) *World {
	w := &World{
		seed: seed, chance: rand.New(rand.NewPCG(seed, 1)),
		chooser: Uniform{}, lagging: 1.0 / 16, farthest: time.Millisecond,
	}
	w.Net = newNetwork(w)
	return w
}

// Close ends every node. No goroutine is left. It may be called more than once.
func (w *World) Close() {
	if w.closed {
		return
	}
	w.closed = true
	for _, n := range w.nodes {
		n.end()
	}
	w.giveBack()
}

// Seed is what the world was made from.
func (w *World) Seed() uint64 { return w.seed }

// Elapsed is the virtual time since the world began.
func (w *World) Elapsed() time.Duration { return w.now }

// Err says why the world failed: an actor panicked, a message between nodes was no protobuf, or it ran in circles. It is
// nil while all is well. A world that failed takes no more steps.
func (w *World) Err() error { return w.err }

// Lag lets time pass although actors have work: before a step, with probability p, the next timer or arrival comes
// first if it is at most farthest away. The default is 1/16 and 1 ms; Lag(0, 0) turns it off.
func (w *World) Lag(p float64, farthest time.Duration) { w.lagging, w.farthest = p, farthest }

// Forgive lets actors panic where expected says so: such a panic goes to the supervisor only. nil, the default, allows
// none.
func (w *World) Forgive(expected func(Panic) bool) { w.forgive = expected }

// Timers counts the pending timers of all nodes. Cancelled ones do not count.
func (w *World) Timers() int {
	sum := 0
	for _, n := range w.nodes {
		sum += n.Timers()
	}
	return sum
}

// Idle is true when no actor has anything to do and no message is on its way. Timers may be pending, messages held.
func (w *World) Idle() bool { return len(w.ready) == 0 && w.Net.flying == 0 }

// Step lets one actor handle one message, or moves time to the next timer or arrival. It returns false when there was
// nothing to do, or when the world failed.
func (w *World) Step() bool { return w.step(1<<63 - 1) }

// Run lets d of virtual time pass. All that is due by then is done when it returns.
func (w *World) Run(d time.Duration) {
	until := w.now + d
	for w.step(until) {
	}
	if w.err == nil {
		w.now, w.moment = until, 0
	}
}

// Until takes steps until done says true, for at most d of virtual time. It asks before the first step and after each.
// The error says that time is over, with the seed and the last steps, or why the world failed.
func (w *World) Until(d time.Duration, done func() bool) error {
	until := w.now + d
	for !done() {
		if w.step(until) {
			continue
		}
		if w.err != nil {
			return w.err
		}
		w.now, w.moment = until, 0
		return fmt.Errorf("did not happen within %v (seed %d); the last steps:\n%s", d, w.seed, w.Tail())
	}
	return w.err
}

// Must is Until for tests: it ends the test where what did not happen within d.
func (w *World) Must(t testing.TB, d time.Duration, what string, done func() bool) {
	t.Helper()
	if err := w.Until(d, done); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// step takes one step that is due at the latest at until.
func (w *World) step(until time.Duration) bool {
	if w.err != nil || w.closed {
		return false
	}
	m := w.next(until)
	if m == nil && !w.events.due(until) {
		return false
	}
	w.running = true
	if m != nil {
		m.step()
	} else {
		w.fire()
	}
	w.running = false
	if w.moment++; w.moment > Livelock {
		w.fail(fmt.Errorf("%d steps and no end at one instant", Livelock))
	}
	w.report()
	return w.err == nil
}

// lags tells whether the next event comes before the actors that have work.
func (w *World) lags(until time.Duration) bool {
	return w.lagging > 0 && w.events.due(min(until, w.now+w.farthest)) && w.chance.Float64() < w.lagging
}

// next takes one of the mailboxes that have work; nil where there is none, or where time passes first.
func (w *World) next(until time.Duration) *mailbox {
	if len(w.ready) == 0 || w.lags(until) {
		return nil
	}
	i, last := w.chooser.next(w, until), len(w.ready)-1
	if i < 0 {
		return nil
	}
	m := w.ready[i]
	w.ready[i], w.ready[last] = w.ready[last], nil
	w.ready = w.ready[:last]
	return m
}

// fire moves time to the next event and lets it happen.
func (w *World) fire() {
	e := w.events.pop()
	if e.at > w.now {
		w.now, w.moment = e.at, 0
	}
	w.as(e.life, e.happen)
}

// as runs f as code of one life of a node.
func (w *World) as(l *life, f func()) {
	before := w.acting
	w.acting = l
	defer func() { w.acting = before }()
	f()
}

// fail records the first failure. Inside of a step the test is told after it, so that no actor is torn apart.
func (w *World) fail(err error) {
	if w.err == nil {
		w.err = fmt.Errorf("seed %d, after %v: %w", w.seed, w.now, err)
	}
	w.report()
}

func (w *World) report() {
	if w.err == nil || w.told || w.running || w.t == nil || w.closed {
		return
	}
	w.told = true
	w.t.Helper()
	w.t.Fatalf("%v", w.err)
}

// errDown is what happens to those who use a node that crashed.
var errDown = errors.New("the node is down")
