package ensemble_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
)

func TestATopmostActorThatPanicsIsStoppedAndReported(t *testing.T) {
	system := actor.NewActorSystem()
	defer system.Shutdown()
	stopped, reported := make(chan struct{}), make(chan any, 2)
	pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case string:
			panic(m)
		case *actor.Stopped:
			close(stopped)
		case *actor.Restarting:
			t.Error("it is started again")
		}
	}, actor.WithReceiverMiddleware(ensemble.Topmost(func(who *actor.PID, reason any) {
		if who.GetId() == "" {
			t.Error("nobody is reported")
		}
		reported <- reason
	}))))
	system.Root.Send(pid, "fault")
	system.Root.Send(pid, "another one")
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
	if reason := <-reported; reason != "fault" || len(reported) > 0 {
		t.Errorf("%v is reported, and %d more", reason, len(reported))
	}
}
