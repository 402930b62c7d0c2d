package protocol

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// full is the values of a batch that no other one is put into.
func full(text string) []log.Value {
	values := make([]log.Value, log.MaxRun)
	for i := range values {
		values[i] = kit.Entry(fmt.Sprint(text, i))
	}
	return values
}

// stream has a member append full batches, all at once.
func stream(m *kit.Member, batches int) {
	m.Probe.Forget()
	for i := range batches {
		m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Tag: uint64(i + 1), Values: full(fmt.Sprint("b", i+1, "-"))})
	}
}

// holdBack drops writes to some members, by the number of the batch that they are of.
func holdBack(c *kit.Cluster, batches []int, to ...*kit.Member) {
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		w, writes := e.Message.(*messages.WriteRequest)
		there := slices.ContainsFunc(to, func(m *kit.Member) bool { return m.Node.Address() == e.To })
		if writes && there && slices.Contains(batches, int(w.GetFirst())/log.MaxRun+1) {
			return actortest.Drop
		}
		return actortest.Deliver
	})
}

func TestBatchesAreAcknowledgedInTheOrderOfTheirPositions(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		// The first batch gets to member 2 only, and its copy to member 3 is asked for again; the others get to both.
		holdBack(c, []int{1}, c.Member(3))
		stream(m, 6)
		for i := range uint64(6) {
			a := actortest.Await[coordinator.Appended](t, m.Probe, patience)
			if a.Tag != i+1 || a.Range.First != log.Position(i*log.MaxRun+1) {
				t.Fatalf("answer %d is %+v", i+1, a)
			}
		}
		c.World.Filter(nil)
		c.Agree(c.Members...)
	})
}

func TestSeveralBatchesAreOnTheirWayAtOnce(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		c.World.Net.Isolate(m.Node.Address())
		stream(m, 20)
		c.World.Run(100 * time.Millisecond)
		if got := uint64(m.Inspect().End); got != 8*log.MaxRun {
			t.Errorf("%d positions are on their way", got)
		}
	})
}

func TestNothingIsChosenAboveABatchThatIsNot(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		holdBack(c, []int{2}, c.Members[1:]...)
		stream(m, 5)
		if a := actortest.Await[coordinator.Appended](t, m.Probe, patience); a.Tag != 1 {
			t.Fatalf("the first: %+v", a)
		}
		for _, o := range c.Members[1:] { // one may have missed the first batch, and is asked again
			wait(t, c, "it holds the first batch", func() bool { return o.Inspect().End > 0 })
		}
		c.World.Run(200 * time.Millisecond)
		for _, o := range c.Members[1:] {
			if got := uint64(o.Inspect().End); got != log.MaxRun {
				t.Errorf("member %d holds something up to %d", o.ID, got)
			}
		}
		c.World.Filter(nil) // it is asked again
		for tag := uint64(2); tag <= 5; tag++ {
			if a := actortest.Await[coordinator.Appended](t, m.Probe, patience); a.Tag != tag {
				t.Fatalf("batch %d: %+v", tag, a)
			}
		}
		c.Agree(c.Members...)
	})
}

func TestAReplicaThatMissedABatchGoesOnWithTheNextOnceTheMissedOneIsChosen(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m, late := c.Member(1), c.Member(3)
		m.Elect()
		holdBack(c, []int{1}, late)
		stream(m, 1)
		actortest.Await[coordinator.Appended](t, m.Probe, patience)
		m.Append("next")
		wait(t, c, "it holds the next one", func() bool { return late.Inspect().End == log.MaxRun+1 })
		if _, found, _ := late.Store.Get(log.MaxRun); found {
			t.Error("it got the first batch, too")
		}
		c.World.Filter(nil)
		c.Agree(c.Members...)
	})
}

// The next write tells that the missed one is chosen, and the writes between the two, which the replica kept, wait no longer.
func TestAReplicaThatLostOneWriteOfAFullPipelineVotesForAllOthers(t *testing.T) {
	seeds(t, 3, func(t *testing.T, seed uint64) {
		const batches, missed = 40, 5
		c := kit.Voting(t, seed, 3)
		m, late := c.Member(1), c.Member(3)
		m.Elect()
		var accepted []int
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			switch w := e.Message.(type) {
			case *messages.WriteRequest:
				if e.To == late.Node.Address() && int(w.GetFirst())/log.MaxRun+1 == missed {
					return actortest.Drop
				}
			case *messages.WriteResponse:
				if e.From == late.Node.Address() {
					accepted = append(accepted, int(w.GetAccepted().GetRange().GetFirst())/log.MaxRun+1)
				}
			}
			return actortest.Deliver
		})
		stream(m, batches)
		for range batches {
			actortest.Await[coordinator.Appended](t, m.Probe, patience)
		}
		c.World.Run(100 * time.Millisecond)
		slices.Sort(accepted)
		if accepted = slices.Compact(accepted); len(accepted) != batches-1 {
			t.Errorf("it accepted %d", accepted)
		}
	})
}

