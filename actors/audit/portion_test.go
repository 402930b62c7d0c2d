package audit

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

func TestAppendsGoBeforeWhatIsCompared(t *testing.T) {
	for _, c := range []struct {
		before, now log.Position
		want        int
	}{
		{0, 0, portionPositions},
		{70, 70, portionPositions},
		{70, 170, portionPositions - 100},
		{70, 70 + portionPositions - leastPositions, leastPositions},
		{70, 70 + portionPositions, leastPositions},
		{0, log.MaxPosition, leastPositions},
		{70, 7, portionPositions}, // another disk
	} {
		if got := portion(c.before, c.now); got != c.want {
			t.Errorf("from %d to %d: %d positions, want %d", c.before, c.now, got, c.want)
		}
	}
}
