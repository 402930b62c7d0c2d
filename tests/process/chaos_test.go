package process

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
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
)

const (
	workers    = 8                      // that append at the same time
	longestGap = 10 * time.Second       // between two acknowledged appends, whatever happens
	someMore   = 50                     // acknowledged appends show that the log goes on
	mostPause  = 400 * time.Millisecond // between two blows
)

func TestAcknowledgedEntriesSurviveTwentyKills(t *testing.T) {
	c := startChaos(t)
	c.rounds(20, c.killOne)
	c.finish()
}

func TestAcknowledgedEntriesSurviveTheEndOfAllProcesses(t *testing.T) {
	c := startChaos(t)
	c.rounds(5, c.killAll)
	c.finish()
}

func TestAcknowledgedEntriesSurviveALostDisk(t *testing.T) {
	c := startChaos(t)
	c.rounds(5, c.loseDisk)
	c.finish()
}

func TestAcknowledgedEntriesSurviveThoughOneReplicaAloneIsUpToDate(t *testing.T) {
	c := startChaos(t)
	c.rounds(2, c.loseTheOnlyWitness)
	c.rounds(2, c.loseDiskNextToALaggard)
	c.finish()
}

func TestAcknowledgedEntriesSurviveEverythingTogether(t *testing.T) {
	c := startChaos(t)
	c.rounds(4, func() {
		blows := []func(){
			c.killOne, c.killAll, c.loseDisk, c.loseDiskAndKillAnother, c.loseDiskTwice, c.stopOne, c.changeWriter,
			c.loseTheOnlyWitness, c.loseDiskNextToALaggard,
		}
		blows[c.random.IntN(len(blows))]()
	})
	c.finish()
}

// chaos is a cluster of three under a load, and what is done to it.
type chaos struct {
	*Cluster
	t                              testing.TB
	client                         *cluster.Client
	load                           *Load
	random                         *rand.Rand
	kills, wipes, stops, elections int
}

func startChaos(t *testing.T) *chaos {
	seed := setting(t, seedVariable, rand.Uint64())
	t.Logf("seed %d (%s=%d)", seed, seedVariable, seed)
	c := &chaos{Cluster: New(t, 3), t: t, random: rand.New(rand.NewPCG(seed, 0))}
	c.StartAll()
	c.client = dial(t, c.Members)
	c.load = StartLoad(t, c.client, workers)
	c.goesOn("at the start")
	return c
}

// dial returns a client that ends with the test.
func dial(t testing.TB, list string) *cluster.Client {
	t.Helper()
	members, err := cluster.ParseMembers(list)
	if err != nil {
		t.Fatal(err)
	}
	client, err := cluster.Dial(t.Context(), members)
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

func (c *chaos) rounds(standard uint64, round func()) {
	c.t.Helper()
	for i := range setting(c.t, roundsVariable, standard) {
		began, acknowledged := time.Now(), c.load.Acknowledged()
		round()
		c.t.Logf("round %d took %s, with %d acknowledged appends", i+1, time.Since(began).Round(time.Millisecond),
			c.load.Acknowledged()-acknowledged)
	}
}

// The blows. Each one ends with three members that vote, and a log that goes on.

func (c *chaos) kill(id int) {
	c.t.Helper()
	c.alive(id)
	c.logf("kill member %d", id)
	c.Kill(id)
	c.kills++
}

func (c *chaos) wipe(id int) {
	c.t.Helper()
	c.kill(id)
	c.logf("lose its disk")
	c.Wipe(id)
	c.wipes++
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

func (c *chaos) anyone() int { return c.random.IntN(len(c.Addresses)) + 1 }

func (c *chaos) everyone() func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range c.Addresses {
			if !yield(i + 1) {
				return
			}
		}
	}
}

// finish ends the load, and compares what it was told with what every replica holds.
func (c *chaos) finish() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	history, err := c.load.Finish(ctx)
	if err != nil {
		c.t.Fatalf("the last append: %v", err)
	}
	var copies []Copy
	for id := range c.everyone() {
		replica, err := ReadCopy(ctx, c.client, log.ReplicaID(id), history.Last())
		if err != nil {
			c.t.Fatal(err)
		}
		copies = append(copies, replica)
	}
	if err := history.Check(copies); err != nil {
		c.t.Errorf("the log is not what its clients were told:\n%v", err)
	}
	c.report(history)
}

func (c *chaos) report(history History) {
	c.t.Helper()
	gap, began := history.LongestGap()
	c.t.Logf("%d kills, %d lost disks, %d stops, %d elections in %s: %d appends acknowledged, %d indeterminate, %d failed; "+
		"the longest gap was %s", c.kills, c.wipes, c.stops, c.elections, c.load.Since().Round(time.Second),
		history.Count(Acknowledged), history.Count(Indeterminate), history.Count(Failed), gap.Round(time.Millisecond))
	if gap > longestGap {
		c.t.Errorf("no append was acknowledged for %s, from %s on; at most %s", gap, began, longestGap)
	}
	for _, o := range history {
		if o.Return-o.Call > appendTimeout+time.Second {
			c.t.Errorf("%s took %s, and its deadline was %s: %v", o.Entry(), o.Return-o.Call, appendTimeout, o.Err)
		}
	}
}

// statuses are those that a process has told of its replica.
func statuses(t testing.TB, p *Process) []string {
	t.Helper()
	var told []string
	for line := range strings.Lines(p.Stderr.String()) {
		var said struct{ Message, Status, To string }
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Errorf("no line of a log: %q: %v", line, err)
		}
		switch said.Message {
		case "the replica is up":
			told = append(told, said.Status)
		case "the status changes":
			told = append(told, said.To)
		}
	}
	return told
}
