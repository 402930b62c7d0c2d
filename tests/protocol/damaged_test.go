package protocol

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// readFrom asks a member for what it has at a position, and what comes behind it.
func readFrom(t *testing.T, m *kit.Member, at log.Position) *messages.ReadResponse {
	t.Helper()
	m.Probe.Request(m.PID(member.Gateway), &messages.ReadRequest{Request: 1, From: uint64(at)})
	return actortest.Await[*messages.ReadResponse](t, m.Probe, time.Minute)
}

// failedMembers are the members that said that they are done for.
func failedMembers(c *kit.Cluster) (failed []log.ReplicaID) {
	for _, m := range c.Members {
		for _, e := range m.Events {
			if _, is := e.(member.Failed); is {
				failed = append(failed, m.ID)
			}
		}
	}
	return failed
}

func TestALearnedRecordThatRotsIsCopiedFromAPeer(t *testing.T) {
	c := twisted(t, 1, 300, nil)
	rotten := interval.Of(log.Span(100, 3), log.Span(400, 1))
	for run := range rotten.All() {
		for p := run.First; p <= run.Last; p++ {
			c.Member(2).Store.Rot(p)
		}
	}
	for _, at := range []log.Position{100, 400} {
		if f := readFrom(t, c.Member(2), at).GetFailure(); f.GetCode() != messages.Code_CODE_CORRUPT {
			t.Errorf("a read of the rotten record at %d is answered with %v, want CORRUPT", at, f)
		}
	}
	if p := readFrom(t, c.Member(2), 90).GetPage(); p.GetRange().GetLast() != 99 {
		t.Errorf("a read from 90 on shows %v, want [90, 99]", p.GetRange())
	}
	c.World.Run(3 * time.Second)
	if left := c.Member(2).Store.Rotten(); !left.Empty() {
		t.Errorf("the records at %v are not copied", left)
	}
	if p := readFrom(t, c.Member(2), 90).GetPage(); p.GetRange().GetLast() <= 102 {
		t.Errorf("a read from 90 on shows %v, want more than [90, 102]", p.GetRange())
	}
	if failed := failedMembers(c); failed != nil {
		t.Errorf("members %v are done for", failed)
	}
}

func TestARecordThatRotsOnAllWhoAreThereWaitsForAPeer(t *testing.T) {
	c := twisted(t, 1, 300, nil)
	c.World.Net.Isolate(c.Member(1).Node.Address())
	for _, id := range []log.ReplicaID{2, 3} {
		c.Member(id).Store.Rot(200)
		readFrom(t, c.Member(id), 200)
	}
	c.World.Run(5 * time.Second)
	if c.Member(2).Store.Rotten().Empty() || c.Member(3).Store.Rotten().Empty() {
		t.Error("a record was made up that nobody could give")
	}
	for _, e := range c.Member(2).Events {
		if p, is := e.(catchup.Progress); is {
			t.Errorf("it tells how far it is: %+v", p)
		}
	}
	c.World.Net.HealAll()
	c.World.Run(5 * time.Second)
	if !c.Member(2).Store.Rotten().Empty() || !c.Member(3).Store.Rotten().Empty() {
		t.Error("the record is not copied, though a peer has it")
	}
	if failed := failedMembers(c); failed != nil {
		t.Errorf("members %v are done for", failed)
	}
}

// The record below what an election has to settle is a NOP that has rotten: what its writer wrote behind it was never chosen.
func TestWhatLiesAboveARottenNOPIsNotProposedBeforeThatIsMended(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		nop := kit.Chosen(1, by(2, 2), "")
		nop.Value = log.Value{Kind: log.NOP}
		for _, m := range c.Members[:2] {
			m.Prepare(func(meta *storage.Metadata) {
				meta.Status, meta.Promised, meta.Reign = status.Voting, by(2, 2), log.Reign{By: by(1, 3), First: 1}
			}, nop, kit.Accepted(2, by(1, 3), "unlinked"))
		}
		c.Start()
		c.AwaitVoting(c.Members[:2]...)
		c.Member(1).Store.Rot(1)
		c.Member(1).Elect()
		if got := c.Member(2).Entries(); len(got) > 0 {
			t.Errorf("%q is in the log", got)
		}
		if !c.Member(1).Store.Rotten().Empty() {
			t.Error("the record was not mended")
		}
		c.Agree(c.Members...)
	})
}
