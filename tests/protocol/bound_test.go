package protocol

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func TestAtMost64ChangesOfTheMembersWait(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Isolate()
	m.Probe.Request(m.PID(member.Coordinator), coordinator.Elect{Tag: 1})
	for i := range uint64(65) {
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Change{Tag: 2 + i, Change: membership.Change{Kind: membership.Remove, ID: 3}})
	}
	if failed := actortest.Await[coordinator.Failed](t, m.Probe, time.Second); failed.Why != coordinator.Busy || failed.Tag != 66 {
		t.Errorf("the answer is %+v", failed)
	}
	actortest.ExpectNone[coordinator.Failed](t, m.Probe, time.Second)
}

// TestEmptyEntriesDoNotWaitWithoutBound: they have no bytes, but take memory.
func TestEmptyEntriesDoNotWaitWithoutBound(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Elect()
	c.World.Net.Isolate(m.Node.Address())
	values := make([]log.Value, log.MaxRun)
	for i := range values {
		values[i] = log.Value{Kind: log.Append}
	}
	const most = 8 // on their way
	for i := range most + 1 + ensemble.MaxWaiting/coordinator.Cost(values) {
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Tag: uint64(i), Values: values})
	}
	failed := actortest.Await[coordinator.Failed](t, m.Probe, time.Second)
	if failed.Why != coordinator.Busy {
		t.Errorf("got %+v", failed)
	}
}

func TestCatchupsWithoutAQuorumDoNotPileUp(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	c.World.Net.Isolate(m.Node.Address())
	before := len(m.Node.Actors())
	for i := range uint64(1100) {
		m.Probe.Request(m.PID(member.Gateway), &messages.CatchupRequest{Request: i})
	}
	busy := actortest.Await[*messages.CatchupResponse](t, m.Probe, time.Second)
	expectCode(t, "one too many", busy.GetFailure(), messages.Code_CODE_BUSY)
	if n := len(m.Node.Actors()) - before; n > 100 {
		t.Errorf("%d actors more than before", n)
	}
}

// TestAnswerToAWriteOverLargeEntriesFitsIntoAMessage: a late writer's batch of small entries may lie over large ones.
func TestAnswerToAWriteOverLargeEntriesFitsIntoAMessage(t *testing.T) {
	_, m, p := alone(t, 1)
	const entries = 6
	small := make([]log.Value, entries)
	for i := range log.Position(entries) {
		large := log.Value{Kind: log.Append, Data: make([]byte, log.MaxEntry/2)}
		if a, ok := p.Write(m, by(5, 2), i+1, large).(paxos.Accepted); !ok {
			t.Fatalf("got %#v", a)
		}
		small[i] = kit.Entry("small")
	}
	if a, ok := p.Write(m, by(4, 2), 1, small...).(paxos.Rejected); !ok || !a.Overwritten {
		t.Errorf("below what was accepted: got %#v", a)
	}
	p.Notice(m, by(5, 2), span(1, entries))
	learned, ok := p.Write(m, by(4, 2), 1, small...).(paxos.Learned)
	if !ok || len(learned.Actions) != 2 || len(learned.Actions[1].Value.Data) != log.MaxEntry/2 {
		t.Errorf("below what is learned: got %d records", len(learned.Actions))
	}
}
