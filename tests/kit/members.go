package kit

import (
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
)

// Add makes one more member, with an empty disk, which is not started, and is no member of the log yet.
func (c *Cluster) Add() *Member {
	added := c.Cluster.Add()
	added.Failed = func(error) {}
	m := &Member{Member: added, cluster: c}
	c.Members = append(c.Members, m)
	return m
}

// Change has the member's coordinator change the members, and returns its answer: coordinator.Changed or coordinator.Failed.
func (m *Member) Change(kind membership.Kind, id log.ReplicaID) any {
	m.cluster.t.Helper()
	ch := membership.Change{Kind: kind, ID: id}
	if kind == membership.Add {
		ch.Address = logtest.Address(id)
	}
	m.Probe.Request(m.PID(member.Coordinator), coordinator.Change{Change: ch})
	return m.either()
}

// MustChange is Change, and tries again while the member to be promoted is behind, which ends the test where it always is.
func (m *Member) MustChange(kind membership.Kind, id log.ReplicaID) membership.Configuration {
	m.cluster.t.Helper()
	var answer any
	for range 60 {
		answer = m.Change(kind, id)
		if changed, ok := answer.(coordinator.Changed); ok {
			return changed.Configuration
		}
		if failed, ok := answer.(coordinator.Failed); !ok || failed.Why != coordinator.BadChange {
			break
		}
		m.cluster.World.Run(time.Second)
	}
	m.cluster.t.Fatalf("change %d of member %d: %+v", kind, id, answer)
	return membership.Configuration{}
}

// Epoch is how many changes of the members are in force at the member.
func (m *Member) Epoch() uint64 { return m.Store.Metadata().Configuration.Epoch }
