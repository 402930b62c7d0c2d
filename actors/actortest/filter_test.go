package actortest_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

// holdOdd holds odd numbers and drops multiples of ten.
func holdOdd(e actortest.Envelope) actortest.Verdict {
	switch m := e.Message.(number); {
	case m.GetValue()%2 == 1:
		return actortest.Hold
	case m.GetValue()%10 == 0:
		return actortest.Drop
	}
	return actortest.Deliver
}

func TestFilterHoldsAndDropsBetweenNodesAndInsideOfOne(t *testing.T) {
	for _, from := range []string{"a:1", "b:1"} {
		w := actortest.New(t, 1)
		p := w.Node("b:1").Probe("probe")
		w.Filter(holdOdd)
		for i := range uint64(5) {
			w.Node(from).Root().Send(p.PID, num(i))
		}
		w.Run(time.Second)
		if got := len(p.Messages()); got != 2 { // 2 and 4
			t.Errorf("%s: %d came through", from, got)
		}
		three := func(e actortest.Envelope) bool { return e.Message.(number).GetValue() == 3 }
		if n := w.Release(three); n != 1 {
			t.Errorf("%s: released %d", from, n)
		}
		w.Run(time.Second)
		if last := p.Messages()[2].(number); last.GetValue() != 3 {
			t.Errorf("%s: got %d", from, last.GetValue())
		}
		if held := w.Held(); len(held) != 1 || held[0].Message.(number).GetValue() != 1 || held[0].From != from {
			t.Errorf("%s: held %v", from, held)
		}
	}
}

func TestFilterSeesAnAnswerInsideOfOneNodeWithItsTarget(t *testing.T) {
	w := actortest.New(t, 1)
	n := w.Node("a:1")
	pid := n.Spawn("increment", actor.PropsFromFunc(increment))
	p := n.Probe("probe")
	w.Filter(func(e actortest.Envelope) actortest.Verdict {
		if e.Target == "probe" {
			return actortest.Hold
		}
		return actortest.Deliver
	})
	p.Request(pid, num(1))
	actortest.ExpectNone[any](t, p, time.Second)
	w.Release(nil)
	actortest.Await[number](t, p, 0)
}

func TestHeldMessageReachesTheNextLifeOfItsReceiver(t *testing.T) {
	w := actortest.New(t, 1)
	a, b := w.Node("a:1"), w.Node("b:1")
	w.Filter(func(actortest.Envelope) actortest.Verdict { return actortest.Hold })
	a.Root().Send(b.PID("probe"), num(1))
	a.Crash()
	b.Restart()
	p := b.Probe("probe")
	w.Release(nil)
	actortest.Await[number](t, p, time.Second)
}