// A replica that missed the first batch keeps those behind it, and the other peer hears the writer no more after the first: with
// the notice that it is chosen there is a quorum for the others. That may be lost, too; and the writer may be about to end.
func TestOneLostWriteAndOneSilentMemberDoNotHoldAWriterUp(t *testing.T) {
	for name, row := range map[string]struct {
		notices int // that are lost
		end     bool
		within  time.Duration
	}{
		"at all":            {0, false, 500 * time.Millisecond},
		"for a lost notice": {1, false, 1500 * time.Millisecond},
		"where it ends":     {0, true, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			seeds(t, 5, func(t *testing.T, seed uint64) {
				c := kit.Voting(t, seed, 3)
				m, silent, late := c.Member(1), c.Member(2), c.Member(3)
				m.Elect()
				notices := row.notices
				c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
					lost := false
					switch w := e.Message.(type) {
					case *messages.WriteRequest:
						lost = e.To == late.Node.Address() && w.GetFirst() == 1 || e.To == silent.Node.Address() && w.GetFirst() > 1
					case *messages.LearnedMessage:
						if lost = e.To == late.Node.Address() && notices > 0; lost {
							notices--
						}
					}
					if lost {
						return actortest.Drop
					}
					return actortest.Deliver
				})
				stream(m, 3)
				if row.end {
					m.Node.Probe("operator").Request(m.PID(member.Coordinator), coordinator.Demote{})
				}
				before := c.World.Elapsed()
				for range 3 {
					actortest.Await[coordinator.Appended](t, m.Probe, patience)
				}
				if took := c.World.Elapsed() - before; took > row.within {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// What lies below a write may be copied from a peer. Where that is what the writer wrote, the write waits no longer; where it is
// a NOP that was chosen in its place, the write must never be accepted: whoever settles it takes it for one that was not.
func TestAWriteThatWaitsIsAcceptedAboveACopyOfItsWritersEntryOnly(t *testing.T) {
	for name, row := range map[string]struct {
		below log.Action
		want  log.Position
	}{
		"of the writer":      {kit.Chosen(1, by(9, 2), "e"), 2},
		"of another one":     {kit.Chosen(1, by(10, 3), "e"), 1},
		"a NOP in its place": {log.Action{Position: 1, Promised: by(10, 3), Performed: by(10, 3), Value: log.Value{Kind: log.NOP}, Learned: true}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c, m, p := alone(t, 1)
			p.Promise(m, by(9, 2), log.Range{})
			write := func() {
				m.Probe.Request(m.PID(member.Replica), codec.EncodeWriteRequest(p.Header(), codec.Write{
					By: by(9, 2), First: 2, Values: []log.Value{kit.Entry("e")},
				}))
				c.World.Run(100 * time.Millisecond)
			}
			write()
			m.Probe.Request(m.PID(member.Replica), replica.Learn{Actions: []log.Action{row.below}})
			c.World.Run(100 * time.Millisecond)
			if end := m.Inspect().End; end != row.want {
				t.Errorf("it holds something up to %d, want %d", end, row.want)
			}
			if write(); m.Inspect().End != row.want {
				t.Errorf("asked again, it holds something up to %d, want %d", m.Inspect().End, row.want)
			}
		})
	}
}

func TestAWriteThatWaitsIsRejectedOnceItsWriterIsFenced(t *testing.T) {
	_, m, p := alone(t, 1)
	p.Promise(m, by(9, 2), log.Range{})
	m.Probe.Request(m.PID(member.Replica), codec.EncodeWriteRequest(p.Header(), codec.Write{
		By: by(9, 2), First: 2, Values: []log.Value{kit.Entry("e")},
	}))
	actortest.ExpectNone[any](t, m.Probe, time.Second)
	p.Promise(m, by(10, 2), log.Range{})
	if answer := actortest.Await[*messages.WriteResponse](t, m.Probe, time.Second); answer.GetRejected() == nil {
		t.Errorf("the answer is %v", answer)
	}
}

// A write that comes before the one below it is not lost: the replica keeps it, and accepts both once the other is there.
func TestWritesThatOvertakeEachOtherAreAcceptedInTheirOrder(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		p := c.Peer(2)
		p.Promise(m, by(9, 2), log.Range{})
		write := func(first, settled log.Position) {
			m.Probe.Request(m.PID(member.Replica), codec.EncodeWriteRequest(p.Header(), codec.Write{
				By: by(9, 2), First: first, Settled: settled, Values: []log.Value{kit.Entry("e")},
			}))
		}
		for _, first := range []log.Position{4, 3, 2} {
			write(first, 0)
		}
		c.World.Run(time.Millisecond)
		if end := m.Inspect().End; end != 0 {
			t.Errorf("it holds something up to %d", end)
		}
		write(1, 0)
		var accepted []uint64
		wait(t, c, "all four are answered", func() bool {
			accepted = nil
			for _, answer := range m.Probe.Messages() {
				if r, ok := answer.(*messages.WriteResponse); ok {
					accepted = append(accepted, r.GetAccepted().GetRange().GetFirst())
				}
			}
			return len(accepted) == 4
		})
		if !slices.Equal(accepted, []uint64{1, 2, 3, 4}) {
			t.Errorf("accepted in the order %v", accepted)
		}
	})
}

func TestAfterARejectionNothingMoreIsSentAndEverybodyHearsWhatBecameOfItsBatch(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m, other := c.Member(1), c.Member(2)
		m.Elect()
		stream(m, 30)
		c.World.Run(time.Millisecond)
		other.Elect()
		var chosen, lost int
		wait(t, c, "all are answered", func() bool {
			chosen, lost = 0, 0
			for _, answer := range m.Probe.Messages() {
				switch a := answer.(type) {
				case coordinator.Appended:
					if chosen++; lost > 0 || a.Tag != uint64(chosen) {
						t.Fatalf("after %d that were chosen, and %d that were not: %+v", chosen-1, lost, a)
					}
				case coordinator.Failed:
					lost++
				}
			}
			return chosen+lost == 30
		})
		if lost == 0 {
			t.Error("all 30 are chosen")
		}
		other.Append("after")
		c.Agree(c.Members...)
		inOrder(t, m.Entries())
	})
}

