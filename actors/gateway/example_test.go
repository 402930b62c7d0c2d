package gateway_test

import (
	"fmt"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/messages"
)

// A client needs nothing but the gateway's PID and the messages, in whatever language it is written. Package cluster has one in Go.
func Example() {
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) {
		client := c.World.Node("app:1").Probe("client")

		client.Request(c.Gateway(2), &messages.AppendRequest{Request: 1, Entries: [][]byte{[]byte("one"), []byte("two")}})
		appended, err := actortest.Next[*messages.AppendResponse](client, time.Minute)
		fmt.Println("appended to request", appended.GetRequest(), appended.GetFailure(), err)

		client.Request(c.Gateway(2), &messages.ReadRequest{Request: 2})
		read, err := actortest.Next[*messages.ReadResponse](client, time.Minute)
		for _, a := range read.GetPage().GetActions() {
			fmt.Println(a.GetPosition(), string(a.GetValue().GetData()), err)
		}
	})
	fmt.Println(err)
	// Output:
	// appended to request 1 <nil> <nil>
	// 1 one <nil>
	// 2 two <nil>
	// <nil>
}
