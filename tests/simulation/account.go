package simulation

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/history/journals"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/journal"
	"github.com/quorumlog/quorumlog/messages"
)

// account is one activation of a persistent actor. It does what a Journal and a Mixin of package persistence do, but waits for
// nothing. Its state is the list of its events.
type account struct {
	accountHabits
	ledger *ledger
	owner  string
	by     string
	keeper *actor.PID
	port   *actor.PID
	clock  timer.Clock
	random *rand.Rand
	looks  bool // it ends once it is activated

	called time.Duration
	number log.Position // of the activation; 0 until it is there
	next   uint64
	state  []string
	kept   int // events that the latest snapshot has
	wrote  bool
	now    *journals.Write // on its way; nil while a snapshot is
	over   bool
	grudge int // what it still writes although it should have ended
}

// accountHabits are what accounts like to do.
type accountHabits struct {
	think    time.Duration // mean time between two events
	patience time.Duration // until it gives an answer up
	every    int           // events of which a snapshot is taken; 0 for never
	stubborn float64       // probability that it goes on where it should end
	lags     bool          // its snapshots lack the latest events, as those of protoactor's Mixin do
}

const (
	most  = 3  // events of one write; and what is written by an account that should have ended
	slips = 50 // writes of a stubborn account of which one has a wrong index, about
)

type (
	writeDue  struct{}
	giveUpDue struct{ what *journals.Write }
)

// Receive implements actor.Actor.
func (a *account) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		a.called = a.ledger.now()
		ctx.Request(a.keeper, persistence.Activate{Owner: a.owner, By: a.by})
		a.clock.After(a.patience, ctx.Self(), giveUpDue{})
	case persistence.Activated:
		a.number, a.next = m.Activation, m.Next
		ctx.Request(a.port, persistence.Fetch{At: places(m.View)})
	case persistence.Fetched:
		a.replay(ctx, m)
	case writeDue:
		a.act(ctx)
	case persistence.Written:
		a.written(ctx)
	case persistence.Refused:
		a.refused(ctx, m.Err)
	case giveUpDue:
		if a.now == m.what && !a.over && (m.what != nil || a.state == nil) {
			a.end(ctx)
		}
	}
}

// places are where the journal is.
func places(v journal.View) []log.Position {
	var at []log.Position
	if v.Snapshot > 0 {
		at = append(at, v.Snapshot)
	}
	for _, s := range v.Spans {
		at = append(at, s.At)
	}
	return at
}

// replay makes the state of what is in the journal.
func (a *account) replay(ctx actor.Context, f persistence.Fetched) {
	if f.Err != nil { // it was truncated meanwhile by a later activation, or nobody answers
		a.end(ctx)
		return
	}
	a.state = []string{}
	for _, e := range f.Entries {
		_, body, err := codec.DecodeJournalEntry(e.Data)
		if err != nil {
			a.ledger.accuse(25, journalsKept, err.Error())
			return
		}
		if body.State != nil {
			a.state = append(a.state, strings.Fields(text(body.State))...)
			a.kept = len(a.state)
		}
		for _, event := range body.Events {
			a.state = append(a.state, text(event))
		}
	}
	if uint64(len(a.state)) != a.next {
		a.ledger.violate("%s replays %d events, and %d comes next", a.by, len(a.state), a.next)
	}
	a.ledger.activated(a)
	if a.looks {
		a.end(ctx)
		return
	}
	a.later(ctx)
}

func text(packed *anypb.Any) string {
	var s wrapperspb.StringValue
	if err := packed.UnmarshalTo(&s); err != nil {
		return err.Error()
	}
	return s.GetValue()
}

func packed(s string) *anypb.Any {
	a, err := anypb.New(wrapperspb.String(s))
	if err != nil {
		return &anypb.Any{} // no string can be packed so badly
	}
	return a
}

func (a *account) later(ctx actor.Context) {
	a.clock.After(timer.Between(a.random, a.think/4, a.think*7/4), ctx.Self(), writeDue{})
}