func TestEveryDemoteIsAnswered(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Elect()
	stream(m, 1)
	one, other := m.Node.Probe("one"), m.Node.Probe("other")
	one.Request(m.PID(member.Coordinator), coordinator.Demote{})
	other.Request(m.PID(member.Coordinator), coordinator.Demote{})
	actortest.Await[coordinator.Demoted](t, one, patience)
	actortest.Await[coordinator.Demoted](t, other, patience)
}

// inOrder fails where the log has an entry of a stream without all that come before it in the stream.
func inOrder(t *testing.T, entries []string) {
	t.Helper()
	next := 0
	for _, e := range entries {
		var batch, at int
		if n, _ := fmt.Sscanf(e, "b%d-%d", &batch, &at); n < 2 {
			continue
		}
		if at += (batch - 1) * log.MaxRun; at != next {
			t.Fatalf("entry %d of the stream follows entry %d", at, next-1)
		}
		next++
	}
}

func TestAWritersEntriesAreInTheLogAsAFirstPartOfThem(t *testing.T) {
	seeds(t, 40, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		random := rand.New(rand.NewPCG(seed, 1))
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if _, writes := e.Message.(*messages.WriteRequest); writes && e.From == m.Node.Address() && random.IntN(2) == 0 {
				return actortest.Drop
			}
			return actortest.Deliver
		})
		stream(m, 8)
		c.World.Run(time.Duration(random.IntN(400)) * time.Millisecond)
		m.Crash()
		c.World.Filter(nil)
		c.Member(2).Elect()
		c.Member(2).Append("after")
		m.Restart()
		c.AwaitVoting(m)
		c.Agree(c.Members...)
		inOrder(t, m.Entries())
	})
}

func TestAWriterThatNobodyHearsGivesUpAllBatchesWithTheFirst(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		m.Probe.Forget()
		c.World.Net.Isolate(m.Node.Address())
		for tag := range uint64(2) {
			m.Probe.Request(m.PID(member.Coordinator), coordinator.Append{Tag: tag, Values: []log.Value{kit.Entry("lost")}})
			c.World.Run(4 * time.Second)
		}
		lost := 0
		for _, answer := range m.Probe.Messages() {
			if f, failed := answer.(coordinator.Failed); failed && f.Why == coordinator.Indeterminate {
				lost++
			}
		}
		if lost != 2 { // 5 s after the first, and not after the second
			t.Errorf("%d are given up", lost)
		}
	})
}
