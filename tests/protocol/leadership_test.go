package protocol

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/leader"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// led is a cluster whose members elect a writer by themselves.
func led(t *testing.T, seed uint64, n int) *kit.Cluster {
	t.Helper()
	c := kit.Initialized(t, seed, n)
	c.AutoElect = true
	c.Start()
	c.AwaitVoting(c.Members...)
	return c
}

// whoWrites names the members whose coordinators are elected, and their proposals.
func whoWrites(c *kit.Cluster) map[log.ReplicaID]log.Proposal {
	all := map[log.ReplicaID]log.Proposal{}
	for _, m := range c.Members {
		if !m.Node.Up() {
			continue
		}
		if by := m.Inspect().Writer; by > 0 {
			all[m.ID] = by
		}
	}
	return all
}

// awaitWriter waits until a member writes that is none of these, and returns it.
func awaitWriter(t *testing.T, c *kit.Cluster, within time.Duration, but ...log.ReplicaID) *kit.Member {
	t.Helper()
	began := c.World.Elapsed()
	for c.World.Elapsed()-began <= within {
		for id := range whoWrites(c) {
			if !slices.Contains(but, id) {
				return c.Member(id)
			}
		}
		c.World.Run(10 * time.Millisecond)
	}
	t.Fatalf("seed %d: nobody writes after %v: %v", c.World.Seed(), within, whoWrites(c))
	return nil
}

// others are all members but one.
func others(c *kit.Cluster, but *kit.Member) []*kit.Member {
	return slices.DeleteFunc(slices.Clone(c.Members), func(m *kit.Member) bool { return m == but })
}

func TestAClusterHasAWriterThoughNoClientAsks(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		first := awaitWriter(t, c, 2*time.Second)
		before := whoWrites(c)
		c.World.Run(30 * time.Second)
		if now := whoWrites(c); len(now) != 1 || now[first.ID] != before[first.ID] || before[first.ID].Round() > 2 {
			t.Errorf("seed %d: %v wrote, and now %v does", seed, before, now)
		}
	})
}

func TestAWriterThatIsKilledIsFollowed(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		first := awaitWriter(t, c, 2*time.Second)
		first.Append("before")
		first.Crash()
		second := awaitWriter(t, c, 2*time.Second)
		second.Append("after")
		if got := second.Entries(); !slices.Equal(got, []string{"before", "after"}) {
			t.Errorf("seed %d: the second has %q", seed, got)
		}
	})
}

func TestAMemberThatReturnsFencesNobody(t *testing.T) {
	for _, c := range []struct {
		claim string
		away  func(m *kit.Member)
		back  func(m *kit.Member)
	}{
		{"after it was cut off", func(m *kit.Member) { m.Isolate() }, func(m *kit.Member) { m.Rejoin() }},
		{"after it was down", func(m *kit.Member) { m.Crash() }, func(m *kit.Member) { m.Restart() }},
	} {
		t.Run(c.claim, func(t *testing.T) {
			seeds(t, 10, func(t *testing.T, seed uint64) {
				cluster := led(t, seed, 3)
				writer := awaitWriter(t, cluster, 2*time.Second)
				by := writer.Inspect().Writer
				away := others(cluster, writer)[seed%2]
				c.away(away)
				cluster.World.Run(10 * time.Second)
				c.back(away)
				cluster.World.Run(10 * time.Second)
				if now := whoWrites(cluster); len(now) != 1 || now[writer.ID] != by {
					t.Errorf("seed %d: %s wrote, and now %v do", seed, by, now)
				}
			})
		})
	}
}

