package ensemble_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/actors/ensemble"
)

func TestALogHasLessRoomWhereOthersHaveMuchWaitingAndNeverNone(t *testing.T) {
	for beside, want := range map[int64]int{-1: 64 << 20, 0: 64 << 20, 64 << 20: 64 << 20, 64<<20 + 1: 2 << 20, 1 << 40: 2 << 20} {
		e := &ensemble.Ensemble{Beside: func() int64 { return beside }}
		if beside < 0 { // there is one log
			e.Beside = nil
		}
		if got := e.Room(); got != want {
			t.Errorf("beside %d bytes there is room for %d, want %d", beside, got, want)
		}
	}
}