// act writes events, or a snapshot where one is due.
func (a *account) act(ctx actor.Context) {
	switch {
	case a.over || a.ledger.closed:
		a.end(ctx)
	case a.every > 0 && len(a.state)-a.kept >= a.every && a.grudge == 0:
		a.snapshot(ctx)
	case a.wrote && a.grudge == 0 && a.random.Float64() < a.stubborn/slips:
		a.grudge++
		a.write(ctx, a.next+uint64(a.random.IntN(3))-min(1, a.next))
	default:
		a.write(ctx, a.next)
	}
}

// write writes events at an index.
func (a *account) write(ctx actor.Context, index uint64) {
	w := &journals.Write{Owner: a.owner, Activation: a.number, Index: index, Call: a.ledger.now(), Return: spec.Never}
	e := journal.Entry{Owner: a.owner, Kind: journal.Events, Activation: a.number, Index: index}
	var body codec.JournalBody
	for range 1 + a.random.IntN(most) {
		a.ledger.events++
		event := strconv.Itoa(a.ledger.events)
		w.Events, body.Events = append(w.Events, event), append(body.Events, packed(event))
	}
	e.Count = uint64(len(body.Events))
	a.ledger.writes = append(a.ledger.writes, w)
	a.ask(ctx, w, persistence.Write{Entry: e, Body: body})
}

// snapshot writes the state, of before the latest events or of now.
func (a *account) snapshot(ctx actor.Context) {
	index := len(a.state)
	if a.lags && a.wrote {
		index -= a.random.IntN(min(most, index-a.kept) + 1)
	}
	body := codec.JournalBody{State: packed(strings.Join(a.state[:index], " "))}
	for _, event := range a.state[index:] {
		body.Events = append(body.Events, packed(event))
	}
	a.ask(ctx, nil, persistence.Write{Entry: journal.Entry{
		Owner: a.owner, Kind: journal.Snapshot, Activation: a.number, Index: uint64(index), Count: uint64(len(body.Events)),
	}, Body: body})
}

func (a *account) ask(ctx actor.Context, w *journals.Write, question persistence.Write) {
	a.now = w
	ctx.Request(a.keeper, question)
	if w != nil {
		a.clock.After(a.patience, ctx.Self(), giveUpDue{w})
	}
}

// written takes that what is on its way counts.
func (a *account) written(ctx actor.Context) {
	if w := a.now; w != nil {
		w.Outcome, w.Return = spec.Succeeded, a.ledger.now()
		a.state, a.next, a.now, a.wrote = append(a.state, w.Events...), a.next+uint64(len(w.Events)), nil, true
	} else {
		a.kept = len(a.state)
	}
	if a.over {
		return
	}
	a.later(ctx)
}

// refused takes that what is on its way does not count, or that nobody knows.
func (a *account) refused(ctx actor.Context, why error) {
	w, sure := a.now, certain(why)
	a.ledger.refused(a, why)
	if w != nil {
		w.Return, w.Outcome = a.ledger.now(), spec.Unknown
		if sure {
			w.Outcome = spec.Rejected
		}
	}
	a.now = nil
	if a.wrote && w != nil && a.grudge < most && (a.grudge > 0 || a.random.Float64() < a.stubborn) {
		a.grudge++
		if !sure && a.random.IntN(2) == 0 { // it takes it that its event is in the journal
			a.next += uint64(len(w.Events))
			a.state = append(a.state, w.Events...)
		}
		a.later(ctx)
		return
	}
	a.end(ctx)
}

// certain says whether something that was refused is not in the journal, and never will be.
func certain(why error) bool {
	var f logtest.Failure
	return errors.Is(why, persistence.ErrFenced) || errors.Is(why, persistence.ErrOrder) || errors.As(why, &f) && f.Code != messages.Code_CODE_INDETERMINATE
}

func (a *account) end(ctx actor.Context) {
	if !a.over {
		a.over = true
		ctx.Poison(ctx.Self())
	}
}
