package simulation

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/actortest"
	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// appHabits are what the processes that keep actors are like; zero where there are none.
type appHabits struct {
	accountHabits
	apps, owners int
	activate     time.Duration // mean time between two activations
	trouble      time.Duration // mean time between two faults of such processes
	keep         uint64        // positions that nobody needs, until the log is truncated
	patience     time.Duration // of a port
	tries        int
	quality      actortest.Quality // of the lines to the members and back
}

// app is a process that keeps actors in the log: a client of its members.
type app struct {
	*simulation
	id       int // among the clients
	habits   appHabits
	node     *actortest.Node
	random   *rand.Rand
	up       bool
	accounts int
}

// actorful makes a run one about actors: nobody else appends, so that their log is truncated.
func (p *profile) actorful(r *rand.Rand) {
	p.clients = []habits{drawHabits(r)}
	p.clients[0].quiet, p.clients[0].fenced, p.clients[0].elect = true, false, sometimes(r, 0.3)
	p.clients[0].think = between(r, 100*time.Millisecond, time.Second)
	p.every = [struck]time.Duration{}
	if r.IntN(3) > 0 {
		p.mute, p.slow, p.late, p.strand = [kinds]float64{}, [kinds]float64{}, 0, 0
	}
	for _, f := range r.Perm(len(unkind))[:1+r.IntN(3)] {
		p.every[unkind[f]] = between(r, 2*time.Second, 10*time.Second)
	}
	p.apps = appHabits{
		apps: 2 + r.IntN(2), owners: 1 + r.IntN(6), activate: between(r, 200*time.Millisecond, 2*time.Second),
		trouble: between(r, 500*time.Millisecond, 4*time.Second), keep: 1 + r.Uint64N(40), patience: between(r, 300*time.Millisecond, 3*time.Second),
		tries: 2 + r.IntN(8),
		accountHabits: accountHabits{
			think: between(r, 2*time.Millisecond, 40*time.Millisecond), patience: between(r, 500*time.Millisecond, 8*time.Second),
			every: r.IntN(20), stubborn: r.Float64(), lags: r.IntN(2) == 0,
		},
		quality: actortest.Quality{
			Min: 100 * time.Microsecond, Max: between(r, time.Millisecond, 50*time.Millisecond), Drop: sometimes(r, 0.1),
			Duplicate: sometimes(r, 0.3), Reorder: r.IntN(2) == 0,
		},
	}
}

// unkind are the faults of members in runs about actors.
var unkind = [...]fault{crash, crashAtWrite, crashAtSend, crashAll, storm, wipe, isolation, split, oneWay, turn, stall, duel, demotion, slowDisk}

// open starts the processes that keep actors.
func (s *simulation) open() {
	s.ledger = &ledger{now: s.now, accuse: s.accuse, looked: map[string]bool{}}
	for i := range s.profile.apps.apps {
		s.apps = append(s.apps, s.openApp(i+1, s.profile.apps))
	}
	if len(s.apps) > 0 {
		s.after(about(s.random, s.profile.apps.activate), s.activate)
		s.after(about(s.random, s.profile.apps.trouble), s.troubleApps)
	}
}

func (s *simulation) openApp(id int, h appHabits) *app {
	a := &app{
		simulation: s, id: 1000 + id, habits: h, node: s.cluster.World.Node(fmt.Sprintf("app%d:1", id)), random: rand.New(rand.NewPCG(s.Seed, uint64(1000+id))),
	}
	once := h.quality
	once.Duplicate = 0 // a truncation that is asked for twice is in the log twice, and was called once
	for _, m := range s.hosts {
		s.cluster.World.Net.Link(a.node.Address(), m.Node.Address(), once)
		s.cluster.World.Net.Link(m.Node.Address(), a.node.Address(), h.quality)
	}
	a.start()
	return a
}

// start starts the process.
func (a *app) start() {
	a.up = true
	a.node.Spawn("port", actor.PropsFromProducer(logtest.NewPort(logtest.PortSettings{
		Clock: a.node.Clock(), Random: a.node.Random(), Members: a.ids, Gateway: a.cluster.Gateway, Patience: a.habits.patience,
		Tries: a.habits.tries, Begin: a.begin, Shown: func(by log.ReplicaID, p *messages.Page) { a.history.read(by, p) },
	})))
	a.node.Spawn("keeper", actor.PropsFromProducer(persistence.Keeper(persistence.Settings{
		Port: a.node.PID("port"), Clock: a.node.Clock(), Keep: a.habits.keep, Log: zerolog.Nop(),
	})))
}

