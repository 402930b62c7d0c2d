package journal_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log/journal"
)

// Two nodes believe that they run the same actor. Both may append to the log; of what they write, one's counts.
func Example() {
	f := journal.NewFold(1)
	f.Apply(1, journal.Entry{Owner: "account/7", Kind: journal.Activation, By: "node a"})
	fmt.Println(f.Apply(2, journal.Entry{Owner: "account/7", Kind: journal.Events, Activation: 1, Index: 0, Count: 2}))

	f.Apply(3, journal.Entry{Owner: "account/7", Kind: journal.Activation, By: "node b"})
	fmt.Println(f.Apply(4, journal.Entry{Owner: "account/7", Kind: journal.Events, Activation: 1, Index: 2, Count: 1}))
	fmt.Println(f.Apply(5, journal.Entry{Owner: "account/7", Kind: journal.Events, Activation: 3, Index: 2, Count: 1}))

	v := f.View("account/7")
	fmt.Println(v.By, "writes, next index", v.Next, "events at", v.Spans[0].At, "and", v.Spans[1].At)

	f.Apply(6, journal.Entry{Owner: "account/7", Kind: journal.Snapshot, Activation: 3, Index: 3})
	fmt.Println("the log is needed from", f.Needed())
	// Output:
	// counts
	// fenced
	// counts
	// node b writes, next index 3 events at 2 and 5
	// the log is needed from 6
}
