package logtest_test

import (
	"fmt"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/log/status"
)

func Example() {
	t := &standin{} // in a test: its *testing.T
	defer t.end()

	c := logtest.Start(t, 7, 3) // three members that vote
	c.Member(1).Append("one")

	c.Member(2).Wipe() // kill -9, and the disk is gone
	c.Member(1).Append("two")
	c.Member(2).Start()
	c.Member(2).Require(status.Voting, 10*time.Second) // of virtual time: it has recovered

	c.Member(1).Kill() // now the quorum needs the member that was rebuilt
	c.Member(2).Append("three")
	c.Recover()
	c.Check()
	fmt.Println(c.Member(1).Entries())
	// Output: [one two three]
}

// A call can be under way while faults strike. What becomes of it is known, or known to be unknown; Check knows both.
func ExampleMember_Begin() {
	t := &standin{}
	defer t.end()
	c := logtest.Start(t, 7, 3)

	c.Member(1).Isolate()
	call := c.Member(1).Begin("alone")
	fmt.Println(call.Err())
	fmt.Println(call.Await(time.Minute) == nil)
	c.Member(2).Append("together")

	c.Heal()
	c.Check()
	fmt.Println(c.Member(1).Entries())
	// Output:
	// not answered
	// false
	// [together]
}

func ExampleMember_TearWrite() {
	t := &standin{}
	defer t.end()
	c := logtest.Start(t, 7, 3)

	c.Member(3).TearWrite() // the disk gets a part of the next write, and the process dies
	c.Member(1).Append("one")
	fmt.Println(c.Member(3).Running())
	c.Recover()
	c.Check()
	fmt.Println(c.Member(3).Entries())
	// Output:
	// false
	// [one]
}

func ExampleWriter() {
	t := &standin{}
	defer t.end()
	c := logtest.Start(t, 7, 3)

	first := c.Member(1).Elect()
	first.Append("one")
	second := c.Member(2).Elect()
	second.Append("two")
	err := first.Begin("three").Await(time.Minute) // never gets into the log
	fmt.Println(logtest.Code(err))
	fmt.Println(c.Member(2).Entries())
	c.Check()
	// Output:
	// CODE_FENCED
	// [one two]
}

// History().Operations are what the calls did and were told; package actors/actortest/history has their types.
func ExampleCluster_History() {
	t := &standin{}
	defer t.end()
	c := logtest.Start(t, 7, 3)

	c.Member(1).Append("one")
	c.Partition(1)
	c.Member(1).Begin("two") // nobody runs the world until it is answered
	for _, o := range c.History().Operations {
		if o.Kind == history.Append {
			fmt.Println(o.Entries, o.Outcome, o.Told)
		}
	}
	// Output:
	// [one] succeeded [1, 1]
	// [two] pending []
}

// The network, the clocks and the order in which actors run are the world's.
func ExampleCluster_faults() {
	t := &standin{}
	defer t.end()
	for seed := range uint64(20) {
		c := logtest.New(t, seed, 3)
		c.World.Schedule(actortest.Priorities{Depth: 3, Steps: 500})
		c.World.Net.Drop(0.1)
		c.World.Net.Tail(0.05, time.Second)
		c.Member(2).Node.Skew(-time.Hour)
		c.Member(3).Node.Drift(0.1)
		c.Start()
		c.Require(status.Voting, time.Minute)
		c.Member(1).Append("one")
		c.Partition(1)
		c.Member(3).Append("two")
		c.Heal()
		c.Check()
	}
	fmt.Println(t.failed)
	// Output: false
}