func TestAMemberThatHearsLessThanTheOthersFencesNobody(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		writer := awaitWriter(t, c, 2*time.Second)
		by := writer.Inspect().Writer
		half := others(c, writer)[seed%2]
		c.World.Net.Cut(writer.Node.Address(), half.Node.Address())
		c.World.Net.Cut(half.Node.Address(), writer.Node.Address())
		for range 10 {
			half.Probe.Request(half.PID(member.Gateway), &messages.AppendRequest{Request: 1, Entries: [][]byte{[]byte("x")}})
			c.World.Run(time.Second)
		}
		if now := whoWrites(c); len(now) != 1 || now[writer.ID] != by {
			t.Errorf("seed %d: %s wrote, and now %v do", seed, by, now)
		}
	})
}

func TestAWriterThatIsCutOffStepsAside(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		first := awaitWriter(t, c, 2*time.Second)
		c.World.Run(time.Second)
		for _, o := range others(c, first) { // and not from its clients
			c.World.Net.Cut(first.Node.Address(), o.Node.Address())
			c.World.Net.Cut(o.Node.Address(), first.Node.Address())
		}
		cut := c.World.Elapsed()
		first.Probe.Request(first.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry("x")}})
		failed := actortest.Await[coordinator.Failed](t, first.Probe, time.Minute)
		if took := c.World.Elapsed() - cut; failed.Why != coordinator.Indeterminate || took > 2*time.Second {
			t.Errorf("seed %d: what was on its way failed as %d after %v", seed, failed.Why, took)
		}
		awaitWriter(t, c, 2*time.Second, first.ID)
		if took := c.World.Elapsed() - cut; took > 2500*time.Millisecond {
			t.Errorf("seed %d: another one writes after %v", seed, took)
		}
		c.World.Net.HealAll()
		c.World.Run(5 * time.Second)
		if now := whoWrites(c); len(now) != 1 || now[first.ID] > 0 {
			t.Errorf("seed %d: it is back, and %v write", seed, now)
		}
	})
}

func TestAWriterWithASlowDiskStepsAsideForAFasterOne(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		first := awaitWriter(t, c, 2*time.Second)
		slow := func() {
			first.Node.Occupy(kit.Name+"/"+member.Replica+"/"+replica.Syncer, 400*time.Millisecond)
		}
		for range 20 {
			slow()
			first.Probe.Request(first.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry("x")}})
			c.World.Run(450 * time.Millisecond)
		}
		if now := whoWrites(c); len(now) != 1 || now[first.ID] > 0 {
			t.Errorf("seed %d: member %d has the slow disk, and %v write", seed, first.ID, now)
		}
	})
}

func TestAWriterThatLeavesIsFollowedAtOnceAndLosesNothing(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		first := awaitWriter(t, c, 2*time.Second)
		first.Append("before")
		c.World.Run(time.Second)
		first.Probe.Request(first.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry("on its way")}})
		c.World.Run(0)
		began := c.World.Elapsed()
		first.Node.Root().Send(first.Node.PID(kit.Name), member.Leave{})
		actortest.Await[coordinator.Appended](t, first.Probe, time.Second)
		second := awaitWriter(t, c, 300*time.Millisecond, first.ID)
		c.World.Must(t, time.Second, "it has left", func() bool { return first.Reported(member.Left{}) })
		if took := c.World.Elapsed() - began; took > 500*time.Millisecond {
			t.Errorf("seed %d: it left after %v", seed, took)
		}
		first.Probe.Request(first.PID(member.Gateway), &messages.AppendRequest{Request: 7, Entries: [][]byte{[]byte("late")}})
		f := actortest.Await[*messages.AppendResponse](t, first.Probe, time.Second).GetFailure()
		if f.GetCode() != messages.Code_CODE_NOT_ELECTED || f.GetWriter() != uint32(second.ID) {
			t.Errorf("seed %d: a client that asks on is told %v, and %d writes", seed, f, second.ID)
		}
		if got := second.Entries(); !slices.Equal(got, []string{"before", "on its way"}) {
			t.Errorf("seed %d: the second has %q", seed, got)
		}
	})
}

