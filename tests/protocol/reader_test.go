package protocol

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func TestAReadersCatchUpBringsEverythingAcknowledgedBeforeIt(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		lose[*messages.LearnedMessage](c)
		c.Member(1).Elect()
		want := appendAll(c.Member(1), "", 10)
		m := c.Member(2 + log.ReplicaID(seed%2))
		if r := m.Catchup(); r.GetLearned() < 10 {
			t.Errorf("got %v", r)
		}
		if got := m.Entries(); !slices.Equal(got, want) {
			t.Errorf("it reads %q", got)
		}
		c.Agree(c.Members...)
	})
}

// In Mesos the last position was invisible until another append came, and a log of one position could not be caught up.
func TestAReadersCatchUpBringsTheLastPositionToo(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.Member(1).Elect()
		if r := c.Member(2).Catchup(); r.GetLearned() != 0 || r.GetFailure() != nil {
			t.Errorf("an empty log: %v", r)
		}
		for i := range 3 {
			c.Member(1).Append(fmt.Sprint(i))
			if r := c.Member(2).Catchup(); r.GetLearned() != uint64(i+1) {
				t.Errorf("after %d entries: %v", i+1, r)
			}
		}
		c.Agree(c.Members...)
	})
}

func TestAReadersCatchUpDoesNotCostALiveWriterItsElection(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer := c.Member(1)
		by := writer.Elect().By
		for i := range 5 {
			c.Member(2).Probe.Request(c.Member(2).PID(member.Gateway), &messages.CatchupRequest{Request: uint64(i)})
			pour(t, c, writer, fmt.Sprint(i, "-"), 5)
		}
		for range 5 {
			actortest.Await[*messages.CatchupResponse](t, c.Member(2).Probe, patience)
		}
		if got := writer.Inspect().Writer; got != by {
			t.Errorf("the writer was %s and is %s", by, got)
		}
		c.Agree(c.Members...)
	})
}

// A position is accepted and its writer does not know yet: the catch-up lets it finish.
func TestAReadersCatchUpLeavesALiveWriterTheTimeToFinish(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer, reader := c.Member(1), c.Member(2)
		writer.Elect()
		forced := 0
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			switch m := e.Message.(type) {
			case *messages.WriteResponse:
				if e.From != e.To {
					return actortest.Hold
				}
			case *messages.PromiseRequest:
				if m.GetRange() != nil {
					forced++
				}
			}
			return actortest.Deliver
		})
		writer.Probe.Forget()
		writer.Probe.Request(writer.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry("a")}})
		wait(t, c, "it is accepted", func() bool { return len(c.World.Held()) == 2 })
		reader.Probe.Request(reader.PID(member.Gateway), &messages.CatchupRequest{Request: 1})
		c.World.Run(100 * time.Millisecond)
		c.World.Filter(nil)
		c.World.Release(nil)
		a := actortest.Await[coordinator.Appended](t, writer.Probe, patience)
		c.Acknowledge(a.Range.First, kit.Entry("a"))
		if r := actortest.Await[*messages.CatchupResponse](t, reader.Probe, patience); r.GetLearned() != 1 || forced > 0 {
			t.Errorf("got %v, %d promises", r, forced)
		}
		writer.Append("b") // it is still elected
		c.Agree(c.Members...)
	})
}

func TestAReadersCatchUpAfterATruncationBeginsThere(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.World.Net.Isolate(c.Member(3).Node.Address())
		c.Member(1).Elect()
		want := appendAll(c.Member(1), "", 20)
		truncate(t, c.Member(1), 15)
		c.World.Net.HealAll()
		c.Member(3).Catchup()
		if got := c.Member(3).Inspect(); got.Begin != 15 || got.Learned != 21 {
			t.Errorf("begins at %d, learned up to %d", got.Begin, got.Learned)
		}
		if got := c.Member(3).Entries(); !slices.Equal(got, want[14:]) {
			t.Errorf("it reads %q", got)
		}
		c.Agree(c.Members...)
	})
}

// Every third position is learned everywhere, and the others by nobody: what is copied again is no progress.
func TestAReadersCatchUpFillsTheHolesBetweenWhatIsLearned(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		var records []log.Action
		for p := log.Position(3); p <= 300; p += 3 {
			records = append(records, kit.Chosen(p, by(1, 1), fmt.Sprint(p)))
		}
		for _, m := range c.Members {
			m.Prepare(nil, records...)
		}
		c.Start()
		c.AwaitVoting(c.Members...)
		c.World.Run(time.Second) // until the others are present, and asked
		if r := c.Member(2).Catchup(); r.GetLearned() != 300 {
			t.Errorf("got %v", r)
		}
		c.Agree(c.Members...)
	})
}

func TestAReadersCatchUpWithoutQuorumFailsInTimeAndLeavesNothing(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(3)
	c.World.Run(time.Second)
	quiet, timers := m.Node.Actors(), m.Node.Timers()
	c.World.Net.Isolate(m.Node.Address())
	before := c.World.Elapsed()
	r := m.Catchup()
	if passed := c.World.Elapsed() - before; r.GetFailure().GetCode() != messages.Code_CODE_NO_QUORUM || passed > 31*time.Second {
		t.Errorf("after %v: %v", passed, r)
	}
	c.World.Run(10 * time.Millisecond)
	if got := m.Node.Actors(); !slices.Equal(got, quiet) || m.Node.Timers() != timers {
		t.Errorf("there run %q with %d timers, and before %q with %d", got, m.Node.Timers(), quiet, timers)
	}
}

func TestADigestTellsLogsApartAndEqualOnesNot(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	c.Member(1).Elect()
	appendAll(c.Member(1), "", 10)
	c.World.Run(5 * time.Second)
	request := &messages.DigestRequest{Range: &messages.Range{First: 2, Last: 9}}
	first := ask[*messages.DigestResponse](t, c.Member(1), request).GetDigest()
	for _, m := range c.Members[1:] {
		d := ask[*messages.DigestResponse](t, m, request).GetDigest()
		if !slices.Equal(d.GetSha256(), first.GetSha256()) || d.GetRange().GetLast() != 9 || len(d.GetSha256()) != 32 {
			t.Errorf("member %d: %v, want %v", m.ID, d, first)
		}
	}
	shorter := &messages.DigestRequest{Range: &messages.Range{First: 2, Last: 8}}
	if d := ask[*messages.DigestResponse](t, c.Member(1), shorter).GetDigest(); slices.Equal(d.GetSha256(), first.GetSha256()) {
		t.Error("two ranges have one digest")
	}
	nothing := ask[*messages.DigestResponse](t, c.Member(1), &messages.DigestRequest{})
	if nothing.GetFailure().GetCode() != messages.Code_CODE_MALFORMED {
		t.Errorf("without a range: %v", nothing)
	}
}
