package protocol

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func TestThreeNewReplicasInitializeElectAndAppend(t *testing.T) {
	for seed := range uint64(20) {
		c := kit.New(t, seed, 3, true)
		c.Start()
		c.AwaitVoting(c.Members...)
		writer := c.Member(1)
		writer.Elect()
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprint(i))
			writer.Append(want[i])
		}
		c.World.Run(5 * time.Second)
		for _, m := range c.Members {
			if got := m.Entries(); !slices.Equal(got, want) {
				t.Fatalf("seed %d: replica %d has %q", seed, m.ID, got)
			}
		}
	}
}

func TestAWipedReplicaRecoversAndVotes(t *testing.T) {
	for seed := range uint64(20) {
		c := kit.New(t, seed, 3, true)
		c.Start()
		c.AwaitVoting(c.Members...)
		writer, wiped := c.Member(1), c.Member(3)
		writer.Elect()
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprint(i))
			writer.Append(want[i])
		}
		wiped.Crash()
		wiped.Wipe()
		for i := 10; i < 20; i++ {
			want = append(want, fmt.Sprint(i))
			writer.Append(want[i])
		}
		wiped.Restart()
		c.AwaitVoting(wiped)
		if got := wiped.Inspect(); got.Status != status.Voting || got.Identity.Incarnation.Generation != 2 {
			t.Fatalf("seed %d: %+v", seed, got)
		}
		if got := wiped.Entries(); !slices.Equal(got, want) {
			t.Fatalf("seed %d: the wiped replica has %q", seed, got)
		}
		c.Member(2).Crash()
		writer.Append("with the rebuilt replica's vote")
	}
}
