package gateway

import (
	"fmt"
	"maps"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/subscription"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// Whoever subscribes is given an actor below the gateway, under a name that nobody guesses: only those who were told it grant in
// the subscriber's name.

// Subscription begins the names of subscriptions below the gateway's own.
const Subscription = "subscription-"

// maxSubscriptions is how many there may be, and maxSubscriber how long the name of a subscriber may be, in bytes.
const (
	maxSubscriptions = 128
	maxSubscriber    = 512
)

// subscribe begins a subscription. The same request, from the same process, means the same one.
func (g *gateway) subscribe(ctx actor.Context, m *messages.SubscribeRequest) {
	asker := g.caller(ctx, m.GetRequest())
	if asker.pid == nil {
		return // nobody could be told anything
	}
	key := fmt.Sprintf("%d %s", m.GetRequest(), asker.pid.GetAddress())
	if pid := g.subscriptions[key]; pid != nil {
		ctx.Send(pid, subscription.Repeat{To: asker.pid})
		return
	}
	if f := g.turnDown(m); f != nil {
		reply(ctx, asker, &messages.SubscribeResponse{Request: asker.request, Outcome: &messages.SubscribeResponse_Failure{Failure: f}})
		return
	}
	subscriber := asker.pid
	if name := m.GetSubscriber(); name != "" {
		subscriber = actor.NewPID(asker.pid.GetAddress(), name)
	}
	replica := g.Replica
	pid, err := ctx.SpawnNamed(g.Props(subscription.New(subscription.Config{
		Subscriber: subscriber, Request: asker.request, Asker: asker.pid, From: log.Position(m.GetFrom()),
		Entries: m.GetEntries(), Bytes: m.GetBytes(), Lease: subscription.Lease, Clock: g.Clock, Owner: ctx.Self(),
		Source: func(actor.Context) *actor.PID { return replica },
	})), fmt.Sprintf("%s%016x", Subscription, g.Random.Uint64()))
	if err != nil {
		panic(fmt.Sprintf("the gateway has two subscriptions of one name: %v", err))
	}
	g.subscriptions[key] = pid
}

// turnDown says why there is to be no subscription.
func (g *gateway) turnDown(m *messages.SubscribeRequest) *messages.Failure {
	switch {
	case g.coordinator == nil:
		return g.notVoting()
	case log.Position(m.GetFrom()) > log.MaxPosition:
		return codec.EncodeFailure(messages.Code_CODE_MALFORMED, fmt.Sprintf("no log has a position %d", m.GetFrom()))
	case len(m.GetSubscriber()) > maxSubscriber:
		return codec.EncodeFailure(messages.Code_CODE_MALFORMED, fmt.Sprintf("the name of a subscriber has at most %d bytes", maxSubscriber))
	case len(g.subscriptions) >= maxSubscriptions:
		return codec.EncodeFailure(messages.Code_CODE_BUSY,
			fmt.Sprintf("this member has %d subscriptions already: subscribe at another one", maxSubscriptions))
	}
	return nil
}

// renewed looks whether this member would be the last to learn anything, where a subscriber wants to know whether all is well.
func (g *gateway) renewed(ctx actor.Context) {
	ctx.Request(g.Network, network.Survey{}) // for the next one
	if g.cutOff() {
		ctx.Send(ctx.Sender(), subscription.End{Failure: codec.EncodeFailure(messages.Code_CODE_NO_QUORUM,
			"this member hears no quorum of the members: "+g.absent()+"; subscribe at another one")})
	}
}

// unsubscribed forgets a subscription that has ended.
func (g *gateway) unsubscribed(m *actor.Terminated) {
	maps.DeleteFunc(g.subscriptions, func(_ string, pid *actor.PID) bool { return pid.Equal(m.GetWho()) })
}

func (g *gateway) endSubscriptions(ctx actor.Context, why *messages.Failure) {
	for _, key := range slices.Sorted(maps.Keys(g.subscriptions)) {
		ctx.Send(g.subscriptions[key], subscription.End{Failure: why})
	}
}
