package coordinator_test

import (
	"fmt"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
)

// ask has the coordinator of a member do something, and returns what it answers.
func ask[T any](m *logtest.Member, request any) T {
	asker := m.Node.Probe(fmt.Sprintf("waits for %T", *new(T)))
	asker.Request(m.PID(member.Coordinator), request)
	answer, err := actortest.Next[T](asker, time.Minute)
	if err != nil {
		panic(err)
	}
	return answer
}

// Two members win an election, one after the other. What the first one then sends is in nobody's log.
func Example() {
	entries := []log.Value{{Kind: log.Append, Data: []byte("one")}, {Kind: log.Append, Data: []byte("two")}}
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) {
		elected := ask[coordinator.Elected](c.Member(1), coordinator.Elect{})
		appended := ask[coordinator.Appended](c.Member(1), coordinator.Append{Fence: elected.By, Values: entries})
		fmt.Println("behind", elected.End, "appended at", appended.Range)

		successor := ask[coordinator.Elected](c.Member(2), coordinator.Elect{})
		fmt.Println("behind", successor.End, "higher:", successor.By > elected.By)

		failed := ask[coordinator.Failed](c.Member(1), coordinator.Append{Fence: elected.By, Tag: 2, Values: entries})
		fmt.Println("fenced:", failed.Why == coordinator.Fenced)
	})
	fmt.Println(err)
	// Output:
	// behind 0 appended at [1, 2]
	// behind 2 higher: true
	// fenced: true
	// <nil>
}
