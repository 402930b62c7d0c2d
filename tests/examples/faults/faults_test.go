package faults

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/log"
)

// seeds are a few: each is another order of events, and most mistakes need one that few of them have.
const seeds = 20

// A test that fails prints its seed, the members, and the last steps: who got which message from whom, and when. This runs one again:
//
//	go test ./tests/examples/faults -run '/seed=7$'
func TestANameHasOneOwnerWhateverFails(t *testing.T) {
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			if name, owners := disputed(t, seed, false); name != "" {
				t.Errorf("%s was promised to %v", name, owners)
			}
		})
	}
}

// A test of faults that finds none may be a test that cannot: so it is shown an actor that has one.
func TestTheFaultsFindARegistryThatPromisesTooEarly(t *testing.T) {
	for seed := range uint64(seeds) {
		if name, owners := disputed(t, seed, true); name != "" {
			t.Logf("seed %d: %s was promised to %v", seed, name, owners)
			return
		}
	}
	t.Errorf("none of %d seeds finds it", seeds)
}

// names are how many there are to be had.
const names = 12

// disputed has two registries asked for the same names while things fail, and returns a name that two owners were promised.
func disputed(t *testing.T, seed uint64, hasty bool) (name string, owners map[string]bool) {
	c, random := logtest.Start(t, seed, 3), rand.New(rand.NewPCG(seed, 0))
	u := &users{cluster: c, hasty: hasty, promised: map[string]map[string]bool{}}
	u.start(0)
	u.start(1)
	for name := range names {
		member := c.Member(log.ReplicaID(1 + random.IntN(3)))
		faults := []func(){member.Kill, member.Wipe, member.Isolate, func() { u.start(random.IntN(2)) }}
		faults[random.IntN(len(faults))]()
		u.claim(name)
		c.Pass(time.Duration(random.IntN(int(300 * time.Millisecond))))
		c.Recover() // or a quorum of the disks could be lost, after which a log does not go on
	}
	for name := range names { // what a crash has cut off is asked again
		u.claim(name)
	}
	c.Pass(5 * time.Second)
	c.Check() // the log itself: what was acknowledged is there, once, in order, on every member
	if len(u.promised) != names {
		t.Errorf("%d of %d names were given away", len(u.promised), names)
	}
	for name, owners := range u.promised {
		if len(owners) > 1 {
			return name, owners
		}
	}
	return "", nil
}
