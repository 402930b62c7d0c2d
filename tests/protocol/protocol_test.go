// Package protocol has the claims of the log about whole members: real actors under the seeded world, a disk in memory, a
// virtual clock. They begin with those that Apache Mesos' own tests of its log name, the five that it left empty included.
package protocol

import (
	"fmt"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// patience is how long a test waits for what must happen, in virtual time.
const patience = time.Minute

// seeds runs a claim in n histories.
func seeds(t *testing.T, n uint64, claim func(t *testing.T, seed uint64)) {
	t.Helper()
	for seed := range n {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { claim(t, seed) })
	}
}

// span is the range from first to last.
func span(first, last log.Position) log.Range { return log.Range{First: first, Last: last} }

// by is a proposal of a replica in a round.
func by(round uint64, replica log.ReplicaID) log.Proposal { return log.NewProposal(round, replica) }

// appendAll appends n entries, "prefix0" and so on, one after the other.
func appendAll(m *kit.Member, prefix string, n int) []string {
	var entries []string
	for i := range n {
		entries = append(entries, fmt.Sprint(prefix, i))
		m.Append(entries[i])
	}
	return entries
}

// ask sends a client's request to a member's gateway and waits for the answer.
func ask[T any](t *testing.T, m *kit.Member, request any) T {
	t.Helper()
	m.Probe.Request(m.PID(member.Gateway), request)
	return actortest.Await[T](t, m.Probe, patience)
}

// appends is an AppendRequest.
func appends(writer uint64, entries ...string) *messages.AppendRequest {
	r := &messages.AppendRequest{Request: 1, Writer: writer}
	for _, e := range entries {
		r.Entries = append(r.Entries, []byte(e))
	}
	return r
}

// wait runs the world until something is so.
func wait(t *testing.T, c *kit.Cluster, what string, done func() bool) {
	t.Helper()
	c.World.Must(t, patience, what, done)
}

// lose drops every message of a kind.
func lose[T any](c *kit.Cluster) {
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if _, ok := e.Message.(T); ok {
			return actortest.Drop
		}
		return actortest.Deliver
	})
}

// awaitReady waits until the actors of members that were started can be reached.
func awaitReady(t *testing.T, c *kit.Cluster, members ...*kit.Member) {
	t.Helper()
	for _, m := range members {
		wait(t, c, "the actors are there", func() bool { return m.Reported(member.Ready{}) })
	}
}
