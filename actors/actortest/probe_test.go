package actortest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

func TestProbePlaysTheOtherSide(t *testing.T) {
	w := actortest.New(t, 1)
	asker, answerer := w.Node("a:1").Probe("asker"), w.Node("b:1").Probe("answerer")
	asker.Request(answerer.PID, num(1))
	if got := actortest.Await[number](t, answerer, time.Second); got.GetValue() != 1 {
		t.Errorf("asked %d", got.GetValue())
	}
	answerer.Respond(num(2))
	if got := actortest.Await[number](t, asker, time.Second); got.GetValue() != 2 {
		t.Errorf("answered %d", got.GetValue())
	}
	if asker.Last().Sender != nil {
		t.Error("an answer with a sender")
	}
}

func TestAwaitTakesTheOldestOfItsTypeOnce(t *testing.T) {
	w := actortest.New(t, 1)
	p := w.Node("a:1").Probe("probe")
	for _, m := range []any{"one", num(1), "two"} {
		p.Send(p.PID, m)
	}
	if n := actortest.Await[number](t, p, 0); n.GetValue() != 1 {
		t.Errorf("got %v", n)
	}
	if one, two := actortest.Await[string](t, p, 0), actortest.Await[string](t, p, 0); one != "one" || two != "two" {
		t.Errorf("got %s, %s", one, two)
	}
	if len(p.Messages()) != 3 {
		t.Errorf("remembers %v", p.Messages())
	}
}

func TestAwaitInVainTellsTypeSeedAndLastSteps(t *testing.T) {
	w := actortest.NewWorld(17)
	defer w.Close()
	p := w.Node("a:1").Probe("probe")
	p.Send(p.PID, num(5))
	said := strings.Join(inside(t, func(t testing.TB) { actortest.Await[*actor.Terminated](t, p, time.Second) }), "\n")
	for _, want := range []string{"a:1/probe", "*actor.Terminated", "seed 17", "value:5"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in: %s", want, said)
		}
	}
}

func TestExpectNoneFailsWhereOneCame(t *testing.T) {
	w := actortest.NewWorld(1)
	defer w.Close()
	p := w.Node("a:1").Probe("probe")
	p.Send(p.PID, num(5))
	said := inside(t, func(t testing.TB) { actortest.ExpectNone[string](t, p, time.Second) })
	if len(said) != 0 {
		t.Errorf("no string came, but: %v", said)
	}
	said = inside(t, func(t testing.TB) { actortest.ExpectNone[number](t, p, time.Second) })
	if len(said) != 1 || !strings.Contains(said[0], "value:5") {
		t.Errorf("said %v", said)
	}
}

// batch is a message that holds messages.
type batch []any

func (b batch) GetMessages() []any { return b }

func TestBatchIsUnpacked(t *testing.T) {
	w := actortest.New(t, 1)
	p := w.Node("a:1").Probe("probe")
	p.Send(p.PID, batch{"one", "two"})
	w.Run(0)
	if got := len(p.Messages()); got != 3 { // as in reality, the batch itself comes too
		t.Errorf("got %v", p.Messages())
	}
}

func TestProbeCallsForEachMessageWhenItComes(t *testing.T) {
	w := actortest.New(t, 1)
	n := w.Node("a:1")
	p := n.Probe("probe")
	var at []time.Duration
	p.Each(func(actortest.Received) { at = append(at, w.Elapsed()) })
	n.Clock().After(time.Second, p.PID, "one")
	n.Clock().After(2*time.Second, p.PID, "two")
	w.Run(time.Minute)
	if len(at) != 2 || at[0] != time.Second || at[1] != 2*time.Second {
		t.Errorf("at %v", at)
	}
}
