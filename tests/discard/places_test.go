package discard

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/recovery"
	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// place is where an actor is discarded.
type place struct {
	name   string
	setup  setup
	reach  func(b *bench) bool
	linger time.Duration // after reach
}

// claim discards an actor in every place, in some histories each.
func claim(t *testing.T, producer func(*bench) actor.Producer, places []place) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			for seed := range uint64(3) {
				b := newBench(t, seed, p.setup)
				b.run(producer(b))
				b.reach(p.name, func() bool { return p.reach(b) })
				b.cluster.World.Run(p.linger)
				if left(b.node.Actors(), b.actors) == "" {
					t.Fatalf("seed %d: nothing is there to be discarded", seed)
				}
				b.discard()
				b.expectGone(p.name)
			}
		})
	}
}

// held is reached once a message of this name is held.
func held(name string) func(*bench) bool { return func(b *bench) bool { return b.heldHere(name) > 0 } }

// heard is reached once so many messages of this name came.
func heard(name string, n int) func(*bench) bool {
	return func(b *bench) bool { return b.heard[name] >= n }
}

func running(b *bench) bool { return left(b.node.Actors(), b.actors) != "" }

func voting() [2]status.Status { return [2]status.Status{status.Voting, status.Voting} }

// chosen is a log of the peers.
func chosen() []log.Action {
	return []log.Action{kit.Chosen(1, log.NewProposal(1, 1), "a"), kit.Chosen(2, log.NewProposal(1, 1), "b")}
}

// accepted is a log that nobody knows as learned.
func accepted() []log.Action {
	return []log.Action{kit.Accepted(1, log.NewProposal(1, 1), "a"), kit.Accepted(2, log.NewProposal(1, 1), "b")}
}

func TestDiscardedRecoverIsGone(t *testing.T) {
	claim(t, func(b *bench) actor.Producer { return recovery.New(b.ensemble, false) }, []place{
		{name: "while waiting for the network", setup: setup{absent: true}, reach: running, linger: time.Minute},
		{name: "while asking", setup: setup{peers: voting(), hold: []string{"RecoverResponse"}}, reach: held("RecoverResponse")},
		{
			name:  "while pausing",
			setup: setup{peers: [2]status.Status{status.Voting, status.Empty}}, reach: heard("RecoverResponse", 3), linger: 100 * time.Millisecond,
		},
		{name: "while copying", setup: setup{peers: voting(), shared: chosen(), hold: []string{"FetchResponse"}}, reach: held("FetchResponse")},
		{
			name:  "while giving a writer time",
			setup: setup{peers: voting(), shared: accepted()}, reach: heard("FetchResponse", 2), linger: 50 * time.Millisecond,
		},
		{
			name:  "while filling: promises",
			setup: setup{peers: voting(), shared: accepted(), hold: []string{"PromiseResponse"}}, reach: held("PromiseResponse"),
		},
		{
			name:  "while filling: writes",
			setup: setup{peers: voting(), shared: accepted(), hold: []string{"WriteResponse"}}, reach: held("WriteResponse"),
		},
	})
}

func TestDiscardedCatchupIsGone(t *testing.T) {
	producer := func(b *bench) actor.Producer {
		return catchup.New(b.ensemble, catchup.Config{Range: log.Range{First: 1, Last: 2}, Grace: b.ensemble.Patience.Grace})
	}
	claim(t, producer, []place{
		{
			name:  "while copying",
			setup: setup{local: status.Voting, peers: voting(), shared: chosen(), hold: []string{"FetchRequest"}}, reach: held("FetchRequest"),
		},
		{
			name:  "while giving a writer time",
			setup: setup{local: status.Voting, peers: voting(), shared: accepted()}, reach: heard("FetchResponse", 2), linger: 50 * time.Millisecond,
		},
		{
			name:  "while filling",
			setup: setup{local: status.Voting, peers: voting(), shared: accepted(), hold: []string{"PromiseResponse"}}, reach: held("PromiseResponse"),
		},
	})
}

