package leader_test

import (
	"fmt"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/leader"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
)

// Nobody asks for an election: the members see to it that one of them writes, and another one once that is gone.
func Example() {
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) {
		c.AutoElect = true
		for _, m := range c.Members {
			m.Restart()
		}
		c.Recover()
		c.Pass(10 * time.Second)
		first := writer(c, 1)
		fmt.Println("somebody writes:", first != 0)

		c.Member(first).Kill()
		c.Pass(10 * time.Second)
		second := writer(c, first%3+1)
		fmt.Println("another one does:", second != 0 && second != first)
	})
	fmt.Println(err)
	// Output:
	// somebody writes: true
	// another one does: true
	// <nil>
}

// writer asks the leader of a member who writes; 0 where nobody does.
func writer(c *logtest.Cluster, by log.ReplicaID) log.ReplicaID {
	m := c.Member(by)
	asker := m.Node.Probe("asker")
	asker.Request(m.PID(member.Leader), leader.Seek{Tag: 1})
	answer, err := actortest.Next[any](asker, time.Minute)
	if err != nil {
		panic(err)
	}
	if e, elsewhere := answer.(leader.Elsewhere); elsewhere {
		return e.Writer
	}
	return by // leader.Found: its own coordinator is elected
}
