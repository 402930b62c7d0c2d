package gateway

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
)

// A reader that follows the log asks for what is not learned yet, and waits here for it. The replica tells when the lowest of
// what is waited for is learned, so that an entry reaches its readers as soon as the member knows that it is chosen, and
// whoever follows an idle log costs a message now and then. A reader waits for one page at a time: one that is slow is asked for
// nothing, and nothing is kept for it.

// maxWait is how long a reader may wait, and maxWaits how many may.
const (
	maxWait  = 10 * time.Second
	maxWaits = 1024
)

// wait is a reader that waits until everything up to a position is learned.
type wait struct {
	read
	at     log.Position
	cancel func()
}

// lacks returns what the replica had to learn before it could answer; 0 where it need not learn anything.
func (r read) lacks(p replica.Page) log.Position {
	at := r.seen
	switch {
	case r.digest || p.Fault != replica.NoFault && p.Fault != replica.NotLearned:
		return 0
	case r.within.Last > 0:
		at = max(at, r.within.Last)
	case r.wait > 0:
		at = max(at, r.within.First, p.Begin)
	}
	if at <= p.Learned {
		return 0
	}
	return at
}

// postpone has a reader wait, or says that there is nothing yet.
func (g *gateway) postpone(ctx actor.Context, r read, at log.Position, p replica.Page) {
	switch {
	case r.wait == 0:
		p.Fault = replica.NotLearned
		r.fail(ctx, pageFailure(p))
		return
	case len(g.waits) >= maxWaits:
		r.fail(ctx, codec.EncodeFailure(messages.Code_CODE_BUSY,
			fmt.Sprintf("%d readers wait at this member already: follow another member", maxWaits)))
		return
	}
	tag := g.next()
	g.waits[tag] = wait{r, at, g.Clock.After(r.wait, ctx.Self(), waitOver{tag})}
	if g.awaited == 0 || at < g.awaited {
		g.awaitNext(ctx)
	}
}

// awaitNext has the replica tell when the lowest of what is waited for is learned.
func (g *gateway) awaitNext(ctx actor.Context) {
	g.awaited = 0
	for _, w := range g.waits {
		if g.awaited == 0 || w.at < g.awaited {
			g.awaited = w.at
		}
	}
	ctx.Send(g.Replica, replica.Await{At: g.awaited, By: ctx.Self()})
}

// reached reads for those who waited for what is learned now.
func (g *gateway) reached(ctx actor.Context, learned log.Position) {
	for _, tag := range slices.Sorted(maps.Keys(g.waits)) {
		if w := g.waits[tag]; w.at <= learned {
			delete(g.waits, tag)
			w.cancel()
			w.wait = 0
			g.ask(ctx, w.read)
		}
	}
	g.awaitNext(ctx)
}

// waitedInVain answers a reader for whom nothing came. A member that hears no quorum may be the last to learn anything: whoever
// can read elsewhere should.
func (g *gateway) waitedInVain(ctx actor.Context, tag uint64) {
	w, found := g.waits[tag]
	if !found {
		return
	}
	delete(g.waits, tag)
	if len(g.waits) == 0 {
		g.awaitNext(ctx)
	}
	ctx.Request(g.Network, network.Survey{}) // for the next one
	if g.cutOff() {
		w.fail(ctx, codec.EncodeFailure(messages.Code_CODE_NO_QUORUM, "this member hears no quorum of the members: "+g.absent()))
		return
	}
	w.wait = 0
	g.ask(ctx, w.read)
}

// cutOff says whether fewer than a quorum of the members were there when the network was asked last.
func (g *gateway) cutOff() bool {
	present := 0
	for _, p := range g.peers {
		if p.Present {
			present++
		}
	}
	return len(g.peers) > 0 && present < paxos.Quorum(len(g.Voters()))
}

func (g *gateway) endWaits(ctx actor.Context, why *messages.Failure) {
	for _, tag := range slices.Sorted(maps.Keys(g.waits)) {
		g.waits[tag].cancel()
		g.waits[tag].fail(ctx, why)
	}
	clear(g.waits)
	g.awaited = 0
}
