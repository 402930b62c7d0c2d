package protocol

import (
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/journal"
)

// atPort is a keeper whose port is played by the test, and an actor that asks it.
type atPort struct {
	t      *testing.T
	port   *actortest.Probe
	actor  *actortest.Probe
	keeper *actor.PID
}

func newAtPort(t *testing.T, seed uint64) atPort {
	t.Helper()
	w := actortest.New(t, seed)
	n := w.Node("app:1")
	k := atPort{t: t, port: n.Probe("port"), actor: n.Probe("actor")}
	k.keeper = n.Spawn("keeper", actor.PropsFromProducer(persistence.Keeper(persistence.Settings{Port: k.port.PID, Clock: n.Clock(), Keep: 1})))
	return k
}

// events is what an activation writes from an index on.
func events(activation log.Position, index uint64, numbers ...int64) persistence.Write {
	w := persistence.Write{Entry: journal.Entry{
		Owner: "a", Kind: journal.Events, Activation: activation, Index: index, Count: uint64(len(numbers)),
	}}
	for _, n := range numbers {
		w.Body.Events = append(w.Body.Events, packed(n))
	}
	return w
}

// state is a snapshot of the first events.
func state(activation log.Position, index uint64, sum int64) persistence.Write {
	return persistence.Write{
		Entry: journal.Entry{Owner: "a", Kind: journal.Snapshot, Activation: activation, Index: index},
		Body:  codec.JournalBody{State: packed(sum)},
	}
}

func packed(n int64) *anypb.Any {
	a, err := anypb.New(wrapperspb.Int64(n))
	if err != nil {
		panic(err)
	}
	return a
}

// encoded is an entry of the log.
func (k atPort) encoded(at log.Position, w persistence.Write) persistence.Entry {
	k.t.Helper()
	data, err := codec.EncodeJournalEntry(w.Entry, w.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return persistence.Entry{At: at, Data: data}
}

// activation is an entry of the log by which somebody else is activated.
func (k atPort) activation(at log.Position) persistence.Entry {
	return k.encoded(at, persistence.Write{Entry: journal.Entry{Owner: "a", Kind: journal.Activation, By: "elsewhere"}})
}

// ask has the actor ask the keeper, and returns what the keeper appends for it.
func (k atPort) ask(question any) persistence.Append {
	k.t.Helper()
	k.actor.Request(k.keeper, question)
	return actortest.Await[persistence.Append](k.t, k.port, time.Second)
}

// appended says where an entry is.
func (k atPort) appended(a persistence.Append, at log.Position) {
	k.port.Send(k.keeper, persistence.Appended{Tag: a.Tag, At: at})
}

// follows shows the keeper entries when it asks for them, and says where it begins.
func (k atPort) follows(upTo log.Position, entries ...persistence.Entry) persistence.Follow {
	k.t.Helper()
	f := actortest.Await[persistence.Follow](k.t, k.port, time.Second)
	k.port.Send(k.keeper, persistence.Followed{Tag: f.Tag, Entries: entries, UpTo: upTo})
	return f
}

// activated has the actor activated at the first position.
func (k atPort) activated() {
	k.t.Helper()
	a := k.ask(persistence.Activate{Owner: "a", By: "here"})
	k.appended(a, 1)
	k.follows(1, persistence.Entry{At: 1, Data: a.Entry})
	if got := actortest.Await[persistence.Activated](k.t, k.actor, time.Second); got.Activation != 1 {
		k.t.Fatalf("it is activated as %+v", got)
	}
}

// refused waits for a refusal.
func (k atPort) refused(want error) {
	k.t.Helper()
	if err := actortest.Await[persistence.Refused](k.t, k.actor, time.Second).Err; !errors.Is(err, want) {
		k.t.Errorf("it is refused with %v, want %v", err, want)
	}
}

// written waits for where it was written.
func (k atPort) written(want log.Position) {
	k.t.Helper()
	if got := actortest.Await[persistence.Written](k.t, k.actor, time.Second).At; got != want {
		k.t.Errorf("it is written at %d, want %d", got, want)
	}
}

func TestAKeeperAnswersOnceItHasSeenTheEntryInTheLog(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		k := newAtPort(t, seed)
		k.activated()
		a := k.ask(events(1, 0, 7))
		k.appended(a, 2)
		actortest.ExpectNone[persistence.Written](t, k.actor, time.Second)
		k.follows(2, persistence.Entry{At: 2, Data: a.Entry})
		k.written(2)
	})
}

// What is appended is in the log before the port says where.
func TestAKeeperAnswersWhatItSawBeforeItWasToldWhere(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		k := newAtPort(t, seed)
		k.activated()
		a := k.ask(events(1, 0, 7))
		k.follows(2, persistence.Entry{At: 2, Data: a.Entry})
		actortest.Await[persistence.Follow](t, k.port, time.Second)
		k.appended(a, 2)
		k.written(2)
	})
}

func TestAnAnswerOfAPortThatComesTwiceCountsOnce(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		k := newAtPort(t, seed)
		k.activated()
		a := k.ask(events(1, 0, 7))
		k.appended(a, 2)
		k.appended(a, 9)
		f := k.follows(2, persistence.Entry{At: 2, Data: a.Entry})
		k.port.Send(k.keeper, persistence.Followed{Tag: f.Tag, Entries: []persistence.Entry{{At: 2, Data: a.Entry}}, UpTo: 2})
		k.written(2)
		b := k.ask(events(1, 1, 8))
		k.appended(b, 3)
		k.follows(3, persistence.Entry{At: 3, Data: b.Entry})
		k.written(3)
	})
}

