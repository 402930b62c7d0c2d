package catchup

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
)

type (
	// Hurry has a range copied at once, and without the limit of copies: a change of the members waits for it, and appends may wait
	// for that. It takes the place of a copy that keeps to the limit.
	Hurry struct{ Range log.Range }
	// lookDue is the time to look.
	lookDue struct{}
)

// NewFollow returns the producer of a Follow, which keeps a voting replica up with its peers: it looks from time to time
// what they have learned, and copies what the local replica still misses of it at the second look. Notices are sent once and may be
// lost, and a replica that was away has heard none; without this it would stay behind until the next election (hole L7).
//
// It also has copied once more what was learned here and is damaged on the disk since.
//
// It copies only. Whoever has learned a position gives it; one that nobody gives is for the next election, and one peer that says
// it has learned more than there is must not have a quorum fill the log up to there.
func NewFollow(e *ensemble.Ensemble) actor.Producer {
	return func() actor.Actor { return &follow{Ensemble: e, cancel: func() {}} }
}

type follow struct {
	*ensemble.Ensemble
	peers   log.Position // up to where any peer has learned
	target  log.Position // what the local replica missed at the last look
	copying *actor.PID   // the catch-up that runs; nil for none
	hurries bool         // it keeps to no limit
	cancel  func()
}

// Receive implements actor.Actor.
func (f *follow) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, lookDue:
		ctx.Request(f.Network, network.Survey{})
		f.cancel = f.Clock.After(f.Twice(f.Patience.Follow), ctx.Self(), lookDue{})
	case *actor.Stopping:
		f.cancel()
	case network.Surveyed:
		f.peers = best(m.Peers)
		ctx.Request(f.Replica, replica.Inspect{})
	case replica.Inspected:
		f.compare(ctx, m)
	case Progress:
		ctx.Send(ctx.Parent(), m)
	case Done:
		if f.copying != nil && f.copying.Equal(ctx.Sender()) { // not one that was dropped
			f.copying = nil
		}
	case Hurry:
		if f.copying == nil || !f.hurries { // it is asked for again and again, until the change is accepted
			f.drop(ctx)
			f.copy(ctx, Config{Range: m.Range, Grace: f.Patience.Grace, CopiesOnly: true})
		}
	case ensemble.Moved:
		f.Ensemble = m.Ensemble
		f.drop(ctx)
	}
}

func (f *follow) compare(ctx actor.Context, m replica.Inspected) {
	if f.copying != nil || m.Status != status.Voting {
		return
	}
	missed := log.Range{First: m.Learned + 1, Last: m.Learned}
	lags := min(f.target, f.peers) > m.Learned // who has learned more may be absent again
	if lags {
		missed.Last = f.peers
	}
	if first, damaged := m.Damaged.First(); damaged {
		last, _ := m.Damaged.Last()
		missed = log.Range{First: first, Last: max(missed.Last, last)}
	}
	if !missed.Empty() {
		f.copy(ctx, Config{Range: missed, Grace: f.Patience.Grace, Background: true, CopiesOnly: true, Quiet: !lags})
	}
	f.target = f.peers
}

func (f *follow) copy(ctx actor.Context, c Config) {
	f.copying, f.hurries = ctx.Spawn(f.Props(New(f.Ensemble, c))), !c.Background
}

// drop ends the catch-up that runs: it knows other members than there are now, and the next look begins another one; or one that
// does not keep to a limit takes its place.
func (f *follow) drop(ctx actor.Context) {
	if f.copying != nil {
		ctx.Poison(f.copying)
		f.copying = nil
	}
}

// best is up to where any peer that is present and votes has learned.
func best(peers []network.Peer) log.Position {
	var learned log.Position
	for _, p := range peers {
		if p.Present && p.Presence.Status == status.Voting {
			learned = max(learned, p.Presence.Learned)
		}
	}
	return learned
}
