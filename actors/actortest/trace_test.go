package actortest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
)

func TestVerboseWorldTellsEachStepAndWhatTheActorSystemsLog(t *testing.T) {
	w := actortest.New(t, 1)
	var said []string
	w.Verbose(func(line string) { said = append(said, line) })
	n := w.Node("a:1")
	n.Root().Send(n.Probe("probe").PID, num(5))
	w.Run(time.Second)
	all := strings.Join(said, "\n")
	for _, want := range []string{"actor system started", "a:1/probe", "value:5"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in:\n%s", want, all)
		}
	}
}

func TestHashTellsContentsApart(t *testing.T) {
	hashes := map[uint64]bool{}
	for i := range uint64(2) {
		w := actortest.New(t, 1)
		p := w.Node("a:1").Probe("probe")
		p.Send(p.PID, num(i))
		w.Run(time.Second)
		hashes[w.Hash()] = true
	}
	if len(hashes) != 2 {
		t.Error("two histories, one hash")
	}
}
