package interval_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
)

// A replica came back, and copies what it missed: what it has costs two runs, however many positions they are.
func Example() {
	has := interval.Of(log.Range{First: 1, Last: 4_000_000}, log.Range{First: 4_000_011, Last: 5_000_000})
	missing := has.Complement(log.Range{First: 1, Last: 5_000_003})
	fmt.Println(has)
	fmt.Println(missing, missing.Len())

	has.Add(log.Range{First: 4_000_001, Last: 4_000_010}) // runs that touch are one
	fmt.Println(has, has.Covers(log.Range{First: 1, Last: 5_000_000}))

	// Output:
	// [1, 4000000] [4000011, 5000000]
	// [4000001, 4000010] [5000001, 5000003] 13
	// [1, 5000000] true
}
