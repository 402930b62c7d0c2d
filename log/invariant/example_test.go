package invariant_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log/invariant"
)

// What a peer or a disk can bring about gets an error. What only our own mistake can is held.
func ExampleHold() {
	defer func() { fmt.Println(recover()) }() // a program lets it end the process
	begin, end := 7, 5
	invariant.Hold(begin <= end+1, "the log begins at %d but ends at %d", begin, end)
	// Output: invariant broken: the log begins at 7 but ends at 5
}
