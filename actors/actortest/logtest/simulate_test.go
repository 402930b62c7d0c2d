package logtest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/log/status"
)

func ExampleSimulate() {
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) { // 7 is the seed; a test has logtest.Start(t, 7, 3)
		c.Member(1).Append("one")
		c.Member(2).Wipe()
		c.Recover()
		c.Check()
		fmt.Println(c.Member(2).Entries())
	})
	fmt.Println(err)
	// Output:
	// [one]
	// <nil>
}

func TestASimulationEndsWhereATestWouldAndSaysWhatThatWouldPrint(t *testing.T) {
	went := false
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) {
		c.Partition(1)
		c.Member(1).Kill()
		c.Require(status.Voting, time.Second)
		went = true
	})
	if err == nil || went || !strings.Contains(err.Error(), "seed 7") {
		t.Errorf("went on: %v; it said %v", went, err)
	}
}

func TestAPanicLeavesASimulation(t *testing.T) {
	mine := errors.New("mine")
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, mine) {
			t.Errorf("got %v", err)
		}
	}()
	err := logtest.Simulate(7, 3, func(*logtest.Cluster) { panic(mine) })
	t.Errorf("it went on, with %v", err)
}
