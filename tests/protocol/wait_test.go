package protocol

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/gateway"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// follows asks a member for what is at a position, and has it wait.
func follows(from, seen log.Position, wait time.Duration) *messages.ReadRequest {
	return &messages.ReadRequest{Request: 5, From: uint64(from), Seen: uint64(seen), WaitMicros: uint64(wait.Microseconds())}
}

func TestAReaderThatWaitsIsAnsweredAsSoonAsTheMemberHasLearned(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer := c.Member(1)
		writer.Elect()
		writer.Append("a")
		before := len(writer.Probe.Messages())
		for _, m := range c.Members {
			m.Probe.Request(m.PID(member.Gateway), follows(2, 0, 10*time.Second))
		}
		c.World.Run(2 * time.Second)
		for _, m := range c.Members {
			if got := len(m.Probe.Messages()); got != before && got > 0 {
				t.Fatalf("member %d answers, and nothing is there", m.ID)
			}
		}
		began := c.World.Elapsed()
		writer.Probe.Request(writer.PID(member.Gateway), appends(0, "b"))
		for _, m := range c.Members {
			page := actortest.Await[*messages.ReadResponse](t, m.Probe, patience).GetPage()
			if a := page.GetActions(); len(a) != 1 || string(a[0].GetValue().GetData()) != "b" {
				t.Errorf("member %d shows %v", m.ID, page)
			}
		}
		if took := c.World.Elapsed() - began; took > 100*time.Millisecond {
			t.Errorf("the last one was told after %v", took)
		}
		c.Acknowledge(2, kit.Entry("b"))
		c.Agree(c.Members...)
	})
}

func TestAReaderThatWaitsInVainIsToldThatThereIsNothing(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Elect()
	m.Append("a")
	quiet := m.Node.Timers()
	began := c.World.Elapsed()
	page := ask[*messages.ReadResponse](t, m, follows(2, 0, 3*time.Second)).GetPage()
	if took := c.World.Elapsed() - began; took < 3*time.Second || took > 4*time.Second || page == nil || page.GetRange() != nil || page.GetLearned() != 1 {
		t.Errorf("after %v: %v", took, page)
	}
	began = c.World.Elapsed()
	ask[*messages.ReadResponse](t, m, follows(2, 0, time.Hour))
	if took := c.World.Elapsed() - began; took > 11*time.Second {
		t.Errorf("it waited for %v", took)
	}
	if now := m.Node.Timers(); now > quiet {
		t.Errorf("%d timers run, and %d before", now, quiet)
	}
}

// It has seen the log elsewhere, further than this member has learned.
func TestAMemberThatLagsBehindAReaderDoesNotShowItAnOlderLog(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer, behind := c.Member(1), c.Member(3)
		writer.Elect()
		c.World.Run(time.Second)
		c.World.Net.Isolate(behind.Node.Address())
		want := appendAll(writer, "", 5)
		f := ask[*messages.ReadResponse](t, behind, follows(0, 5, 0)).GetFailure()
		expectCode(t, "a member that lags", f, messages.Code_CODE_NOT_LEARNED)
		behind.Probe.Request(behind.PID(member.Gateway), follows(0, 5, 10*time.Second))
		c.World.Net.HealAll()
		page := actortest.Await[*messages.ReadResponse](t, behind.Probe, patience).GetPage()
		if len(page.GetActions()) != len(want) {
			t.Errorf("once it has learned it shows %v", page)
		}
		c.Agree(c.Members...)
	})
}

func TestAMemberThatIsCutOffSendsWhoeverWaitsToAnother(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(3)
	c.World.Net.Isolate(m.Node.Address())
	c.World.Run(5 * time.Second)
	ask[*messages.ReadResponse](t, m, follows(1, 0, time.Second))
	expectCode(t, "a member alone", ask[*messages.ReadResponse](t, m, follows(1, 0, time.Second)).GetFailure(), messages.Code_CODE_NO_QUORUM)
}

func TestReadersThatWaitAreAnsweredWhereTheVoteIsLost(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Probe.Request(m.PID(member.Gateway), follows(1, 0, 10*time.Second))
	c.World.Run(time.Second)
	m.Probe.Send(m.PID(member.Gateway), gateway.Serve{})
	r := actortest.Await[*messages.ReadResponse](t, m.Probe, time.Second)
	expectCode(t, "a reader that waits", r.GetFailure(), messages.Code_CODE_NOT_VOTING)
}

func TestReadersThatWaitDoNotPileUp(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Probe.Forget()
	for range 1100 {
		m.Probe.Request(m.PID(member.Gateway), follows(1, 0, 10*time.Second))
	}
	c.World.Run(time.Second)
	busy := m.Probe.Messages()
	if len(busy) != 1100-1024 {
		t.Fatalf("%d of 1100 were turned away", len(busy))
	}
	for _, b := range busy {
		expectCode(t, "one too many", b.(*messages.ReadResponse).GetFailure(), messages.Code_CODE_BUSY)
	}
}

// Nobody syncs anything for a reader, and each asks each member once.
func TestABarrierOfAnIdleLogCostsAQuestionToEachMemberAndNoSync(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	c.Member(1).Elect()
	appendAll(c.Member(1), "", 3)
	c.World.Run(5 * time.Second)
	m := c.Member(2)
	before := ages(c)
	asked := 0
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		switch e.Message.(type) {
		case *messages.FrontierRequest:
			asked++
		case *messages.FetchRequest, *messages.PromiseRequest, *messages.WriteRequest, *messages.RecoverRequest:
			t.Errorf("a barrier sends a %T", e.Message)
		}
		return actortest.Deliver
	})
	const readers = 50
	m.Probe.Forget()
	for i := range readers {
		m.Probe.Request(m.PID(member.Gateway), &messages.CatchupRequest{Request: uint64(i + 1)})
	}
	wait(t, c, "all are answered", func() bool { return len(m.Probe.Messages()) == readers })
	for _, answer := range m.Probe.Messages() {
		if r := answer.(*messages.CatchupResponse); r.GetLearned() != 3 {
			t.Errorf("got %v", r)
		}
	}
	if asked > 2*len(c.Members) {
		t.Errorf("%d readers cost %d questions", readers, asked)
	}
	if after := ages(c); after != before {
		t.Errorf("the disks were synced: %v, and before %v", after, before)
	}
}

// ages is how many syncs the disks have seen.
func ages(c *kit.Cluster) (all [3]uint64) {
	for i, m := range c.Members {
		all[i] = m.Store.Age()
	}
	return all
}
