package historytest_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/quorumlog/quorumlog/actors/actortest/history/historytest"
)

// Whoever writes a checker of histories tries it on correct ones, and on those of which one thing is spoiled.
func Example() {
	random := rand.New(rand.NewPCG(7, 7))
	fmt.Println("a correct one:", historytest.Correct(random, 500).Check())
	missed := 0
	for _, m := range historytest.Mutations() {
		s := historytest.Correct(random, 500)
		if m.Apply(random, s) && len(s.Check()) == 0 {
			missed++
		}
	}
	fmt.Println("spoiled ones that were not found:", missed)
	// Output:
	// a correct one: []
	// spoiled ones that were not found: 0
}
