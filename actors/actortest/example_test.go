package actortest_test

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

// increment answers a number with the next one.
func increment(ctx actor.Context) {
	if m, ok := ctx.Message().(*wrapperspb.UInt64Value); ok {
		ctx.Respond(wrapperspb.UInt64(m.GetValue() + 1))
	}
}

func Example() {
	w := actortest.NewWorld(7) // in a test: actortest.New(t, 7)
	defer w.Close()

	far := w.Node("far:1").Spawn("incrementer", actor.PropsFromFunc(increment))
	asker := w.Node("near:1").Probe("asker")

	asker.Request(far, wrapperspb.UInt64(41))
	answer, err := actortest.Next[*wrapperspb.UInt64Value](asker, time.Second) // in a test: Await
	fmt.Println(answer.GetValue(), err, w.Elapsed() < 20*time.Millisecond)

	w.Net.Cut("near:1", "far:1")
	asker.Request(far, wrapperspb.UInt64(42))
	w.Run(time.Minute) // of virtual time
	fmt.Println(len(asker.Messages()))

	// Output:
	// 42 <nil> true
	// 1
}
