package actortest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

func TestSkewMovesNowAndNoTimer(t *testing.T) {
	w := actortest.New(t, 1)
	a, b := w.Node("a:1"), w.Node("b:1")
	p := b.Probe("probe")
	b.Skew(time.Hour)
	if d := b.Clock().Now().Sub(a.Clock().Now()); d != time.Hour {
		t.Errorf("skew %v", d)
	}
	b.Clock().After(time.Second, p.PID, "due")
	actortest.Await[string](t, p, time.Second)
}

func TestDriftMovesNowAndTimers(t *testing.T) {
	for _, c := range []struct {
		rate        float64
		passed, due time.Duration // by the clock within a second, and when a timer of a second is due
	}{
		{0.25, 1250 * time.Millisecond, 800 * time.Millisecond},
		{-0.5, 500 * time.Millisecond, 2 * time.Second},
		{-0.999, time.Millisecond, 1000 * time.Second},
	} {
		w := actortest.New(t, 1)
		n := w.Node("a:1")
		p := n.Probe("probe")
		n.Drift(c.rate)
		before := n.Clock().Now()
		n.Clock().After(time.Second, p.PID, "due")
		w.Run(time.Second)
		if passed := n.Clock().Now().Sub(before).Round(time.Microsecond); passed != c.passed {
			t.Errorf("%v: %v passed within a second", c.rate, passed)
		}
		actortest.Await[string](t, p, time.Hour)
		if at := p.Received()[0].At.Round(time.Microsecond); at != c.due {
			t.Errorf("%v: a second passed after %v", c.rate, at)
		}
	}
}

func TestDriftMovesPendingTimersAndMayEnd(t *testing.T) {
	w := actortest.New(t, 1)
	n, other := w.Node("a:1"), w.Node("b:1")
	p, q := n.Probe("probe"), other.Probe("probe")
	n.Clock().After(10*time.Second, p.PID, "due")
	other.Clock().After(10*time.Second, q.PID, "due")
	w.Run(2 * time.Second) // 8 s are left
	n.Drift(1)
	w.Run(3 * time.Second) // 2 s are left
	n.Drift(0)
	w.Run(time.Minute)
	if at := p.Received()[0].At; at != 7*time.Second {
		t.Errorf("due at %v", at)
	}
	if at := q.Received()[0].At; at != 10*time.Second {
		t.Errorf("on the other node due at %v", at)
	}
	if ahead := n.Clock().Now().Sub(other.Clock().Now()); ahead != 3*time.Second {
		t.Errorf("%v ahead", ahead)
	}
}

func TestClockThatRunsBackwardsFailsTheWorld(t *testing.T) {
	w := actortest.NewWorld(1)
	defer w.Close()
	w.Node("a:1").Drift(-1)
	if w.Err() == nil || !strings.Contains(w.Err().Error(), "a:1") {
		t.Error(w.Err())
	}
}
