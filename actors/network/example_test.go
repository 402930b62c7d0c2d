package network_test

import (
	"fmt"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/network"
)

// Any actor of a member may ask its network who is there.
func Example() {
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) {
		m := c.Member(1)
		asker := m.Node.Probe("asker")

		asker.Request(m.PID(member.Network), network.Watch{AtLeast: 3})
		watched, err := actortest.Next[network.Watched](asker, time.Second)
		fmt.Println("present:", watched.Present, err)

		c.Member(3).Kill()
		c.Pass(5 * time.Second) // of silence
		asker.Request(m.PID(member.Network), network.Survey{})
		surveyed, err := actortest.Next[network.Surveyed](asker, time.Second)
		for _, p := range surveyed.Peers {
			fmt.Println(p.ID, "present:", p.Present, err)
		}
	})
	fmt.Println(err)
	// Output:
	// present: [1 2 3] <nil>
	// 1 present: true <nil>
	// 2 present: true <nil>
	// 3 present: false <nil>
	// <nil>
}
