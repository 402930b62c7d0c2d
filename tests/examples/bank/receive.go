package main

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/persistence"
)

// opening is what each account has at first.
const opening = 100

// Receive implements actor.Actor. What is persisted is applied; where that fails nothing is, and the account ends: it may have been
// activated elsewhere, or nobody knows what is in its journal. Its next life begins with what is.
func (a *account) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case persistence.Recovered:
		if m.Events == 0 && a.persist(ctx, &Opened{Balance: opening}) != nil {
			return
		}
		fmt.Printf("%s begins with %d; of %d events %d are in a snapshot\n", a.name, a.state.GetBalance(), m.Events, a.Journal().First())
		a.deliver(ctx) // what was on its way when the last life ended
	case again:
		a.deliver(ctx)
	case move:
		if m.amount <= 0 || m.amount > a.state.GetBalance() {
			ctx.Respond(errors.New("there is not enough money"))
			return
		}
		a.answer(ctx, &Transfer{From: a.name, To: m.to, Number: a.state.GetSent() + 1, Amount: m.amount})
	case audit:
		a.answer(ctx, &Audited{}) // or an account that has been activated elsewhere would tell an old balance
	case *Transfer:
		if m.GetNumber() <= a.state.GetReceived()[m.GetFrom()] || a.persist(ctx, m) == nil { // one that comes again is there already
			ctx.Respond(&Settled{Number: m.GetNumber()})
		}
	case *Settled:
		if out := a.state.GetOutbox(); len(out) > 0 && out[0].GetNumber() == m.GetNumber() && a.persist(ctx, m) == nil {
			a.deliver(ctx)
		}
	}
}

// answer persists an event, and has whoever asked told the balance in the end.
func (a *account) answer(ctx actor.Context, event proto.Message) {
	if err := a.persist(ctx, event); err != nil {
		ctx.Respond(err)
		return
	}
	a.waiting = append(a.waiting, ctx.Sender())
	a.deliver(ctx)
}

// deliver sends the oldest transfer that is not settled, which may be for the second time. One at a time: so they come in order.
func (a *account) deliver(ctx actor.Context) {
	if out := a.state.GetOutbox(); len(out) > 0 {
		ctx.Request(ctx.Parent(), out[0])
		return
	}
	for _, who := range a.waiting {
		ctx.Send(who, a.state.GetBalance())
	}
	a.waiting = nil
}

func (a *account) persist(ctx actor.Context, event proto.Message) error {
	err := a.Persist(ctx, event)
	if err != nil {
		for _, who := range a.waiting {
			ctx.Send(who, err) // their money is on its way all the same, and the next life knows
		}
		ctx.Stop(ctx.Self())
	}
	return err
}
