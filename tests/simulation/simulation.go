package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// Bounds of phase 2, in virtual time.
const (
	untilVoting   = 15 * time.Second // from the end of the faults until every member votes
	untilAppended = 10 * time.Second // from then until an append succeeds
	untilAnswered = 10 * time.Second // from then until every call has ended
	untilEqual    = 10 * time.Second // from then until all have learned the same
)

// few is how many chosen positions are too few for a run to say anything.
const few = 20

// Report is what a run was.
type Report struct {
	Hash     uint64        // of all that happened
	Virtual  time.Duration // that passed
	Chosen   int           // positions
	Faults   [faults]int   // that struck, by their kind
	Late     int           // messages that were late
	Lost     int           // messages that were lost because of their kind
	Stranded int           // writes that reached some replicas only
	Lives    int           // starts of processes
	Outcomes [indeterminate + 1]int
	Slowest  [4]time.Duration // the parts of phase 2: until voting, appended, answered, equal
	Broken   bool
}

// host returns the member at an address; nil if it is a client's.
func (s *simulation) host(address string) *host {
	for _, h := range s.hosts {
		if h.Node.Address() == address {
			return h
		}
	}
	return nil
}

// simulation is one run.
type simulation struct {
	Options
	profile
	t       testing.TB
	random  *rand.Rand
	cluster *kit.Cluster
	hosts   []*host
	clients []*client
	truth   *truth
	history *history
	wire    *wire
	agenda  agenda

	stalled  map[string]bool // by address
	dying    []*host
	everLost []bool // the disk was lost before all members voted for the first time
	allVoted bool
	healed   bool // phase 2 has begun
	faults   [faults]int
	slowest  [4]time.Duration
	story    []string
	broken   string // what was violated first
}

// Options are what a run does not draw from its seed.
type Options struct {
	Seed uint64
	// Sabotage, if not nil, puts something faulty between the member and its disk, to see whether the simulation notices.
	Sabotage func(storage.Store) storage.Store
}

// Run runs one seed, and fails the test where anything is violated.
func Run(t testing.TB, o Options) Report {
	t.Helper()
	s := run(t, o)
	if !s.ok() {
		t.Errorf("seed %d, after %v of virtual time: %s\n%s", o.Seed, s.now(), s.broken, s.retell())
	}
	return s.report()
}

func run(t testing.TB, o Options) *simulation {
	t.Helper()
	s := prepare(t, o)
	for f, every := range s.every {
		if every > 0 {
			s.after(about(s.random, every), func() { s.strike(fault(f)) })
		}
	}
	s.runFor(s.length)
	s.calm() // where the faults met next to nothing
	s.recover()
	if s.ok() {
		s.checkAll()
	}
	return s
}

// calm goes on with fewer faults until enough is chosen.
func (s *simulation) calm() {
	const fewer, longer = 4, 3
	for f := range s.every {
		s.every[f] *= fewer
	}
	s.runUntil(longer*s.length, func() bool { return s.truth.positions >= few })
}

func prepare(t testing.TB, o Options) *simulation {
	t.Helper()
	seed := o.Seed
	s := &simulation{Options: o, t: t, random: rand.New(rand.NewPCG(seed, 3)), stalled: map[string]bool{}}
	s.profile = draw(s.random)
	if s.auto {
		s.cluster = kit.New(t, seed, s.members, true)
	} else {
		s.cluster = kit.Initialized(t, seed, s.members)
	}
	s.truth = newTruth(s.members)
	s.history = newHistory(s.truth)
	s.truth.violate, s.history.violate, s.truth.onChosen = s.violate, s.violate, s.history.chosen
	s.wire = &wire{simulation: s, asked: map[uint64]asked{}, stranded: map[uint64]bool{}}
	s.cluster.World.Filter(s.wire.judge)
	s.everLost = make([]bool, s.members)
	for i, m := range s.cluster.Members {
		s.hosts = append(s.hosts, &host{Member: m})
		m.Node.Skew(s.skews[i])
	}
	for _, l := range s.links {
		s.cluster.World.Net.Link(s.hosts[l.from].Node.Address(), s.hosts[l.to].Node.Address(), l.Quality)
	}
	for _, h := range s.hosts {
		s.start(h)
	}
	for i, habits := range s.profile.clients {
		s.spawn(i+1, habits)
	}
	return s
}

// spawn starts a client on a node of its own.
func (s *simulation) spawn(id int, h habits) *client {
	c := &client{
		habits: h, id: id, node: s.cluster.World.Node(fmt.Sprintf("client%d:1", id)), random: rand.New(rand.NewPCG(s.Seed, uint64(100+id))),
		members: s.members, history: s.history, tell: s.tell, now: s.now, waiting: map[uint64]*call{},
	}
	c.node.Spawn("client", actor.PropsFromProducer(func() actor.Actor { return c }))
	s.clients = append(s.clients, c)
	return c
}

func (s *simulation) now() time.Duration { return s.cluster.World.Elapsed() }

func (s *simulation) ok() bool { return s.broken == "" && s.cluster.World.Err() == nil }

// after plans something of the simulation's own.
func (s *simulation) after(d time.Duration, do func()) { s.agenda.add(s.now()+d, do) }

func (s *simulation) runFor(d time.Duration) {
	end := s.now() + d
	s.runUntil(d, func() bool { return s.now() >= end })
}

// runUntil takes steps until it is done, for at most d of virtual time, and says whether it is.
func (s *simulation) runUntil(d time.Duration, done func() bool) bool {
	end := s.now() + d
	for s.ok() && s.now() < end && !done() {
		if do, due := s.agenda.take(s.now()); due {
			do()
			continue
		}
		if !s.cluster.World.Step() {
			s.cluster.World.Run(time.Millisecond)
		}
		s.look()
	}
	return s.ok() && done()
}

// violate ends the run.
func (s *simulation) violate(format string, args ...any) {
	if s.broken == "" {
		s.broken = fmt.Sprintf(format, args...)
	}
}

// tell adds a line to the story of the run.
func (s *simulation) tell(format string, args ...any) {
	s.story = append(s.story, fmt.Sprintf("%12v  ", s.now())+fmt.Sprintf(format, args...))
}

// retell is the end of the story.
func (s *simulation) retell() string {
	const most = 60
	return strings.Join(s.story[len(s.story)-min(len(s.story), most):], "\n")
}

func (s *simulation) report() Report {
	r := Report{
		Hash: s.cluster.World.Hash(), Virtual: s.now(), Chosen: s.truth.positions, Faults: s.faults, Late: s.wire.held, Lost: s.wire.lost, Stranded: s.wire.strands,
		Slowest: s.slowest, Broken: !s.ok(),
	}
	for _, h := range s.hosts {
		r.Lives += h.life
	}
	for _, o := range s.history.operations {
		r.Outcomes[o.outcome]++
	}
	return r
}
