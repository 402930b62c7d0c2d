package actortest_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

// worker sends itself the next number until it has sent most, and tells done of each.
func worker(most uint64, done func(uint64)) *actor.Props {
	return actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(number); ok {
			done(m.GetValue())
			if m.GetValue() < most {
				ctx.Send(ctx.Self(), num(m.GetValue()+1))
			}
		}
	})
}

// between says whether one worker takes all of its steps between two steps of the other, which has begun and not ended.
func between(t *testing.T, seed uint64, s actortest.Schedule) bool {
	const steps = 20
	w := actortest.New(t, seed)
	w.Schedule(s)
	n := w.Node("a:1")
	var first, begun, ended uint64
	n.Root().Send(n.Spawn("first", worker(steps, func(i uint64) { first = i })), num(1))
	n.Root().Send(n.Spawn("second", worker(steps, func(i uint64) {
		switch i {
		case 1:
			begun = first
		case steps:
			ended = first
		}
	})), num(1))
	w.Run(0)
	return begun > 0 && begun < steps && begun == ended
}

func TestPrioritiesFindWhatUniformChoiceMisses(t *testing.T) {
	uniform, priorities := 0, 0
	for seed := range uint64(100) {
		if between(t, seed, actortest.Uniform{}) {
			uniform++
		}
		if between(t, seed, actortest.Priorities{Depth: 2, Steps: 44}) {
			priorities++
		}
	}
	if uniform > 0 || priorities < 10 {
		t.Errorf("found %d times by uniform choice and %d times by priorities", uniform, priorities)
	}
}

func TestPrioritiesAreDrawnAgain(t *testing.T) {
	w := actortest.New(t, 1)
	w.Schedule(actortest.Priorities{Steps: 10})
	n := w.Node("a:1")
	behind, turns := int64(0), 0
	count := func(by int64) func(uint64) {
		return func(uint64) {
			if before := behind; before*(before+by) < 0 || before == 0 {
				turns++
			}
			behind += by
		}
	}
	n.Root().Send(n.Spawn("first", worker(400, count(1))), num(1))
	n.Root().Send(n.Spawn("second", worker(400, count(-1))), num(1))
	w.Run(0)
	if turns < 3 {
		t.Errorf("the lead changed %d times", turns)
	}
}

func TestTwoWhoTalkWhileTheyWaitForAThirdDoNotTalkForEver(t *testing.T) {
	for seed := range uint64(20) {
		w := actortest.New(t, seed)
		w.Schedule(actortest.Priorities{Depth: 1})
		n := w.Node("a:1")
		ready := false
		talk := func(ctx actor.Context) {
			if m, ok := ctx.Message().(number); ok && !ready {
				ctx.Request(ctx.Sender(), m)
			}
		}
		one, other := n.Spawn("one", actor.PropsFromFunc(talk)), n.Spawn("other", actor.PropsFromFunc(talk))
		third := n.Spawn("third", actor.PropsFromFunc(func(ctx actor.Context) {
			_, ok := ctx.Message().(number)
			ready = ready || ok
		}))
		n.Root().RequestWithCustomSender(one, num(1), other)
		n.Root().Send(third, num(1))
		w.Run(time.Second) // a livelock would fail the world
		if !ready {
			t.Errorf("seed %d: the third did not run", seed)
		}
	}
}

// longestWait is how long messages wait in a mailbox at most, where timers come every millisecond.
func longestWait(t *testing.T, seed uint64, s actortest.Schedule) time.Duration {
	w := actortest.New(t, seed)
	w.Schedule(s)
	w.Lag(0, 0)
	n := w.Node("a:1")
	var longest time.Duration
	for _, name := range []string{"one", "other"} {
		n.Spawn(name, actor.PropsFromFunc(func(ctx actor.Context) {
			if sent, ok := ctx.Message().(time.Duration); ok {
				longest = max(longest, w.Elapsed()-sent)
			}
		}))
	}
	for at := time.Duration(0); at < 100*time.Millisecond; at += time.Millisecond {
		n.Clock().After(at, n.PID("one"), at)
		n.Clock().After(at, n.PID("other"), at)
	}
	w.Run(time.Second)
	return longest
}

func TestActorIsStarvedNoLongerThanAllowed(t *testing.T) {
	for _, c := range []struct {
		starve, from, to time.Duration
	}{
		{0, 0, 0},
		{10 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond},
	} {
		var longest time.Duration
		for seed := range uint64(20) {
			longest = max(longest, longestWait(t, seed, actortest.Priorities{Depth: 3, Steps: 50, Starve: c.starve}))
		}
		if longest < c.from || longest > c.to {
			t.Errorf("at most %v, and %v waited", c.starve, longest)
		}
	}
}

func TestOneSeedGivesOneHistoryWithPriorities(t *testing.T) {
	for seed := range uint64(10) {
		s := actortest.Priorities{Depth: 3, Steps: 100, Starve: 50 * time.Millisecond}
		first, steps := scheduled(t, seed, s)
		second, _ := scheduled(t, seed, s)
		uniform, _ := history(t, seed)
		if first != second || first == uniform || steps < 100 {
			t.Errorf("seed %d: %x and then %x after %d steps, and %x by uniform choice", seed, first, second, steps, uniform)
		}
	}
}
