package process

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"sync"
	"testing"
	"time"
)

// A soak is a chaos under an open load, for as long as somebody wants.
const (
	soakTimeVariable = "QUORUMLOG_SOAK_TIME" // as 30m; a few seconds if there is none
	soakSeedVariable = "QUORUMLOG_SOAK_SEED" // a number; by chance if there is none
	soakDirVariable  = "QUORUMLOG_SOAK_DIR"  // where the members' directories are made; that of temporary files if there is none
)

const (
	overload    = 10               // times what the cluster takes is offered
	soakClients = 12               // each may have 8 MiB under way: together more than the 64 MiB that wait at a writer
	shortSoak   = 2 * time.Second  // of go test: it shows that everything still fits together
	longSoak    = 60 * time.Second // from here on there is all of it
	eras        = 6                // of a soak; in every other one, one member lives all the time
	mostBacklog = 512 << 20        // bytes that are not read: the load waits for the reader
	lessOften   = 400              // percent of what it holds that this process may take more before it collects
	ownMemory   = 3 << 30          // bytes that this process may have
	mostRest    = 4 * time.Second  // between two blows

	longestMeasured = 10 * time.Second // before the load begins
	seen            = 6                // looks at what was taken, a second apart: a cluster that takes more is offered more
)

func TestAFloodedClusterKeepsItsWordAndItsBoundsWhateverIsDoneToIt(t *testing.T) {
	during := soakTime(t)
	seed := setting(t, soakSeedVariable, rand.Uint64())
	t.Logf("seed %d, for %v", seed, during)
	s := startSoak(t, seed, during)
	s.calibrate()
	s.replaceOne() // so that there is no soak without a change of the members
	if during < longSoak {
		s.killWriter()
	} else {
		for era := range eras {
			s.era(era)
		}
	}
	s.finish()
}

// soakTime is how long the soak is to be.
func soakTime(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv(soakTimeVariable)
	if text == "" {
		return shortSoak
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", soakTimeVariable, err)
	}
	return d
}

// soak is a chaos, and everything that looks at it.
type soak struct {
	*chaos
	network  *proxies
	moves    *moves
	seed     uint64
	during   time.Duration
	flood    *flood
	audit    *audit
	watch    *watch
	capacity int64 // bytes a second, the most that was seen
	began    time.Duration
	held     time.Duration // that the load waited for the reader
	joined   int           // members that were added, ever
	growth   []grew
	quiet    excess // in the end
	own      usage
	over     chan struct{}
	stop     func() // all that goes on beside the blows, and waits for it
}

// grew is what became of a process while all others ended.
type grew struct {
	Lived time.Duration `json:"lived_ns"`
	First usage         `json:"first_third"`
	Last  usage         `json:"last_third"`
}

// startSoak starts a cluster, and the load. Its members talk through proxies, which take less of the machine than hosts do.
func startSoak(t *testing.T, seed uint64, during time.Duration) *soak {
	t.Helper()
	collectLess(t)
	network := newProxies(t, soakMembers, seed)
	members := NewOn(t, network)
	members.Dir = soakDir(t)
	members.logs = members.Dir
	members.writeDown()
	s := &soak{chaos: newChaos(t, members, seed), network: network, moves: newMoves(), seed: seed, during: during, over: make(chan struct{})}
	s.StartAll()
	s.client = dial(t, s.Members)
	clients := s.moreClients(clientsOf(during))
	if len(clients) == 0 {
		clients = append(clients, s.client)
	}
	s.flood = newFlood(t, clients, seed)
	s.load, s.audit, s.watch = s.flood, newAudit(t, s.client, s.flood.account), newWatch(t, members, s.flood.account)
	return s
}

// collectLess has this process use memory instead of time: whoever is given memory while the collector runs has to help it, so on a
// busy machine its answers would be seconds late, and not the members'.
func collectLess(t *testing.T) {
	t.Helper()
	percent, limit := debug.SetGCPercent(lessOften), debug.SetMemoryLimit(ownMemory)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
}

