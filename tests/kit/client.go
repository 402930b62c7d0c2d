package kit

import (
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// patience is how long a client waits for an answer, in virtual time.
const patience = time.Minute

// attempts is how many elections a client asks for, one after the other.
const attempts = 10

// Elect has the member's coordinator elected, and tries again while it loses.
func (m *Member) Elect() coordinator.Elected {
	m.cluster.t.Helper()
	for range attempts {
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Elect{})
		if e, ok := m.either().(coordinator.Elected); ok {
			return e
		}
	}
	m.cluster.t.Fatalf("member %d lost %d elections", m.ID, attempts)
	return coordinator.Elected{}
}

// either waits for the answer to an Elect or an Append.
func (m *Member) either() any {
	m.cluster.t.Helper()
	before := len(m.Probe.Messages())
	m.cluster.World.Must(m.cluster.t, patience, "the coordinator answers", func() bool {
		return len(m.Probe.Messages()) > before
	})
	return m.Probe.Messages()[before]
}

// Write has the member's coordinator write values, and returns its answer: coordinator.Appended or coordinator.Failed.
func (m *Member) Write(fence log.Proposal, values ...log.Value) any {
	m.cluster.t.Helper()
	before := m.cluster.highest()
	m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Fence: fence, Values: values})
	answer := m.either()
	if a, ok := answer.(coordinator.Appended); ok {
		if a.Range.First <= before {
			m.cluster.t.Fatalf("written at %s, and position %d was acknowledged before", a.Range, before)
		}
		m.cluster.Acknowledge(a.Range.First, values...)
	}
	return answer
}

// Append has the member's coordinator write an entry, which must succeed.
func (m *Member) Append(entry string) log.Position {
	m.cluster.t.Helper()
	answer := m.Write(0, Entry(entry))
	appended, ok := answer.(coordinator.Appended)
	if !ok {
		m.cluster.t.Fatalf("append %q: %+v", entry, answer)
	}
	return appended.Range.First
}

// Entry is the value of an entry.
func Entry(s string) log.Value { return log.Value{Kind: log.Append, Data: []byte(s)} }

// Read returns everything that the member's replica has learned, as position -> value; the range must be readable.
func (m *Member) Read() []log.Action {
	m.cluster.t.Helper()
	var all []log.Action
	from := log.Position(0)
	for {
		m.Probe.Request(m.PID(member.Replica), replica.Read{Range: log.Range{First: from}})
		page := actortest.Await[replica.Page](m.cluster.t, m.Probe, patience)
		if page.Fault != replica.NoFault {
			m.cluster.t.Fatalf("read from %d: fault %d", from, page.Fault)
		}
		if page.Range.Empty() {
			return all
		}
		all = append(all, page.Actions...)
		from = page.Range.Last + 1
	}
}

// Entries returns the entries that the member's replica has learned, in order.
func (m *Member) Entries() []string {
	m.cluster.t.Helper()
	var entries []string
	for _, a := range m.Read() {
		if a.Value.Kind == log.Append {
			entries = append(entries, string(a.Value.Data))
		}
	}
	return entries
}

// Catchup has the member learn everything that was acknowledged before.
func (m *Member) Catchup() *messages.CatchupResponse {
	m.cluster.t.Helper()
	m.Probe.Request(m.PID(member.Gateway), &messages.CatchupRequest{Request: 1})
	return actortest.Await[*messages.CatchupResponse](m.cluster.t, m.Probe, patience)
}