func TestAnElectionThatAClientAsksForIsNotRefusedForAWriterThatIsHeard(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		first := awaitWriter(t, c, 2*time.Second)
		second := others(c, first)[seed%2]
		second.Elect()
		c.World.Run(5 * time.Second)
		if now := whoWrites(c); len(now) != 1 || now[second.ID] == 0 {
			t.Errorf("seed %d: member %d was elected for a client, and %v write", seed, second.ID, now)
		}
	})
}

func TestAnOpinionStoresNothing(t *testing.T) {
	for _, x := range []struct {
		claim string
		setUp func(c *kit.Cluster, p *kit.Peer)
		by    log.Proposal
		want  paxos.Answer
	}{
		{"nobody writes", func(*kit.Cluster, *kit.Peer) {}, log.NewProposal(9, 3), paxos.Willing{}},
		{"somebody writes", func(c *kit.Cluster, _ *kit.Peer) { c.Member(2).Elect() }, log.NewProposal(9, 3),
			paxos.Rejected{By: log.NewProposal(1, 2)}},
		{"the one who asks writes", func(c *kit.Cluster, p *kit.Peer) { p.Promise(c.Member(1), log.NewProposal(5, 3), log.Range{}) },
			log.NewProposal(9, 3), paxos.Willing{}},
		{"more was promised", func(c *kit.Cluster, p *kit.Peer) { p.Promise(c.Member(1), log.NewProposal(9, 3), log.Range{}) },
			log.NewProposal(9, 3), paxos.Rejected{By: log.NewProposal(9, 3)}},
	} {
		t.Run(x.claim, func(t *testing.T) {
			c := kit.Initialized(t, 1, 3)
			p := c.Peer(3)
			c.Member(1).Start()
			c.Member(2).Start()
			c.AwaitVoting(c.Member(1), c.Member(2))
			x.setUp(c, p)
			c.World.Run(500 * time.Millisecond)
			before, age := c.Member(1).Store.Metadata(), c.Member(1).Store.Age()
			if got := p.Canvass(c.Member(1), x.by); got != x.want {
				t.Errorf("it says %#v, want %#v", got, x.want)
			}
			after := c.Member(1).Store.Metadata()
			if before.Promised != after.Promised || before.Highest != after.Highest || c.Member(1).Store.Age() != age {
				t.Errorf("the disk was %+v, and is %+v", before, after)
			}
			_, _, err := codec.DecodeCanvassResponse(&messages.CanvassResponse{Header: p.Header()})
			if err == nil {
				t.Error("an answer without an outcome is read")
			}
		})
	}
}

// The third is down, and cannot say which of the two it would not mind.
func TestTwoMembersThatStandAtTheSameMomentDoNotWaitForOneThatIsDown(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		first := awaitWriter(t, c, 2*time.Second)
		first.Crash()
		both := others(c, first)
		c.World.Run(1100 * time.Millisecond) // until nobody hears it any more
		for _, m := range both {
			m.Probe.Request(m.PID(member.Leader), leader.Seek{Tag: 1})
		}
		awaitWriter(t, c, 900*time.Millisecond, first.ID)
	})
}

// A candidate's greetings say that it does not write yet, while it settles what the dead writer left.
func TestAWriterThatIsGoneIsFollowedByOneElection(t *testing.T) {
	for seed := range uint64(5) {
		c := led(t, seed, 5)
		gone := awaitWriter(t, c, 3*time.Second)
		for i := range 20 {
			gone.Append(fmt.Sprint(i))
		}
		for i := range 8 { // what is on its way is to be settled
			gone.Probe.Request(gone.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry(fmt.Sprint("late", i))}})
		}
		c.World.Run(2 * time.Millisecond)
		before := gone.Inspect().Writer
		gone.Crash()
		awaitWriter(t, c, 10*time.Second, gone.ID)
		c.World.Run(3 * time.Second)
		for id, by := range whoWrites(c) {
			if by.Round() > before.Round()+1 {
				t.Errorf("seed %d: member %d writes under %v, and %v was before", seed, id, by, before)
			}
		}
	}
}
