package subscription_test

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/messages"
)

// An actor of another process is sent the log, two entries at a time at most. Each Grant says how far it has come.
func Example() {
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) {
		for _, entry := range []string{"one", "two", "three"} {
			c.Member(1).Append(entry)
		}
		reader := c.World.Node("app:1").Probe("reader")
		reader.Request(c.Gateway(1), &messages.SubscribeRequest{Request: 77, From: 1, Entries: 2})
		answer, err := actortest.Next[*messages.SubscribeResponse](reader, time.Minute)
		fmt.Println(answer.GetFailure(), err)
		subscription := actor.NewPID(logtest.Address(1), answer.GetSubscribed().GetSubscription())

		for after := uint64(0); after < 3; {
			d, err := actortest.Next[*messages.Delivery](reader, time.Minute)
			fmt.Println(d.GetRange().GetFirst(), "to", d.GetRange().GetLast(), err)
			after = d.GetRange().GetLast()
			reader.Request(subscription, &messages.Grant{Request: 77, After: after, Entries: 2})
		}

		c.Member(1).Append("four") // comes as soon as it is learned
		d, err := actortest.Next[*messages.Delivery](reader, time.Minute)
		fmt.Println(string(d.GetEntries()[0].GetData()), err)
	})
	fmt.Println(err)
	// Output:
	// <nil> <nil>
	// 1 to 2 <nil>
	// 3 to 3 <nil>
	// four <nil>
	// <nil>
}
