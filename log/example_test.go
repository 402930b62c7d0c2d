package log_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
)

// A position may be tried under several proposals. Each is its proposer's alone, and every later round is above all of them.
func Example() {
	first := log.NewProposal(7, 2) // round 7, by replica 2
	second := first.Next(3)        // replica 3 was told of it, and goes above it
	fmt.Println(first, second, second > first, second.Replica())

	run := log.Span(10, 5) // five positions from 10 on
	fmt.Println(run, run.Len(), run.Intersect(log.Range{First: 13, Last: 20}))

	held := log.Action{
		Position: 12, Promised: second, Performed: first,
		Value: log.Value{Kind: log.Append, Data: []byte("accepted, and perhaps not chosen")},
	}
	reign := log.Reign{By: second, First: 11} // replica 3 was elected: it writes from 11 on
	fmt.Println(reign.Voids(held))            // what replica 2 left there never comes to be in the log

	// Output:
	// 7.2 8.3 true 3
	// [10, 14] 5 [13, 14]
	// true
}
