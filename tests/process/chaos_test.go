package process

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// What a run of these tests does is drawn from a seed, and how much, from a number of rounds. When the processes and the
// disks do what they do is up to the machine: the same seed asks for the same, and may see something else.
const (
	seedVariable   = "QUORUMLOG_CHAOS_SEED"   // a number; by chance if there is none
	roundsVariable = "QUORUMLOG_CHAOS_ROUNDS" // of every test
	timeVariable   = "QUORUMLOG_CHAOS_TIME"   // as 10m: rounds begin until this is over, instead of a number of them
)

const (
	workers      = 9                      // that append at the same time
	mostClients  = 3                      // of the load
	pace         = 10 * time.Millisecond  // between two appends of one of them
	longestGap   = 10 * time.Second       // between two acknowledged appends, whatever happens
	worthTelling = time.Second            // the same, after a single blow
	someMore     = 50                     // acknowledged appends show that the log goes on
	mostPause    = 400 * time.Millisecond // between two blows
)

func TestAcknowledgedEntriesSurviveTwentyKills(t *testing.T) {
	c := startChaos(t)
	c.rounds(20, c.killOne)
	c.finish()
}

func TestAcknowledgedEntriesSurviveTheEndOfAllProcesses(t *testing.T) {
	c := startChaos(t)
	c.rounds(4, c.killAll)
	c.finish()
}

func TestAcknowledgedEntriesSurviveALostDisk(t *testing.T) {
	c := startChaos(t)
	c.rounds(4, c.loseDisk)
	c.finish()
}

func TestAcknowledgedEntriesSurviveThoughOneReplicaAloneIsUpToDate(t *testing.T) {
	c := startChaos(t)
	c.rounds(1, c.loseTheOnlyWitness)
	c.rounds(1, c.loseDiskNextToALaggard)
	c.finish()
}

func TestAcknowledgedEntriesSurviveEverythingTogether(t *testing.T) {
	c := startChaosOf(t, NewNetworked(t, 3))
	c.rounds(1, c.everything)
	c.finish()
}

// everything deals every kind of blow, in any order: ten kills or more, two lost disks or more, a
// partition, and a disk that is copied or rolled back.
func (c *chaos) everything() {
	deck := []func(){
		c.killOne, c.killOne, c.killOne, c.killOne, c.killAll, c.loseDisk, c.partition,
		c.any(c.loseDiskAndKillAnother, c.loseDiskTwice),
		c.any(c.loseTheOnlyWitness, c.loseDiskNextToALaggard),
		c.any(c.stopOne, c.changeWriter, c.disturb), c.any(c.copyDisk, c.rollDiskBack),
	}
	c.random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	for _, blow := range deck {
		blow()
	}
}

func (c *chaos) any(blows ...func()) func() { return blows[c.random.IntN(len(blows))] }

// burden is a load.
type burden interface {
	// Acknowledged is how many appends were acknowledged so far.
	Acknowledged() int64
	// Since is the time since the load began.
	Since() time.Duration
	// Reign has a member's coordinator elected, and appends so often under its fence, or until somebody else writes.
	Reign(ctx context.Context, id log.ReplicaID, appends int) error
}

// chaos is a cluster of three, or of four for a while, under a load, and what is done to it.
type chaos struct {
	*Cluster
	t      testing.TB
	client *cluster.Client
	load   burden
	whole  *Load // the load, where it remembers everything
	spared int   // whom anyone never is; 0: nobody
	looks  int   // the member that observes, and is never counted; 0: nobody
	random *rand.Rand
	counts map[string]int // of what was done
	blows  []blow
	bounds map[string]time.Duration // for the gaps after some kinds of blows
}

func startChaos(t *testing.T) *chaos {
	t.Helper()
	return startChaosOf(t, New(t, 3))
}

func startChaosOf(t *testing.T, members *Cluster) *chaos {
	t.Helper()
	seed := setting(t, seedVariable, rand.Uint64())
	t.Logf("seed %d (%s=%d)", seed, seedVariable, seed)
	c := newChaos(t, members, seed)
	c.StartAll()
	c.client = dial(t, c.Members)
	c.whole = StartLoad(t, append(c.moreClients(mostClients-1), c.client), workers, pace)
	c.load = c.whole
	c.goesOn("at the start")
	return c
}

func newChaos(t testing.TB, members *Cluster, seed uint64) *chaos {
	return &chaos{Cluster: members, t: t, random: rand.New(rand.NewPCG(seed, 0)), counts: map[string]int{},
		bounds: map[string]time.Duration{"the writer was killed": soonestWriter, "the writer was killed, and its disk lost": soonestWriter}}
}

// moreClients are so many, or none where there can be one only.
func (c *chaos) moreClients(n int) (clients []*cluster.Client) {
	for range n {
		if !raceDetector {
			clients = append(clients, dial(c.t, c.Members))
		}
	}
	return clients
}

