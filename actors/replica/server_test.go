package replica

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
)

func TestRequestsThatOneMemberGaveUpAreDropped(t *testing.T) {
	var waiting []serve
	waiting = queued(waiting, serve{peer: actor.NewPID("other:1", "catchup")})
	for at := range log.Position(100) {
		waiting = queued(waiting, serve{peer: actor.NewPID("one:1", "catchup"), within: log.Range{First: at, Last: at}})
	}
	if len(waiting) != maxServes+1 || waiting[0].peer.GetAddress() != "other:1" {
		t.Fatalf("%d wait, the first one of %s", len(waiting), waiting[0].peer.GetAddress())
	}
	for i, m := range waiting[1:] {
		if want := log.Position(100 - maxServes + i); m.within.First != want {
			t.Errorf("request %d is for %d, want %d", i, m.within.First, want)
		}
	}
}
