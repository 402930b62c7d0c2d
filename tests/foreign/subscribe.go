package foreign

import (
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/scheduler"

	"github.com/quorumlog/quorumlog/messages"
)

// Follower is an actor that follows the log, through one member after the other.
type Follower struct {
	Gateways []*actor.PID
	Next     uint64                           // the position that comes next
	Handle   func(entries []*messages.Entry)  // what it is for
	Cut      func(begin uint64) (next uint64) // where to go on where the log begins above what comes next

	request      uint64
	subscription *actor.PID // whom it grants; nil until it is told
	heard        time.Time  // when it was told anything
	asked        time.Time
	tries        int
	timer        scheduler.CancelFunc
}

// tick is the time to look whether the subscription is there.
type tick struct{}

// Receive implements actor.Actor.
func (f *Follower) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		f.timer = scheduler.NewTimerScheduler(ctx).SendRepeatedly(time.Second, time.Second, ctx.Self(), tick{})
		f.subscribe(ctx)
	case *actor.Stopping:
		f.timer()
	case tick:
		f.look(ctx)
	case answer: // all that it is told has the number of its subscription: what is of an earlier one is too late
		if m.GetRequest() == f.request {
			f.heard = time.Now()
			f.told(ctx, m)
		}
	}
}

// subscribe asks the next member. The answer may be lost, and so may everything else: look asks again.
func (f *Follower) subscribe(ctx actor.Context) {
	f.request, f.subscription, f.heard, f.asked = rand.Uint64(), nil, time.Now(), time.Now()
	gateway := f.Gateways[f.tries%len(f.Gateways)]
	f.tries++
	ctx.Request(gateway, &messages.SubscribeRequest{Request: f.request, From: f.Next, Entries: 1000, Bytes: 1 << 20})
}

func (f *Follower) told(ctx actor.Context, m answer) {
	switch m := m.(type) {
	case *messages.SubscribeResponse:
		if f.subscription = ctx.Sender(); m.GetFailure() != nil {
			f.heard = time.Time{} // the next one is asked with the next tick
		}
	case *messages.Delivery:
		f.subscription = ctx.Sender()
		f.delivered(ctx, m)
	case *messages.LogTruncated:
		f.Next = f.Cut(m.GetBegin())
		ctx.Respond(&messages.Grant{Request: f.request, After: f.Next - 1})
	case *messages.Lagging:
		if f.Next > 0 && m.GetDelivered() >= f.Next { // the last that was delivered did not arrive
			ctx.Respond(&messages.Grant{Request: f.request, After: f.Next - 1, Again: true})
		}
	case *messages.Ended:
		f.subscribe(ctx)
	}
}

// delivered handles what comes next. Before it there may be a gap, where something was lost, and in it what was handled before.
func (f *Follower) delivered(ctx actor.Context, m *messages.Delivery) {
	if f.Next > 0 && m.GetRange().GetFirst() > f.Next {
		ctx.Respond(&messages.Grant{Request: f.request, After: f.Next - 1, Again: true})
		return
	}
	entries := m.GetEntries()
	for len(entries) > 0 && entries[0].GetPosition() < f.Next {
		entries = entries[1:]
	}
	f.Handle(entries)
	f.Next = max(f.Next, m.GetRange().GetLast()+1)
	ctx.Respond(&messages.Grant{Request: f.request, After: f.Next - 1, Entries: 1000, Bytes: 1 << 20})
}

// look repeats the last grant, which may be lost. That renews the lease, and is how a member that is gone is found: it does not
// answer. Then another one is asked.
func (f *Follower) look(ctx actor.Context) {
	switch silent := time.Since(f.heard); {
	case silent > 4*time.Second:
		f.subscribe(ctx)
	case silent > time.Second && f.subscription != nil && time.Since(f.asked) > time.Second:
		f.asked = time.Now()
		ctx.Request(f.subscription, &messages.Grant{Request: f.request, After: max(f.Next, 1) - 1, Entries: 1000, Bytes: 1 << 20})
	}
}
