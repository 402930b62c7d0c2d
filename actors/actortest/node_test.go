package actortest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

// family spawns a child, which spawns a grandchild, and each arms a timer.
func family(n *actortest.Node, depth int) *actor.Props {
	var cancel func()
	return actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			cancel = n.Clock().After(time.Hour, ctx.Self(), "due")
			if depth > 0 {
				_, _ = ctx.SpawnNamed(family(n, depth-1), "child") // the name is free
			}
		case *actor.Stopping:
			cancel()
		}
	})
}

func TestDiscardedFamilyLeavesNoActorAndNoTimer(t *testing.T) {
	w := actortest.New(t, 1)
	n := w.Node("a:1")
	n.Probe("probe")
	pid := n.Spawn("family", family(n, 2))
	w.Run(time.Second)
	if got := n.Actors(); !slices.Equal(got, []string{"family", "family/child", "family/child/child"}) {
		t.Errorf("actors %v", got)
	}
	if w.Timers() != 3 {
		t.Errorf("%d timers", w.Timers())
	}
	n.Root().Poison(pid)
	w.Run(time.Second)
	if len(n.Actors()) != 0 || w.Timers() != 0 {
		t.Errorf("left: actors %v, %d timers", n.Actors(), w.Timers())
	}
}

func TestStopOvertakesMessagesAndPoisonDoesNot(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*actor.RootContext, *actor.PID)
		want int
	}{
		"stop":   {(*actor.RootContext).Stop, 0},
		"poison": {(*actor.RootContext).Poison, 3},
	} {
		w := actortest.New(t, 1)
		n := w.Node("a:1")
		p := n.Probe("probe")
		pid := n.Spawn("increment", actor.PropsFromFunc(increment))
		w.Run(0)
		for i := range uint64(3) {
			p.Request(pid, num(i))
		}
		c.end(n.Root(), pid)
		w.Run(time.Second)
		if got := len(p.Messages()); got != c.want {
			t.Errorf("%s: %d answers, want %d", name, got, c.want)
		}
	}
}

func TestWatcherOfAnActorThatNeverWasIsTold(t *testing.T) {
	w := actortest.New(t, 1)
	n := w.Node("a:1")
	p := n.Probe("probe")
	p.Watch(n.PID("nobody"))
	if got := actortest.Await[*actor.Terminated](t, p, time.Second); got.GetWhy() != actor.TerminatedReason_NotFound {
		t.Errorf("why: %v", got.GetWhy())
	}
}

func TestCrashedActorsHearNothingAndSayNothing(t *testing.T) {
	w := actortest.New(t, 1)
	a, b := w.Node("a:1"), w.Node("b:1")
	var heard []any
	b.Spawn("ear", actor.PropsFromFunc(func(ctx actor.Context) { heard = append(heard, ctx.Message()) }))
	w.Run(0)
	heard = nil
	b.Clock().After(time.Millisecond, b.PID("ear"), "due")
	a.Root().Send(b.PID("ear"), num(1))
	b.Root().Send(b.PID("ear"), num(2))
	b.Crash()
	w.Run(time.Second)
	if len(heard) != 0 || len(b.Actors()) != 0 || w.Timers() != 0 {
		t.Errorf("heard %v, actors %v, timers %d", heard, b.Actors(), w.Timers())
	}
}

func TestTimerOfACrashedLifeIsNotHeardInTheNext(t *testing.T) {
	w := actortest.New(t, 1)
	n := w.Node("a:1")
	n.Probe("probe")
	pid := n.PID("probe")
	n.Clock().After(time.Second, pid, "due")
	n.Restart()
	p := n.Probe("probe")
	n.Root().Send(pid, num(1)) // now pid remembers the actor of the new life
	actortest.Await[number](t, p, 0)
	actortest.ExpectNone[any](t, p, time.Minute)
}

func TestWhatACrashedNodeSentBeforeStillArrives(t *testing.T) {
	w := actortest.New(t, 1)
	a, b := w.Node("a:1"), w.Node("b:1")
	p := a.Probe("probe")
	b.Root().Send(p.PID, num(1))
	b.Crash()
	actortest.Await[number](t, p, time.Second)
}

func TestWhatWasOnItsWayToACrashedNodeIsLostToTheNextLife(t *testing.T) {
	w := actortest.New(t, 1)
	a, b := w.Node("a:1"), w.Node("b:1")
	b.Probe("probe")
	a.Root().Send(b.PID("probe"), num(1))
	b.Restart()
	p := b.Probe("probe")
	actortest.ExpectNone[any](t, p, time.Second)
}

func TestRestartedNodeAnswersUnderTheOldPID(t *testing.T) {
	w := actortest.New(t, 1)
	a, b := w.Node("a:1"), w.Node("b:1")
	p := a.Probe("probe")
	pid := b.Spawn("increment", actor.PropsFromFunc(increment))
	p.Request(pid, num(1))
	actortest.Await[number](t, p, time.Second)
	local := b.PID("increment")
	b.Root().Send(local, num(1)) // now local remembers the actor of this life
	b.Restart()
	b.Spawn("increment", actor.PropsFromFunc(increment))
	p.Request(pid, num(5))
	if got := actortest.Await[number](t, p, time.Second); got.GetValue() != 6 {
		t.Errorf("got %d", got.GetValue())
	}
	q := b.Probe("probe")
	q.Request(local, num(7))
	actortest.Await[number](t, q, 0)
}

func TestRestartedNodeDrawsNewRandomNumbers(t *testing.T) {
	w := actortest.New(t, 1)
	n := w.Node("a:1")
	first := n.Random().Uint64()
	n.Restart()
	if n.Random().Uint64() == first {
		t.Error("the same number twice")
	}
}

func TestNodeMayCrashWhileOneOfItsActorsRuns(t *testing.T) {
	w := actortest.New(t, 1)
	a, b := w.Node("a:1"), w.Node("b:1")
	p := a.Probe("probe")
	pid := b.Spawn("dying", actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(number); ok {
			b.Crash()
			ctx.Respond(m)
			ctx.Send(ctx.Self(), m)
			b.Clock().After(0, ctx.Self(), m)
		}
	}))
	p.Request(pid, num(1))
	actortest.ExpectNone[any](t, p, time.Second)
}

func TestCancelledTimerNeverFiresAndDoesNotCount(t *testing.T) {
	w := actortest.New(t, 1)
	n := w.Node("a:1")
	p := n.Probe("probe")
	cancel := n.Clock().After(time.Second, p.PID, "due")
	cancel()
	cancel()
	if w.Timers() != 0 {
		t.Errorf("%d timers", w.Timers())
	}
	actortest.ExpectNone[any](t, p, time.Minute)
	cancel = n.Clock().After(time.Second, p.PID, "due")
	actortest.Await[string](t, p, time.Second)
	cancel()
	if w.Timers() != 0 {
		t.Errorf("%d timers", w.Timers())
	}
}
