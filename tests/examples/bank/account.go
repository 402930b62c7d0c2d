package main

import (
	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/persistence"
)

// account is an actor whose state is in the log. Each has a journal of its own, and no event is in two of them at once: money that is
// sent is in an outbox until the other account says that it has it, and whatever ends in between begins again there.
type account struct {
	persistence.Mixin
	name    string
	state   *Account
	waiting []*actor.PID // who wants to know the balance, once the outbox is empty
}

// move is answered by the balance, an int64, once the money is where it should be; or by an error.
type move struct {
	from, to string
	amount   int64
}

// audit is answered by the balance, an int64, once nothing that the account sent is on its way; or by an error.
type audit struct{ name string }

// again is what the bank tells an account when another one has ended.
type again struct{}

// PersistenceID names the journal.
func (a *account) PersistenceID(actor.Context) string { return "account/" + a.name }

// Apply is what an event does to the state, when it is new and when it is replayed.
func (a *account) Apply(event proto.Message) {
	switch e := event.(type) {
	case *Opened:
		a.state.Balance = e.GetBalance()
	case *Transfer:
		if e.GetFrom() == a.name {
			a.state.Balance -= e.GetAmount()
			a.state.Sent, a.state.Outbox = e.GetNumber(), append(a.state.Outbox, e)
		} else {
			a.state.Balance += e.GetAmount()
			a.state.Received[e.GetFrom()] = e.GetNumber()
		}
	case *Settled:
		a.state.Outbox = a.state.Outbox[1:]
	}
}

// Restore takes over a snapshot.
func (a *account) Restore(state proto.Message) { proto.Merge(a.state, state) }

// State is what a snapshot holds.
func (a *account) State() proto.Message { return a.state }
