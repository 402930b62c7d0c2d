package actortest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

// number is shorthand for the message that these tests send.
type number = *wrapperspb.UInt64Value

func num(n uint64) number { return wrapperspb.UInt64(n) }

func bomb(ctx actor.Context) {
	if _, ok := ctx.Message().(number); ok {
		panic("boom")
	}
}

func TestPanicFailsTheWorldWithActorMessageStackAndSeed(t *testing.T) {
	w := actortest.NewWorld(99)
	defer w.Close()
	w.Node("a:1").Root().Send(w.Node("a:1").Spawn("bomb", actor.PropsFromFunc(bomb)), num(1))
	w.Run(time.Second)
	if w.Err() == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"seed 99", "a:1/bomb", "UInt64Value", "boom", "world_test.go"} {
		if !strings.Contains(w.Err().Error(), want) {
			t.Errorf("no %q in: %v", want, w.Err())
		}
	}
	if w.Step() {
		t.Error("a failed world goes on")
	}
}

func TestPanicInADescendantFailsTheWorld(t *testing.T) {
	w := actortest.NewWorld(1)
	defer w.Close()
	n := w.Node("a:1")
	n.Spawn("parent", actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			ctx.Send(ctx.SpawnPrefix(actor.PropsFromFunc(bomb), "child"), num(1))
		}
	}))
	w.Run(time.Second)
	if w.Err() == nil || !strings.Contains(w.Err().Error(), "a:1/parent/child") {
		t.Fatal(w.Err())
	}
}

func TestForgivenPanicGoesToTheSupervisorOnly(t *testing.T) {
	w := actortest.New(t, 1)
	w.Forgive(func(p actortest.Panic) bool { return p.Reason == "boom" })
	n := w.Node("a:1")
	stop := actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective })
	pid := n.Spawn("bomb", actor.PropsFromFunc(bomb, actor.WithGuardian(stop)))
	p := n.Probe("probe")
	p.Watch(pid)
	p.Send(pid, num(1))
	actortest.Await[*actor.Terminated](t, p, time.Second)
}

func TestActorThatPanickedHandlesNothingUntilItsSupervisorDecided(t *testing.T) {
	for seed := range uint64(10) {
		w := actortest.New(t, seed)
		w.Forgive(func(actortest.Panic) bool { return true })
		var happened []string
		decide := func(any) actor.Directive {
			happened = append(happened, "decided")
			return actor.ResumeDirective
		}
		child := actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(string); ok {
				happened = append(happened, m)
				panic(m)
			}
		})
		n := w.Node("a:1")
		n.Spawn("parent", actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Started); ok {
				pid := ctx.Spawn(child)
				ctx.Send(pid, "one")
				ctx.Send(pid, "two")
			}
		}, actor.WithSupervisor(actor.NewOneForOneStrategy(0, 0, decide))))
		w.Run(time.Second)
		if got := strings.Join(happened, " "); got != "one decided two decided" {
			t.Errorf("seed %d: %s", seed, got)
		}
	}
}

func TestTheTestEndsWhereAnActorPanics(t *testing.T) {
	said := strings.Join(inside(t, func(t testing.TB) {
		w := actortest.New(t, 5)
		n := w.Node("a:1")
		n.Root().Send(n.Spawn("bomb", actor.PropsFromFunc(bomb)), num(1))
		w.Run(time.Second)
		t.Logf("went on")
	}), "\n")
	if !strings.Contains(said, "boom") || !strings.Contains(said, "seed 5") || strings.Contains(said, "went on") {
		t.Error(said)
	}
}

func TestEndlessWorkAtOneInstantFailsTheWorld(t *testing.T) {
	w := actortest.NewWorld(1)
	defer w.Close()
	n := w.Node("a:1")
	pid := n.Spawn("circle", actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(number); ok {
			ctx.Send(ctx.Self(), m)
		}
	}))
	n.Root().Send(pid, num(1))
	w.Run(time.Second)
	if w.Err() == nil || !strings.Contains(w.Err().Error(), "one instant") {
		t.Fatal(w.Err())
	}
}

func TestRunLetsExactlyThatMuchTimePass(t *testing.T) {
	w := actortest.New(t, 1)
	n := w.Node("a:1")
	p := n.Probe("probe")
	before := n.Clock().Now()
	n.Clock().After(10*time.Millisecond, p.PID, "early")
	n.Clock().After(10*time.Millisecond+1, p.PID, "late")
	w.Run(10 * time.Millisecond)
	if passed := n.Clock().Now().Sub(before); passed != 10*time.Millisecond {
		t.Errorf("%v passed", passed)
	}
	if got := p.Messages(); len(got) != 1 || got[0] != "early" {
		t.Errorf("got %v", got)
	}
}

func TestUntilTellsTheSeedAndTheLastSteps(t *testing.T) {
	w := actortest.NewWorld(42)
	defer w.Close()
	p := w.Node("a:1").Probe("probe")
	p.Send(p.PID, num(77))
	err := w.Until(time.Second, func() bool { return false })
	if err == nil || !strings.Contains(err.Error(), "seed 42") || !strings.Contains(err.Error(), "value:77") {
		t.Fatal(err)
	}
	if w.Elapsed() != time.Second {
		t.Errorf("%v passed", w.Elapsed())
	}
}

func TestUntilStopsAtTheFirstStepThatWillDo(t *testing.T) {
	w := actortest.New(t, 1)
	p := w.Node("a:1").Probe("probe")
	for range 5 {
		p.Send(p.PID, num(1))
	}
	w.Must(t, time.Second, "three messages", func() bool { return len(p.Messages()) == 3 })
	if len(p.Messages()) != 3 {
		t.Errorf("%d messages", len(p.Messages()))
	}
}

func TestIdleMeansNoWorkAndNoMessageOnItsWay(t *testing.T) {
	w := actortest.New(t, 1)
	a, b := w.Node("a:1"), w.Node("b:1")
	pid := b.Spawn("increment", actor.PropsFromFunc(increment))
	p := a.Probe("probe")
	p.Request(pid, num(1))
	if w.Idle() {
		t.Error("idle with a message on its way")
	}
	w.Must(t, time.Second, "idle", w.Idle)
	actortest.Await[number](t, p, 0)
}

// The timer's message is in the mailbox when the answer is handled, and cancelling comes too late. Without Lag no timer is
// ever due while an actor has something to do.
func TestLateTimerMayWaitInTheMailboxBehindTheAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		lag  float64
		want bool
	}{"lag": {0.2, true}, "no lag": {0, false}} {
		w := actortest.New(t, 1)
		w.Lag(c.lag, time.Millisecond)
		n := w.Node("a:1")
		late := 0
		for range 100 {
			late += lateTimers(w, n)
		}
		if (late > 0) != c.want {
			t.Errorf("%s: %d of 100 timers were late", name, late)
		}
	}
}

// lateTimers counts the timers, none or one, that an actor hears of after it cancelled them.
func lateTimers(w *actortest.World, n *actortest.Node) int {
	var cancel func()
	answered, late := false, 0
	pid := n.Root().Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message() {
		case "answer":
			answered = true
			cancel()
		case "due":
			if answered {
				late++
			}
		}
	}))
	w.Run(0)
	n.Clock().After(500*time.Microsecond, pid, "answer")
	cancel = n.Clock().After(600*time.Microsecond, pid, "due")
	w.Run(time.Second)
	return late
}