func TestAnAppendWhoseOutcomeIsUnknownIsRefusedAsThat(t *testing.T) {
	k := newAtPort(t, 1)
	k.activated()
	a := k.ask(events(1, 0, 7))
	k.port.Send(k.keeper, persistence.Appended{Tag: a.Tag, Err: persistence.ErrUnknown})
	k.refused(persistence.ErrUnknown)
	k.follows(2, persistence.Entry{At: 2, Data: a.Entry}) // it is in the log after all: whoever comes next has it
	next := k.ask(persistence.Activate{Owner: "a", By: "again"})
	k.appended(next, 3)
	k.follows(3, persistence.Entry{At: 3, Data: next.Entry})
	if got := actortest.Await[persistence.Activated](t, k.actor, time.Second); got.Next != 1 || len(got.Spans) != 1 {
		t.Errorf("it goes on with %+v", got)
	}
}

func TestWhoeverWasFencedIsToldByWhom(t *testing.T) {
	k := newAtPort(t, 1)
	k.activated()
	a := k.ask(events(1, 0, 7))
	k.appended(a, 3)
	k.follows(3, k.activation(2), persistence.Entry{At: 3, Data: a.Entry})
	var by *persistence.FencedError
	err := actortest.Await[persistence.Refused](t, k.actor, time.Second).Err
	if !errors.Is(err, persistence.ErrFenced) || !errors.As(err, &by) || by.By != "elsewhere" || by.Newer != 2 || by.Activation != 1 {
		t.Errorf("it is told %+v", by)
	}
	k.actor.Request(k.keeper, events(1, 0, 8))
	k.refused(persistence.ErrFenced)
	actortest.ExpectNone[persistence.Append](t, k.port, 0)
}

func TestWhoeverIsActivatedTogetherWithAnotherIsToldSo(t *testing.T) {
	k := newAtPort(t, 1)
	a := k.ask(persistence.Activate{Owner: "a", By: "here"})
	k.appended(a, 1)
	k.follows(2, persistence.Entry{At: 1, Data: a.Entry}, k.activation(2))
	k.refused(persistence.ErrFenced)
}

func TestWhatLeavesAGapIsRefusedAndAllBehindItToo(t *testing.T) {
	k := newAtPort(t, 1)
	k.activated()
	a := k.ask(events(1, 1, 7))
	k.appended(a, 2)
	k.follows(2, persistence.Entry{At: 2, Data: a.Entry})
	k.refused(persistence.ErrOrder)
	b := k.ask(events(1, 0, 8))
	k.appended(b, 3)
	k.follows(3, persistence.Entry{At: 3, Data: b.Entry})
	k.refused(persistence.ErrFenced)
}

func TestAKeeperFollowsAgainAfterItsPortFailed(t *testing.T) {
	k := newAtPort(t, 1)
	for range 3 {
		f := actortest.Await[persistence.Follow](t, k.port, time.Second)
		k.port.Send(k.keeper, persistence.Followed{Tag: f.Tag, Err: errors.New("nobody is there")})
	}
	k.activated()
}

// The log: 1 here, 2 an event of it, 3 elsewhere, 4 its snapshot; and truncated to 2, as another journal needs that. The event
// counts, and whoever reads from 2 on takes it for something that is fenced.
func TestNobodyIsToldWhatBecameOfAnEntryThatAKeeperCannotJudge(t *testing.T) {
	for name, placed := range map[string]bool{"it is known where it is": true, "it is not known yet where it is": false} {
		t.Run(name, func(t *testing.T) {
			k := newAtPort(t, 1)
			k.activated()
			a := k.ask(events(1, 0, 7))
			if placed {
				k.appended(a, 3)
			}
			f := actortest.Await[persistence.Follow](t, k.port, time.Second)
			k.port.Send(k.keeper, persistence.Followed{Tag: f.Tag, Begin: 3})
			k.follows(5, persistence.Entry{At: 3, Data: a.Entry}, k.activation(4), k.encoded(5, state(4, 1, 7)))
			if !placed {
				k.appended(a, 3)
			}
			k.refused(persistence.ErrUnknown)
		})
	}
}

func TestAKeeperThatWasPassedByATruncationGoesOn(t *testing.T) {
	k := newAtPort(t, 1)
	early := k.ask(persistence.Activate{Owner: "a", By: "early"})
	f := actortest.Await[persistence.Follow](t, k.port, time.Second)
	k.port.Send(k.keeper, persistence.Followed{Tag: f.Tag, Begin: 10})
	k.appended(early, 9)
	k.refused(persistence.ErrUnknown)
	next := k.ask(persistence.Activate{Owner: "a", By: "next"})
	k.appended(next, 12)
	k.follows(12, k.encoded(10, state(5, 3, 7)), persistence.Entry{At: 12, Data: next.Entry})
	got := actortest.Await[persistence.Activated](t, k.actor, time.Second)
	if got.Activation != 12 || got.Snapshot != 10 || got.Next != 3 {
		t.Errorf("it goes on with %+v", got)
	}
}
