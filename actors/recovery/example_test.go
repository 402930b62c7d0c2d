package recovery_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/replica"
)

// A member whose disk is gone comes back under the same id. Its Recover takes it from one status to the next, and tells why where
// it cannot.
func Example() {
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) {
		for _, entry := range []string{"one", "two", "three"} {
			c.Member(1).Append(entry)
		}
		c.Member(3).Wipe()
		c.Recover() // until all of them vote
		for _, event := range c.Member(3).Events {
			if e, ok := event.(replica.StatusChanged); ok {
				fmt.Println(e.From, "->", e.To)
			}
		}
		fmt.Println(c.Member(3).Entries())
	})
	fmt.Println(err)
	// Output:
	// EMPTY -> RECOVERING
	// RECOVERING -> VOTING
	// [one two three]
	// <nil>
}
