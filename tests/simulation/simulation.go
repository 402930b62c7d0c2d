package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// Bounds of phase 2, in virtual time.
const (
	untilVoting   = 15 * time.Second // from the end of the faults until every member votes
	untilElected  = 2 * time.Second  // from then until a member is elected, though no client asks
	untilAppended = 10 * time.Second // from then until an append succeeds
	untilAnswered = 10 * time.Second // from then until every call has ended
	untilEqual    = 10 * time.Second // from then until all have learned the same
)

// few is how many chosen positions are too few for a run to say anything.
const few = 50

// simulation is one run.
type simulation struct {
	Options
	profile
	t       testing.TB
	random  *rand.Rand
	cluster *kit.Cluster
	hosts   []*host
	clients []*client
	apps    []*app
	ledger  *ledger
	truth   *truth
	history *history
	wire    *wire
	agenda  agenda

	stranger  *outsider
	addresses map[string]*host
	stalled   map[string]bool // by address
	dying     []*host         // died in the step that is under way
	everLost  []bool          // the disk was lost before all members voted for the first time
	allVoted  bool
	healed    bool // phase 2 has begun
	hopeless  bool // a quorum of the disks is lost
	stuck     bool // some disks are lost, some votes are in doubt, and what is left is no quorum
	duelUntil time.Duration
	calmUntil time.Duration // no fault strikes
	twin      *twin         // nil for none
	other     *rand.Rand    // for processes that begin another log
	faults    [faults]int
	peaks     peaks
	measured  time.Duration // when the peaks were looked at last
	slowest   [5]time.Duration
	tale      []string
	broken    string // what was violated first
}

// Options are what a run does not draw from its seed.
type Options struct {
	Seed uint64
	// Sabotage, if not nil, puts something faulty between the member and its disk, to see whether the simulation notices.
	Sabotage func(storage.Store) storage.Store
	// Story, if not empty, is what every run is about; otherwise the seed chooses.
	Story string
	// Trace, if not nil, is told every step of the world, and every line of the story, as it happens.
	Trace func(line string)
}

// Run runs one seed, and fails the test where anything is violated.
func Run(t testing.TB, o Options) Report {
	t.Helper()
	s := run(t, o)
	if !s.ok() {
		t.Errorf("seed %d: %s\n%s", o.Seed, s.violation(), s.retell())
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
	if s.changes > 0 {
		s.after(about(s.random, s.changes), s.change)
	}
	s.runFor(s.length)
	s.calm() // where the faults met next to nothing
	if s.stuck {
		return s
	}
	if s.story == lostQuorum {
		s.loseAll()
		return s
	}
	s.recover()
	if s.ok() && !s.stuck {
		s.checkAll()
	}
	return s
}

// calm goes on with fewer and fewer faults until enough is chosen.
func (s *simulation) calm() {
	const rounds, fewer = 6, 3
	enough := func() bool { return s.truth.positions >= few }
	for i := 0; i < rounds && s.ok() && !enough(); i++ {
		for f := range s.every {
			s.every[f] *= fewer
		}
		for k := range kinds {
			s.mute[k], s.slow[k] = s.mute[k]/fewer, s.slow[k]/fewer
		}
		s.strand, s.relapse, s.double = s.strand/fewer, s.relapse/fewer, s.double/fewer
		for k, c := range s.clients { // one that fences the others is enough
			c.fenced, c.elect = c.fenced && k == 0, c.elect/fewer
		}
		s.runUntil(s.length, enough)
	}
	if s.ok() && !enough() { // a last chance, without any
		s.smooth()
		s.calmUntil = s.now() + rounds*s.length
		s.runUntil(rounds*s.length, enough)
	}
	if s.stuck = s.ok() && !enough() && s.stalemate(); !s.stuck && s.ok() && !enough() {
		s.accuse(0, saysSomething, fmt.Sprintf("only %d positions are chosen", s.truth.positions))
	}
}

func prepare(t testing.TB, o Options) *simulation {
	t.Helper()
	s := &simulation{
		Options: o, t: t, random: rand.New(rand.NewPCG(o.Seed, 3)), addresses: map[string]*host{}, stalled: map[string]bool{},
	}
	s.other = chance(o.Seed)
	s.profile = draw(s.random, o.Story)
	if s.auto {
		s.cluster = kit.New(t, o.Seed, s.size, true)
	} else {
		s.cluster = kit.Initialized(t, o.Seed, s.size)
	}
	s.cluster.AutoElect = s.elects
	s.cluster.Memory = remember(rand.New(rand.NewPCG(o.Seed, 5)))
	s.cluster.World.Verbose(o.Trace)
	s.truth = newTruth(s.size)
	s.history = newHistory(s.truth, s.life)
	s.truth.accuse, s.history.violate, s.truth.onChosen = s.accuse, s.violate, s.history.chosen
	s.history.accuse, s.truth.tables = s.accuse, newTables(s.cluster.Memory.Bytes)
	s.wire = &wire{simulation: s, witness: newWitness(s.truth), stranded: map[uint64]bool{}}
	s.stranger = newOutsider(s)
	s.cluster.World.Filter(s.wire.judge)
	if s.depth > 0 {
		s.cluster.World.Schedule(actortest.Priorities{Depth: s.depth, Starve: time.Millisecond})
	}
	s.people()
	return s
}

// people starts the members and the clients.
func (s *simulation) people() {
	s.everLost = make([]bool, s.size)
	for i, m := range s.cluster.Members {
		h := &host{Member: m}
		s.hosts = append(s.hosts, h)
		s.addresses[m.Node.Address()] = h
		m.Node.Skew(s.skews[i])
		s.restrain(h)
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
	s.open()
}

// host returns the member at an address; nil if it is a client's.
func (s *simulation) host(address string) *host { return s.addresses[address] }

// spawn starts a client on a node of its own.
func (s *simulation) spawn(id int, h habits) *client {
	c := &client{
		habits: h, id: id, node: s.cluster.World.Node(fmt.Sprintf("client%d:1", id)), random: rand.New(rand.NewPCG(s.Seed, uint64(100+id))),
		members: s.ids, history: s.history, tell: s.tell, now: s.now, waiting: map[uint64]*call{},
		duels: func() bool { return s.now() < s.duelUntil }, numbers: rand.New(rand.NewPCG(s.Seed, uint64(200+id))).IntN(2) == 0,
	}
	c.errands.sends = map[uint64]*request{}
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

// tell adds a line to the story of the run.
func (s *simulation) tell(format string, args ...any) {
	line := fmt.Sprintf("%12v  ", s.now()) + fmt.Sprintf(format, args...)
	s.tale = append(s.tale, line)
	if s.Trace != nil {
		s.Trace(line)
	}
}

// retell is the end of the story.
func (s *simulation) retell() string {
	const most = 60
	return strings.Join(s.tale[len(s.tale)-min(len(s.tale), most):], "\n")
}

// violation says what was violated, and when; empty if nothing was.
func (s *simulation) violation() string {
	switch err := s.cluster.World.Err(); {
	case s.broken != "":
		return fmt.Sprintf("after %v of virtual time, in a run about %s, %s", s.now(), s.story, s.broken)
	case err != nil:
		return err.Error()
	}
	return ""
}
