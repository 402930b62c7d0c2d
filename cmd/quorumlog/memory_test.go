package main

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestAMemberHasAMemoryLimitUnlessAnotherOneIsGiven(t *testing.T) {
	before := debug.SetMemoryLimit(-1) // only tells it
	defer debug.SetMemoryLimit(before)
	for _, c := range []struct {
		given string
		want  int64
	}{
		{"", memoryLimit},
		{"1GiB", math.MaxInt64}, // as the runtime read it at the start: not touched
	} {
		debug.SetMemoryLimit(math.MaxInt64)
		t.Setenv("GOMEMLIMIT", c.given)
		limitMemory()
		if got := debug.SetMemoryLimit(-1); got != c.want {
			t.Errorf("GOMEMLIMIT=%q: the limit is %d, want %d", c.given, got, c.want)
		}
	}
}
