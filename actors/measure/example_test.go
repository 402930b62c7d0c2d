package measure_test

import (
	"fmt"
	"time"

	"github.com/quorumlog/quorumlog/actors/measure"
)

// The actors count while they work; whoever wants to publish it reads beside them, at any time.
func Example() {
	m := measure.New(time.Unix(0, 0))
	m.Writes.Add(int(measure.Granted), 3)
	m.Writes.Add(int(measure.Rejected), 1)
	for kind, n := range m.Writes.All() {
		if n > 0 {
			fmt.Println(measure.Answer(kind), n)
		}
	}

	for range 99 {
		m.AppendTime.Observe(int64(300 * time.Microsecond))
	}
	m.AppendTime.Observe(int64(80 * time.Millisecond))
	median, _ := measure.Quantile(0.5, m.AppendTime.Bounds(), m.AppendTime.Counts())
	fmt.Println("half of the appends took less than a millisecond:", time.Duration(median) < time.Millisecond)

	m.Events.Note(measure.Event{Kind: measure.Elected, To: "7.1"})
	m.Events.Note(measure.Event{Kind: measure.Fenced, From: "7.1", To: "8.2"})
	events, missed := m.Events.After(1, 10) // behind the one with number 1
	fmt.Println(events[0].Kind, events[0].To, missed)
	// Output:
	// granted 3
	// rejected 1
	// half of the appends took less than a millisecond: true
	// fenced 8.2 0
}
