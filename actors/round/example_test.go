package round_test

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/log"
)

// proposer has one round after the other ask the replicas in the name of member 1.
type proposer struct {
	ensemble *ensemble.Ensemble
	reserved replica.Reserved
	rounds   int
}

func (p *proposer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		ctx.Request(p.ensemble.Replica, replica.Reserve{}) // a proposal that was never used
	case replica.Reserved:
		p.reserved = m
		p.ask(ctx, round.Promise(m.By, log.Range{}))
	case round.Done:
		p.rounds++
		fmt.Printf("round %d: %T\n", p.rounds, m.Outcome)
		if p.rounds == 1 { // a reign under the same proposal, from position 1 on
			p.ask(ctx, round.Reign(log.Reign{By: p.reserved.By, First: 1}))
		}
	}
}

func (p *proposer) ask(ctx actor.Context, q round.Question) {
	ctx.Spawn(p.ensemble.Props(round.New(p.ensemble, p.reserved.Identity, q)))
}

// A round asks, waits, asks again, and tells its parent.
func Example() {
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) {
		node := c.Member(1).Node
		e := &ensemble.Ensemble{
			Self: 1, Members: []log.ReplicaID{1, 2, 3}, Replica: c.Member(1).PID(member.Replica),
			Peers: map[log.ReplicaID]*actor.PID{}, Patience: ensemble.Usual(), Clock: node.Clock(), Random: node.Random(), Log: zerolog.Nop(),
		}
		for _, m := range c.Members {
			e.Peers[m.ID] = m.PID(member.Replica)
		}
		c.World.Net.Link(c.Member(1).Node.Address(), c.Member(2).Node.Address(), actortest.Quality{Drop: 0.5})
		c.Member(3).Kill()
		node.Spawn("proposer", actor.PropsFromProducer(func() actor.Actor { return &proposer{ensemble: e} }))
		c.Pass(time.Minute)
	})
	fmt.Println(err)
	// Output:
	// round 1: paxos.Won
	// round 2: paxos.Won
	// <nil>
}