// alongside runs a test that has a client next to others, where that can be.
func alongside(t *testing.T) {
	t.Helper()
	if !raceDetector {
		t.Parallel()
	}
}

// dial returns a client that ends with the test.
func dial(t testing.TB, list string) *cluster.Client {
	t.Helper()
	members, err := cluster.ParseMembers(list)
	if err != nil {
		t.Fatal(err)
	}
	client, err := cluster.DialSecurely(t.Context(), members, cluster.Security{Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() }) // nobody waits for it any more
	return client
}

// setting is a number in the environment, or the standard.
func setting(t testing.TB, variable string, standard uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return standard
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// limit is a time in the environment; 0 if there is none.
func limit(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv(timeVariable)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", timeVariable, err)
	}
	return d
}

func (c *chaos) rounds(standard uint64, round func()) {
	c.t.Helper()
	most, end := setting(c.t, roundsVariable, standard), limit(c.t)
	for i := uint64(0); end == 0 && i < most || c.load.Since() < end; i++ {
		began, acknowledged := time.Now(), c.load.Acknowledged()
		round()
		c.t.Logf("round %d took %s, with %d acknowledged appends", i+1, time.Since(began).Round(time.Millisecond),
			c.load.Acknowledged()-acknowledged)
	}
}

// The blows. Each one ends with all members voting, and a log that goes on.

// hit says what is done next. What comes of it is looked at until the next one.
func (c *chaos) hit(format string, args ...any) {
	c.t.Helper()
	now, what := c.load.Since(), fmt.Sprintf(format, args...)
	c.blows = append(c.blows, blow{what, now, 0})
	c.logf("%s", what)
}

func (c *chaos) kill(id int) {
	c.t.Helper()
	c.alive(id)
	c.hit("%s was killed", c.role(id))
	c.logf("that is member %d", id)
	c.Kill(id)
	c.counts["kills"]++
}

func (c *chaos) wipe(id int) {
	c.t.Helper()
	c.kill(id)
	c.blows[len(c.blows)-1].what += ", and its disk lost"
	c.logf("lose its disk")
	c.Wipe(id)
	c.counts["lost disks"]++
}

// role is what a member does for the others.
func (c *chaos) role(id int) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	switch s, err := c.client.StatusOf(ctx, log.ReplicaID(id)); {
	case err != nil || s.Status != "VOTING":
		return "a member that did not vote"
	case id == c.looks:
		return "an observer"
	case s.Leader:
		return "the writer"
	}
	return "a follower"
}

// back starts a member, and waits until it votes and the log goes on.
func (c *chaos) back(id int) {
	c.t.Helper()
	c.StartMember(id)
	c.votes(id)
	c.goesOn(fmt.Sprintf("with member %d back", id))
}

// alive ends the test if a member has ended by itself.
func (c *chaos) alive(id int) {
	c.t.Helper()
	select {
	case <-c.running[id].Ended():
		c.t.Fatalf("member %d ended by itself: %s", id, c.running[id].command.ProcessState)
	default:
	}
}

func (c *chaos) votes(id int) {
	c.t.Helper()
	Eventually(c.t, fmt.Sprintf("member %d votes", id), func() (bool, string) {
		c.alive(id)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s, err := c.client.StatusOf(ctx, log.ReplicaID(id))
		return s.Status == "VOTING", fmt.Sprintf("%+v %v", s, err)
	})
}

// goesOn waits for acknowledged appends.
func (c *chaos) goesOn(when string) {
	c.t.Helper()
	before := c.load.Acknowledged()
	Eventually(c.t, "the log goes on "+when, func() (bool, string) {
		for id := range c.running {
			c.alive(id)
		}
		more := c.load.Acknowledged() - before
		return more >= someMore, fmt.Sprintf("%d acknowledged appends", more)
	})
}

// logf says what is done, and when.
func (c *chaos) logf(format string, args ...any) {
	c.t.Helper()
	c.t.Logf("%8s  %s", c.load.Since().Round(time.Millisecond), fmt.Sprintf(format, args...))
}

func (c *chaos) pause() {
	<-time.After(time.Duration(c.random.Int64N(int64(mostPause))))
}

func (c *chaos) coin() bool { return c.random.IntN(2) == 0 }

// anyone is a member that is not spared.
func (c *chaos) anyone() int {
	for {
		if id := c.ids[c.random.IntN(len(c.ids))]; id != c.spared {
			return id
		}
	}
}

// anyVoter is a member that is counted, and not spared.
func (c *chaos) anyVoter() int {
	for {
		if id := c.anyone(); id != c.looks {
			return id
		}
	}
}

// others are the other members, from the one behind it on.
func (c *chaos) others(id int) []int {
	i := slices.Index(c.ids, id)
	return slices.Concat(c.ids[i+1:], c.ids[:i])
}

func (c *chaos) everyone() iter.Seq[int] { return slices.Values(c.ids) }
