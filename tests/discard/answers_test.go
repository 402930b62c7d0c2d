package discard

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/gateway"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// An election that cannot be won is given up, and nothing of it is left but the answer.
func TestElectionEndsAtItsDeadline(t *testing.T) {
	for name, s := range map[string]setup{
		"nobody promises": {local: status.Voting, peers: voting(), hold: []string{"PromiseRequest"}},
		"nobody is there": {local: status.Voting, peers: voting(), absent: true},
		"nobody accepts":  {local: status.Voting, peers: voting(), shared: accepted(), hold: []string{"WriteRequest"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1, s)
			b.run(electing(b))
			b.cluster.World.Run(b.ensemble.Patience.Election + time.Second)
			want := []any{coordinator.Failed{Why: coordinator.Unheard}, coordinator.Failed{Why: coordinator.NotElected}}
			if !reflect.DeepEqual(b.told, want) {
				t.Fatalf("the coordinator said %+v", b.told)
			}
			b.actors = append(b.actors, b.subject().Id)
			slices.Sort(b.actors)
			b.expectSame("at the deadline")
		})
	}
}

// A batch that nobody answers is given up, and nothing of it is left but the answer.
func TestWriteEndsAtItsDeadline(t *testing.T) {
	b := newBench(t, 1, setup{local: status.Voting, peers: voting(), hold: []string{"WriteResponse"}})
	b.run(electing(b))
	b.cluster.World.Run(b.ensemble.Patience.Round + time.Second)
	if len(b.told) != 2 || !reflect.DeepEqual(b.told[1], coordinator.Failed{Why: coordinator.Indeterminate}) {
		t.Fatalf("the coordinator said %+v", b.told)
	}
	b.actors = append(b.actors, b.subject().Id)
	slices.Sort(b.actors)
	b.expectSame("at the deadline")
}

// An election that was given up poisons its round, which may have answered just then.
func TestBatchIsNotAcknowledgedByARoundThatWasGivenUp(t *testing.T) {
	b := newBench(t, 1, setup{local: status.Voting, peers: voting(), hold: []string{"WriteResponse"}})
	b.run(electing(b))
	b.reach("a batch is on its way", func() bool { return b.heldHere("WriteResponse") > 0 })
	b.node.Root().RequestWithCustomSender(b.subject(), round.Done{Outcome: paxos.Won{End: 7}}, b.node.PID("quorumlog/subject/$0"))
	b.cluster.World.Run(time.Second)
	if len(b.told) != 1 {
		t.Fatalf("the coordinator said %+v", b.told)
	}
}

// aloneInside is a member that votes, and that the others have left.
func aloneInside(t *testing.T, seed uint64) (*kit.Cluster, *kit.Member) {
	t.Helper()
	c := kit.Voting(t, seed, 3)
	c.Member(2).Crash()
	c.Member(3).Crash()
	c.World.Run(5 * time.Second)
	return c, c.Member(1)
}

func TestClientsCatchupEndsAtItsDeadlineWithNoQuorum(t *testing.T) {
	c, m := aloneInside(t, 1)
	actors, timers := m.Node.Actors(), c.World.Timers()
	m.Probe.Request(m.PID(member.Gateway), &messages.CatchupRequest{Request: 7})
	c.World.Run(29 * time.Second)
	if left(m.Node.Actors(), actors) == "" {
		t.Fatal("no catch-up is under way")
	}
	answer := actortest.Await[*messages.CatchupResponse](t, m.Probe, 2*time.Second)
	if code := answer.GetFailure().GetCode(); answer.GetRequest() != 7 || code != messages.Code_CODE_NO_QUORUM {
		t.Errorf("answer %v", answer)
	}
	c.World.Run(20 * time.Millisecond)
	if now := m.Node.Actors(); !slices.Equal(now, actors) || c.World.Timers() != timers {
		t.Errorf("there is still %q; %d timers, and %d before", left(now, actors), c.World.Timers(), timers)
	}
}

func TestDiscardedGatewayIsGoneWithItsCatchups(t *testing.T) {
	for seed := range uint64(20) {
		b := newBench(t, seed, setup{local: status.Voting, peers: voting(), shared: accepted(), hold: []string{"WriteRequest"}})
		b.run(gateway.New(b.ensemble))
		b.reach("the gateway is there", func() bool { return running(b) })
		client := b.node.Probe("client")
		client.Request(b.subject(), gateway.Serve{Coordinator: client.PID})
		client.Request(b.subject(), &messages.CatchupRequest{Request: 7})
		b.reach("a client's catch-up fills", func() bool { return b.heldHere("WriteRequest") > 0 })
		b.discard()
		client.Request(b.subject(), &messages.CatchupRequest{Request: 8}) // too late: it begins nothing
		b.expectGone("while a client's catch-up fills")
	}
}
