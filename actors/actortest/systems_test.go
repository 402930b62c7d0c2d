package actortest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

func TestWorldsMayRunInParallel(t *testing.T) {
	alone := map[uint64]uint64{}
	for seed := range uint64(8) {
		alone[seed], _ = history(t, seed)
	}
	for seed := range uint64(8) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			for range 3 {
				if got, _ := history(t, seed); got != alone[seed] {
					t.Errorf("%x alone, and %x beside others", alone[seed], got)
				}
			}
		})
	}
}

func TestHistoryDoesNotDependOnTheWorldsBefore(t *testing.T) {
	before, _ := history(t, 5)
	for seed := range uint64(3) {
		w := actortest.NewWorld(seed)
		n := w.Node("a:1")
		for range 500 { // lives, so that all of them need more than one mold
			n.Root().Spawn(actor.PropsFromFunc(increment))
			n.Root().Send(n.PID("nobody"), num(1))
			n.Restart()
		}
		w.Close()
	}
	if after, _ := history(t, 5); after != before {
		t.Errorf("%x before, and %x after", before, after)
	}
}

func TestLivesOfANodeShareNothing(t *testing.T) {
	w := actortest.New(t, 1)
	n := w.Node("a:1")
	first := n.System
	pid := n.Root().Spawn(actor.PropsFromFunc(increment))
	n.Spawn("named", actor.PropsFromFunc(increment))
	w.Run(time.Second)
	n.Restart()
	switch again := n.Root().Spawn(actor.PropsFromFunc(increment)); {
	case again.Id != pid.Id:
		t.Errorf("the ids go on: %s, and then %s", pid.Id, again.Id)
	case first == n.System, first.EventStream == n.System.EventStream, first.Guardians == n.System.Guardians:
		t.Error("one actor system")
	}
	if _, found := n.System.ProcessRegistry.GetLocal("named"); found {
		t.Error("an actor of the life before")
	}
}
