package catchup_test

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
)

// reader is an actor of member 3 that wants everything that was acknowledged before.
func reader(e *ensemble.Ensemble) actor.ReceiveFunc {
	return func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			ctx.Spawn(e.Props(catchup.NewRefresh(e)))
		case catchup.Refreshed:
			fmt.Println("learned up to", m.Learned)
		}
	}
}

// Member 3 was away while entries were appended. A Refresh finds out how far the log goes, and has a Catchup copy it from whoever
// has it.
func Example() {
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) {
		c.Member(3).Isolate()
		for _, entry := range []string{"one", "two", "three"} {
			c.Member(1).Append(entry)
		}
		c.Member(3).Rejoin()

		m := c.Member(3)
		e := &ensemble.Ensemble{
			Self: 3, Members: []log.ReplicaID{1, 2, 3}, Replica: m.PID(member.Replica), Network: m.PID(member.Network),
			Peers: map[log.ReplicaID]*actor.PID{}, Patience: ensemble.Usual(),
			Clock: m.Node.Clock(), Random: m.Node.Random(), Measures: measure.New(m.Node.Clock().Now()), Log: zerolog.Nop(),
		}
		for _, peer := range c.Members {
			e.Peers[peer.ID] = peer.PID(member.Replica)
		}
		m.Node.Spawn("reader", actor.PropsFromFunc(reader(e)))
		c.Pass(time.Minute)
		fmt.Println(m.Entries())
	})
	fmt.Println(err)
	// Output:
	// learned up to 3
	// [one two three]
	// <nil>
}
