package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAFollowerHasWhatTheLimitAcknowledged(t *testing.T) {
	dir := t.TempDir()
	l, err := newLeader(dir)
	if err != nil {
		t.Fatal(err)
	}
	const size, outstanding = 100, 8
	took, err := l.load(t.Context(), 100*time.Millisecond, outstanding, size)
	if err != nil || len(took) == 0 {
		t.Fatalf("%d records, %v", len(took), err)
	}
	if err := l.end(); err != nil {
		t.Fatal(err)
	}
	longest := 0
	for _, name := range []string{"leader", "follower-0", "follower-1"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if count := bytes.Count(text, []byte{0, 0, 0, size}); name == "leader" && count < len(took) {
			t.Errorf("the leader has %d records, and acknowledged %d", count, len(took))
		} else if name != "leader" {
			longest = max(longest, count)
		}
	}
	if longest < len(took) {
		t.Errorf("the better follower has %d records, and %d were acknowledged", longest, len(took))
	}
}

func TestAStreamIsMeasuredUntilAllOfItIsThere(t *testing.T) {
	for _, size := range []int64{1, syncedTogether, 3*syncedTogether + 7} {
		if took, err := measureStream(t.Context(), options{dir: t.TempDir()}, size); err != nil || took <= 0 {
			t.Errorf("%d bytes: %v, %v", size, took, err)
		}
	}
}

func TestALimitIsMeasuredWithOneRecordAndWithMany(t *testing.T) {
	for _, outstanding := range []int{1, 64} {
		dir := t.TempDir()
		r, err := measureLimit(t.Context(), options{dir: dir, tiny: true}, outstanding, 128)
		if err != nil || r.rate <= 0 || r.p50 <= 0 {
			t.Errorf("%d outstanding: %+v, %v", outstanding, r, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%d outstanding: %v is left, %v", outstanding, left, err)
		}
	}
}
