package gateway

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// Clients that want to read what was acknowledged share one catch-up, however many they are: what a member copies, and holds in
// memory, must not grow with them. Who comes while one is under way waits for the next: that one may have asked before what the
// client wants was acknowledged. The next has little left to copy.

// maxCatchup is how long a client waits for a catch-up at most, and maxCatchups how many wait at one time: without a quorum none
// ends earlier.
const (
	maxCatchup  = 30 * time.Second
	maxCatchups = 1024
)

type (
	// refresh is what clients wait for.
	refresh struct {
		child  *actor.PID // nil while none is under way
		served []reader   // wait for that one
		later  []reader   // wait for the next one
	}
	// reader is a client that waits until it can read.
	reader struct {
		caller
		tag    uint64
		cancel func() // its deadline
	}
)

func (g *gateway) catchUp(ctx actor.Context, m *messages.CatchupRequest) {
	r := reader{caller: g.caller(ctx, m.GetRequest()), tag: g.next()}
	switch {
	case g.coordinator == nil:
		r.fail(ctx, g.notVoting())
		return
	case len(g.refresh.served)+len(g.refresh.later) >= maxCatchups:
		r.fail(ctx, codec.EncodeFailure(messages.Code_CODE_BUSY, fmt.Sprintf("this member catches up for %d clients already: try again later, or ask another member", maxCatchups)))
		return
	}
	r.cancel = g.Clock.After(maxCatchup, ctx.Self(), catchupDue{r.tag})
	g.refresh.later = append(g.refresh.later, r)
	g.nextRefresh(ctx)
}

// nextRefresh begins one for those that wait, if none is under way.
func (g *gateway) nextRefresh(ctx actor.Context) {
	if g.refresh.child != nil || len(g.refresh.later) == 0 {
		return
	}
	child := ctx.Spawn(g.Props(catchup.NewRefresh(g.Ensemble)))
	g.refresh = refresh{child: child, served: g.refresh.later}
}

func (g *gateway) refreshed(ctx actor.Context, m catchup.Refreshed) {
	if g.refresh.child == nil || !g.refresh.child.Equal(ctx.Sender()) { // nobody waits for it any more
		return
	}
	for _, r := range g.refresh.served {
		r.cancel()
		r.answer(ctx, &messages.CatchupResponse{Outcome: &messages.CatchupResponse_Learned{Learned: uint64(m.Learned)}})
	}
	g.refresh.child, g.refresh.served = nil, nil
	g.nextRefresh(ctx)
}

// catchupOver gives a client up, and ends a catch-up that nobody waits for any more.
func (g *gateway) catchupOver(ctx actor.Context, tag uint64) {
	for _, waiting := range []*[]reader{&g.refresh.served, &g.refresh.later} {
		i := slices.IndexFunc(*waiting, func(r reader) bool { return r.tag == tag })
		if i >= 0 {
			(*waiting)[i].fail(ctx, codec.EncodeFailure(messages.Code_CODE_NO_QUORUM, "no quorum of the members answered: "+g.absent()))
			*waiting = slices.Delete(*waiting, i, i+1)
		}
	}
	if g.refresh.child != nil && len(g.refresh.served) == 0 {
		ctx.Poison(g.refresh.child)
		g.refresh.child = nil
	}
	g.nextRefresh(ctx)
}

// stop answers everybody who waits.
func (w refresh) stop(ctx actor.Context, why *messages.Failure) {
	for _, r := range slices.Concat(w.served, w.later) {
		r.cancel()
		r.fail(ctx, why)
	}
}

func (r reader) fail(ctx actor.Context, f *messages.Failure) {
	r.answer(ctx, &messages.CatchupResponse{Outcome: &messages.CatchupResponse_Failure{Failure: f}})
}

func (r reader) answer(ctx actor.Context, m *messages.CatchupResponse) {
	m.Request = r.request
	reply(ctx, r.caller, m)
}

// absent names the members that are not heard, for people.
func (g *gateway) absent() string {
	var names []string
	for _, p := range g.peers {
		switch {
		case p.Refusal != "":
			names = append(names, fmt.Sprintf("member %d at %s refuses: %s", p.ID, p.PID.GetAddress(), p.Refusal))
		case !p.Present:
			names = append(names, fmt.Sprintf("member %d at %s is not heard", p.ID, p.PID.GetAddress()))
		}
	}
	if len(names) == 0 {
		return "all members are heard, so try again"
	}
	return strings.Join(names, ", ")
}