// begin puts what the port asks into the history of the run.
func (a *app) begin(o spec.Operation) func(log.Position, *logtest.Failure) {
	o.Client = a.id
	begun := a.history.begin(a.now(), o)
	return func(at log.Position, failed *logtest.Failure) {
		switch {
		case failed != nil:
			a.history.fail(begun, a.now(), failed.Code)
		case o.Kind == spec.Truncate:
			a.ledger.counts.Truncated++
			a.history.truncated(begun, a.now(), at)
		default:
			a.history.appended(begun, a.now(), log.Span(at, 1))
		}
	}
}

// account activates an actor here, whoever else has it.
func (a *app) account(owner int, looks bool) {
	a.accounts++
	name := fmt.Sprintf("account%d", a.accounts)
	account := &account{
		accountHabits: a.habits.accountHabits, ledger: a.ledger, owner: actorID(owner), by: a.node.Address() + "/" + name,
		keeper: a.node.PID("keeper"), port: a.node.PID("port"), clock: a.node.Clock(), looks: looks,
		random: rand.New(rand.NewPCG(a.Seed, a.random.Uint64())),
	}
	a.node.Spawn(name, actor.PropsFromProducer(func() actor.Actor { return account }))
}

// activate has some actor activated somewhere, and sometimes somewhere else at once.
func (s *simulation) activate() {
	s.after(about(s.random, s.profile.apps.activate), s.activate)
	owner := s.random.IntN(s.profile.apps.owners)
	for range 1 + s.random.IntN(5)/4 {
		if a := s.apps[s.random.IntN(len(s.apps))]; a.up {
			a.account(owner, false)
		}
	}
}

// troubleApps has something happen to a process that keeps actors.
func (s *simulation) troubleApps() {
	s.after(about(s.random, s.profile.apps.trouble), s.troubleApps)
	a := s.apps[s.random.IntN(len(s.apps))]
	address, d := a.node.Address(), about(s.random, s.away)
	if !a.up || s.now() < s.calmUntil {
		return
	}
	switch s.random.IntN(3) {
	case 0:
		s.tell("%s: crash", address)
		s.ledger.counts.Crashes++
		a.up = false
		a.node.Crash()
		s.after(about(s.random, s.down), a.restart)
	case 1:
		s.tell("%s: isolated for %v", address, d)
		s.cluster.World.Net.Isolate(address)
		s.after(d, func() { s.cluster.World.Net.Join(address) })
	default:
		s.tell("%s: stalls for %v", address, d)
		if !s.stalled[address] {
			s.stalled[address] = true
			s.after(d, func() { s.resume(address) })
		}
	}
}

func (a *app) restart() {
	if !a.up {
		a.tell("%s: start", a.node.Address())
		a.node.Restart()
		a.start()
	}
}

// close ends what accounts write, and makes the lines good.
func (s *simulation) close() {
	s.ledger.closed = true
	for _, a := range s.apps {
		for _, m := range s.hosts {
			s.cluster.World.Net.Link(a.node.Address(), m.Node.Address(), fine())
			s.cluster.World.Net.Link(m.Node.Address(), a.node.Address(), fine())
		}
		a.restart()
	}
}

// judge activates every actor once more, in a process of its own, and holds what all did and were told against what is promised.
func (s *simulation) judge() {
	if len(s.apps) == 0 || !s.ok() {
		return
	}
	h := s.profile.apps
	h.quality, h.patience, h.keep, h.accountHabits.patience = fine(), time.Second, 0, time.Second
	last := s.openApp(len(s.apps)+1, h)
	var look func()
	look = func() { // whoever is not there in a second was fenced by a late one, or found nobody
		for owner := range h.owners {
			if !s.ledger.looked[actorID(owner)] {
				last.account(owner, true)
			}
		}
		s.after(time.Second, look)
	}
	look()
	s.demand(3, untilAnswered, "every actor is activated", func() bool { return len(s.ledger.looked) == h.owners })
	s.agenda = agenda{}
	s.ledger.check()
}

// actorID is the persistence id of an actor.
func actorID(owner int) string { return fmt.Sprintf("actor-%d", owner) }

// fine is a line on which nothing happens.
func fine() actortest.Quality {
	return actortest.Quality{Min: 100 * time.Microsecond, Max: time.Millisecond, Reorder: true}
}
