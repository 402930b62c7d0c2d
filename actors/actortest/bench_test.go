package actortest_test

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

func BenchmarkRoundTripBetweenNodes(b *testing.B) {
	w := actortest.New(b, 1)
	pid := w.Node("b:1").Spawn("increment", actor.PropsFromFunc(increment))
	p := w.Node("a:1").Probe("probe")
	for b.Loop() {
		p.Request(pid, num(1))
		for w.Step() {
		}
	}
}

func BenchmarkNodeStart(b *testing.B) {
	w := actortest.New(b, 1)
	n := w.Node("b:1")
	for b.Loop() {
		n.Restart()
	}
}