// clientsOf is how many clients a soak has. Each takes some of the machine.
func clientsOf(during time.Duration) int {
	if during < longSoak {
		return 2
	}
	return soakClients
}

// soakDir is a directory that is kept where the test fails.
func soakDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(os.Getenv(soakDirVariable), "quorumlog-soak-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the members' directories, and what they said, are in %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// calibrate finds out what the cluster takes, and begins to offer more.
func (s *soak) calibrate() {
	ctx, cancel := context.WithCancel(context.Background())
	var audited, flooded sync.WaitGroup
	audited.Go(func() { s.audit.run(ctx) })
	s.capacity = s.flood.capacity(min(s.during/20, longestMeasured))
	if s.t.Logf("the cluster takes %s/s: %d times that is offered", mib(s.capacity), overload); s.capacity == 0 {
		s.t.Fatal("nothing was acknowledged")
	}
	s.flood.rate.Store(overload * s.capacity)
	s.began = s.load.Since()
	offering, end := context.WithCancel(ctx)
	flooded.Go(func() { s.flood.run(offering) })
	flooded.Go(func() { s.watch.run(s.over) })
	flooded.Go(s.tell)
	s.stop = sync.OnceFunc(func() {
		close(s.over)
		end()
		flooded.Wait()
		cancel()
		audited.Wait()
	})
	s.t.Cleanup(s.stop)
}

// tell says every minute how it goes, and has the load wait where the reader cannot follow.
func (s *soak) tell() {
	second, minute := time.NewTicker(time.Second), time.NewTicker(time.Minute)
	defer second.Stop()
	defer minute.Stop()
	taken := make([]int64, seen) // bytes so far, of every of the last seconds
	for {
		select {
		case <-second.C:
			_, bytes := s.flood.account.accepted()
			if taken = append(taken[1:], bytes); taken[0] > 0 {
				s.capacity = max(s.capacity, (bytes-taken[0])/(seen-1))
			}
			s.offer()
		case <-minute.C:
			s.logf("%v\n%v\n%v, and no append was acknowledged for %s in one; %d truncations, %d calls of the reader failed, %s are not read, the load waited for that for %v; this process: %s",
				s.flood, s.watch, s.moves, ms(s.watch.longestMove()), s.audit.truncations.Load(), s.audit.failed.Load(), mib(s.flood.account.backlog()), s.held, mib(s.own.Memory))
		case <-s.over:
			return
		}
	}
}

// offer has more offered than the cluster takes, unless the reader cannot follow.
func (s *soak) offer() {
	rate := overload * s.capacity
	if s.flood.account.backlog() > mostBacklog {
		rate, s.held = 0, s.held+time.Second
	}
	s.flood.rate.Store(rate)
	s.watch.offered(rate > 0)
	used, _ := measured(os.Getpid(), os.DevNull)
	s.own = s.own.most(used)
}

// era is a part of the time. In every other one a member is spared, and must not take more and more.
func (s *soak) era(n int) {
	end := s.began + s.during*time.Duration(n+1)/eras
	if s.spared = 0; n%2 == 1 {
		s.spared = s.anyVoter()
		s.kill(s.spared)
		s.back(s.spared)
	}
	for s.load.Since() < end {
		for _, blow := range s.deck() {
			if s.t.Failed() {
				s.t.FailNow() // everything is left as it is
			}
			if s.load.Since() >= end {
				break
			}
			blow()
			s.rest(mostRest)
		}
	}
	if s.spared > 0 {
		first, last, lived := s.watch.growth(s.spared)
		s.growth = append(s.growth, grew{lived, first, last})
		if err := grown(first, last); err != nil {
			s.t.Errorf("the process of member %d, while all others ended again and again: %v", s.spared, err)
		}
	}
}

// deck is what is done, each once, in any order. The members change more often than once: that takes two to come and to go.
func (s *soak) deck() []func() {
	deck := []func(){s.killOne, s.killOne, s.killOne, s.loseDisk, s.loseDiskTwice, s.stopOne, s.partition, s.disturbAll, s.changeWriter,
		s.comeOrGo, s.comeOrGo, s.comeOrGo, s.replaceOne}
	if s.spared == 0 {
		deck = append(deck, s.killAll, s.partition, s.killWriter, s.killWriter, s.loseDiskAndKillAnother, s.loseTheOnlyWitness,
			s.loseDiskNextToALaggard)
	}
	s.random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	return deck
}

func (s *soak) killWriter() {
	id := s.writer()
	s.kill(id)
	s.goesOn("without the writer")
	s.back(id)
}

// disturbAll has bad lines between all: of a megabyte or two a second, where greetings wait behind what is written. A writer
// may then hear no quorum for half a minute, and the log must go on within patience.
func (s *soak) disturbAll() {
	s.watch.disturbed(true)
	defer s.watch.disturbed(false)
	s.disturb()
}

// rest waits for up to so long.
func (s *soak) rest(most time.Duration) { <-time.After(time.Duration(s.random.Int64N(int64(most)))) }

// finish ends the load, compares everything, and looks at the disks once more.
func (s *soak) finish() {
	s.Heal()
	for id := range s.everyone() {
		s.votes(id)
	}
	lasted := s.load.Since() - s.began
	s.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	end, err := s.flood.last(ctx)
	if err == nil {
		err = s.audit.finish(ctx, end)
	}
	if err != nil {
		s.t.Errorf("the log is not what its clients were told: %v", err)
	}
	if s.during >= longSoak {
		s.beQuiet(ctx)
	}
	s.summary(lasted)
}

// beQuiet truncates most of what is left, and looks at the disks after a minute in which nothing happens.
func (s *soak) beQuiet(ctx context.Context) {
	s.audit.cut(ctx, auditKept/4)
	<-time.After(givenBack)
	for id := range s.everyone() {
		e := excess{diskUse(s.Data(id)), s.flood.account.live()}
		if e.over() > s.quiet.over() || s.quiet.Disk == 0 {
			s.quiet = e
		}
	}
	if s.quiet.over() > segment {
		s.t.Errorf("a minute after the last truncation a member has %s on disk, and keeps %s", mib(s.quiet.Disk), mib(s.quiet.Live))
	}
}

// summary is told twice: for people, and in a line of JSON.
func (s *soak) summary(lasted time.Duration) {
	s.t.Logf("seed %d: in %v, %s\n%v\n%d truncations; %d pages compared with another member, %d times it could not answer\n%v\n%v, and no append was acknowledged for %s in one",
		s.seed, lasted.Round(time.Second), counted(s.counts), s.flood, s.audit.truncations.Load(), s.audit.compared.Load(),
		s.audit.passed.Load(), s.watch, s.moves, ms(s.watch.longestMove()))
	for _, g := range s.growth {
		s.t.Logf("a process that lived for %v: %+v at first, %+v in the end", g.Lived, g.First, g.Last)
	}
	appends, bytes := s.flood.account.accepted()
	line, err := json.Marshal(map[string]any{
		"seed": s.seed, "seconds": lasted.Seconds(), "failed": s.t.Failed(), "blows": s.counts, "capacity": s.capacity,
		"offered": s.flood.offered.Load(), "refused": s.flood.refused.Load(), "rejected": s.flood.other.Load(),
		"unknown": s.flood.unknown.Load(), "acknowledged": bytes, "appends": appends, "truncations": s.audit.truncations.Load(),
		"compared": s.audit.compared.Load(), "most": s.watch.most, "disk": s.watch.disk, "disk_worst": s.watch.worst,
		"disk_quiet": s.quiet, "gap_seconds": s.watch.gap.Seconds(), "slowest_seconds": time.Duration(s.flood.slowest.Load()).Seconds(),
		"overslept_seconds": time.Duration(s.flood.overslept.Load()).Seconds(),
		"changes":           s.moves.made, "changes_refused": s.moves.refused, "changes_failed": s.moves.failed,
		"change_gap_seconds": s.watch.longestMove().Seconds(), "leave_seconds": s.moves.leaving.Seconds(),
		"held_seconds": s.held.Seconds(), "grown": s.growth, "own": s.own,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	fmt.Println(string(line))
}
