package linear_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/history/linear"
	"github.com/quorumlog/quorumlog/log"
)

// Two appends, one behind the other in time. No log has the later one at the lower position.
func Example() {
	appended := func(entry string, at log.Position, call time.Duration) *history.Operation {
		return &history.Operation{
			Kind: history.Append, Outcome: history.Succeeded, Client: 1, Entries: []string{entry},
			Told: log.Span(at, 1), Call: call, Return: call + time.Second,
		}
	}
	right := &history.History{Operations: []*history.Operation{appended("a", 1, time.Second), appended("b", 2, time.Minute)}}
	fmt.Println(linear.Check(right, nil, 1000, 5*time.Second))

	wrong := &history.History{Operations: []*history.Operation{appended("a", 2, time.Second), appended("b", 1, time.Minute)}}
	fmt.Println(errors.Is(linear.Check(wrong, nil, 1000, 5*time.Second), linear.ErrIllegal))
	// Output:
	// <nil>
	// true
}
