package discard

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/recovery"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
)

// everyMoment discards an actor after its first step, after a few more, and so on until it has finished by itself, each in
// a history of its own.
func everyMoment(t *testing.T, producer func(*bench) actor.Producer, s setup) {
	const stride = 4
	for steps, finished := uint64(1), false; !finished; steps += stride {
		t.Run(fmt.Sprint("after=", steps), func(t *testing.T) {
			b := newBench(t, steps, s)
			b.run(producer(b))
			for range steps {
				b.cluster.World.Step()
			}
			finished = steps > 20 && !running(b)
			b.discard()
			b.cluster.World.Run(time.Second)
			b.expectSame(fmt.Sprintf("after %d steps", steps))
		})
	}
}

func TestRecoverThatIsDiscardedAtAnyMomentIsGone(t *testing.T) {
	everyMoment(t, func(b *bench) actor.Producer { return recovery.New(b.ensemble, false) }, setup{peers: voting(), shared: accepted()})
}

func TestRefreshThatIsDiscardedAtAnyMomentIsGone(t *testing.T) {
	everyMoment(t, func(b *bench) actor.Producer { return catchup.NewRefresh(b.ensemble) },
		setup{local: status.Voting, peers: voting(), shared: accepted()})
}

// ending is an actor that waits for a child to end, and what is in its mailbox behind the poison: it would begin something
// else, which nobody would end.
type ending struct {
	name     string
	producer func(b *bench) actor.Producer
	place    place
	behind   func(b *bench) []any
}

// An actor that stops still hears what is in its mailbox while it waits for its children.
func TestWhatAnEndingActorHearsBeginsNothing(t *testing.T) {
	for _, e := range endings() {
		t.Run(e.name, func(t *testing.T) {
			for seed := range uint64(20) {
				b := newBench(t, seed, e.place.setup)
				b.run(e.producer(b))
				b.reach(e.name, func() bool { return e.place.reach(b) })
				b.cluster.World.Run(e.place.linger)
				child := b.firstChild()
				b.discard()
				for _, m := range e.behind(b) {
					b.node.Root().RequestWithCustomSender(b.subject(), m, child)
				}
				b.cluster.World.Run(20 * time.Millisecond)
				b.expectSame("while its child ends")
			}
		})
	}
}

func endings() []ending {
	run := log.Range{First: 1, Last: 2}
	none := setup{local: status.Voting, peers: voting(), shared: accepted(), hold: []string{"PromiseResponse"}}
	promising := place{setup: none, reach: held("PromiseResponse")}
	return []ending{
		{
			name:     "recover",
			producer: func(b *bench) actor.Producer { return recovery.New(b.ensemble, false) },
			place:    place{setup: setup{peers: voting(), hold: []string{"RecoverResponse"}}, reach: held("RecoverResponse")},
			behind: func(*bench) []any {
				return []any{
					recovery.Decided{Decision: status.Decision{Next: status.Recovering, Begin: 1, End: 2}},
					replica.Advanced{Status: status.Recovering},
				}
			},
		},
		{
			name:     "catchup",
			producer: func(b *bench) actor.Producer { return catchup.New(b.ensemble, catchup.Config{Range: run}) },
			place:    promising,
			behind: func(b *bench) []any {
				missed := replica.Missed{Set: interval.Of(run), Begin: 1, End: 2}
				return []any{catchup.Filled{Range: run}, missed}
			},
		},
		{
			name:     "fill",
			producer: func(b *bench) actor.Producer { return catchup.NewFill(b.ensemble, run, 0) },
			place: place{
				setup: setup{local: status.Voting, peers: voting(), hold: []string{"PromiseResponse", "WriteResponse"}},
				reach: held("PromiseResponse"),
			},
			behind: func(*bench) []any { return []any{round.Done{Outcome: paxos.Won{Range: run, End: 2}}} },
		},
		{
			name:     "follow",
			producer: func(b *bench) actor.Producer { return catchup.NewFollow(b.ensemble) },
			place: place{
				setup: setup{local: status.Voting, peers: voting(), shared: chosen(), hold: []string{"FetchResponse"}}, reach: held("FetchResponse"),
			},
			behind: func(*bench) []any {
				peers := []network.Peer{{ID: 1, Present: true, Presence: codec.Presence{Status: status.Voting, Learned: 9}}}
				inspected := replica.Inspected{Status: status.Voting, Begin: 1}
				return []any{catchup.Done{}, network.Surveyed{Peers: peers}, inspected, inspected}
			},
		},
		{
			name:     "coordinator",
			producer: electing,
			place: place{
				setup: setup{local: status.Voting, peers: voting(), hold: []string{"WriteResponse"}}, reach: held("WriteResponse"),
			},
			behind: func(*bench) []any {
				lost := round.Done{Outcome: paxos.Lost{By: log.NewProposal(9, 1)}}
				return []any{lost, coordinator.Elect{}, replica.Reserved{By: log.NewProposal(10, 3)}}
			},
		},
	}
}