func TestDiscardedFillIsGone(t *testing.T) {
	producer := func(b *bench) actor.Producer { return catchup.NewFill(b.ensemble, log.Range{First: 1, Last: 2}, 0) }
	claim(t, producer, []place{
		{
			name:  "while promising",
			setup: setup{local: status.Voting, peers: voting(), hold: []string{"PromiseResponse"}}, reach: held("PromiseResponse"),
		},
		{
			name:  "while writing",
			setup: setup{local: status.Voting, peers: voting(), hold: []string{"WriteResponse"}}, reach: held("WriteResponse"),
		},
		{
			name:  "while pausing after it lost",
			setup: setup{local: status.Voting, peers: voting(), higher: true}, reach: heard("PromiseResponse", 3), linger: 50 * time.Millisecond,
		},
		{name: "without a quorum", setup: setup{local: status.Voting, absent: true}, reach: running, linger: time.Minute},
	})
}

func TestDiscardedRefreshIsGone(t *testing.T) {
	claim(t, func(b *bench) actor.Producer { return catchup.NewRefresh(b.ensemble) }, []place{
		{
			name:  "while asking",
			setup: setup{local: status.Voting, peers: voting(), hold: []string{"FrontierRequest"}}, reach: held("FrontierRequest"), linger: 5 * time.Second,
		},
		{
			name:  "while catching up",
			setup: setup{local: status.Voting, peers: voting(), shared: chosen(), hold: []string{"FetchResponse"}}, reach: held("FetchResponse"),
		},
		{
			name:  "while filling",
			setup: setup{local: status.Voting, peers: voting(), shared: accepted(), hold: []string{"WriteRequest"}}, reach: held("WriteRequest"),
		},
	})
}

func TestDiscardedRoundIsGone(t *testing.T) {
	producer := func(b *bench) actor.Producer {
		self := identity.Identity{
			Cluster: identity.ClusterID{1}, Configuration: 1, Replica: 3, Incarnation: b.store.Metadata().Incarnation,
		}
		return round.New(b.ensemble, self, round.Promise(log.NewProposal(5, 3), log.Range{}))
	}
	claim(t, producer, []place{
		{
			name:  "while asking",
			setup: setup{local: status.Voting, peers: voting(), hold: []string{"PromiseRequest"}}, reach: held("PromiseRequest"), linger: time.Second,
		},
		{name: "while nobody is there", setup: setup{local: status.Voting, absent: true}, reach: running, linger: time.Second},
	})
}

// electing is a coordinator that was told to have itself elected.
func electing(b *bench) actor.Producer {
	return func() actor.Actor { return &pushed{Actor: coordinator.New(b.ensemble)()} }
}

// pushed is a coordinator that hears Elect, and then Append, as soon as it started.
type pushed struct{ actor.Actor }

func (p *pushed) Receive(ctx actor.Context) {
	p.Actor.Receive(ctx)
	if _, started := ctx.Message().(*actor.Started); started {
		ctx.RequestWithCustomSender(ctx.Self(), coordinator.Elect{}, ctx.Parent())
		ctx.RequestWithCustomSender(ctx.Self(), coordinator.Append{Values: []log.Value{kit.Entry("x")}}, ctx.Parent())
	}
}

func TestDiscardedCoordinatorIsGone(t *testing.T) {
	claim(t, electing, []place{
		{
			name:  "while promising",
			setup: setup{local: status.Voting, peers: voting(), hold: []string{"PromiseResponse"}}, reach: held("PromiseResponse"),
		},
		{
			name:  "while filling",
			setup: setup{local: status.Voting, peers: voting(), shared: chosen(), hold: []string{"FetchResponse"}}, reach: held("FetchResponse"),
		},
		{
			name:  "while writing",
			setup: setup{local: status.Voting, peers: voting(), hold: []string{"WriteResponse"}}, reach: held("WriteResponse"),
		},
		{name: "while elected", setup: setup{local: status.Voting, peers: voting()}, reach: heard("WriteResponse", 3), linger: 5 * time.Second},
	})
}

func TestDiscardedFollowIsGone(t *testing.T) {
	claim(t, func(b *bench) actor.Producer { return catchup.NewFollow(b.ensemble) }, []place{
		{name: "while nothing is to do", setup: setup{local: status.Voting, peers: voting()}, reach: running, linger: 10 * time.Second},
		{
			name:  "while copying",
			setup: setup{local: status.Voting, peers: voting(), shared: chosen(), hold: []string{"FetchResponse"}}, reach: held("FetchResponse"),
		},
	})
}
