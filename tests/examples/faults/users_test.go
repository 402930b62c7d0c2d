package faults

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
)

// users are two processes with a registry each, and what they were ever promised.
type users struct {
	cluster  *logtest.Cluster
	hasty    bool
	promised map[string]map[string]bool // by name: everybody who was said to have it
	probes   [2]*actortest.Probe        // who asks
}

// start starts a process, for the first time or after a crash. Its node is in the world of the log's members: messages to them may
// be late, or lost.
func (u *users) start(i int) {
	node := u.cluster.World.Node(fmt.Sprintf("app:%d", i))
	node.Restart()
	node.Spawn("registry", actor.PropsFromProducer(func() actor.Actor {
		return &registry{gateway: u.cluster.Gateway, clock: node.Clock(), next: 1, owners: map[string]string{}, hasty: u.hasty}
	}))
	u.probes[i] = node.Probe("asker")
	u.probes[i].Each(func(r actortest.Received) {
		if g, ok := r.Message.(granted); ok {
			if u.promised[g.name] == nil {
				u.promised[g.name] = map[string]bool{}
			}
			u.promised[g.name][g.owner] = true
		}
	})
}

// claim has both want a name.
func (u *users) claim(name int) {
	for i, probe := range u.probes {
		registry := u.cluster.World.Node(fmt.Sprintf("app:%d", i)).PID("registry")
		probe.Request(registry, claim{fmt.Sprint("name-", name), fmt.Sprint("owner-", i)})
	}
}
