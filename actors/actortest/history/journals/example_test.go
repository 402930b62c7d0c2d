package journals_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/history/journals"
)

// An event is acknowledged, and the next activation does not know of it.
func ExampleHistory_Check() {
	h := journals.History{
		Activations: []journals.Activation{
			{Owner: "counter", At: 1, Call: 1, Return: 2},
			{Owner: "counter", At: 7, Call: 5, Return: 6},
		},
		Writes: []journals.Write{
			{Owner: "counter", Activation: 1, Index: 0, Events: []string{"added 3"}, Call: 3, Return: 4, Outcome: history.Succeeded},
		},
	}
	for _, v := range h.Check() {
		fmt.Println(v)
	}
	// Output: kept: counter: ["added 3"] was acknowledged by activation 1 as 0, and activation 7 replays []
}
