package main

import (
	"encoding/json"
	"os"
	"testing"
)

func TestADiskIsMeasuredAndNothingIsLeftOnIt(t *testing.T) {
	dir := t.TempDir()
	s := newShell("", nil)
	if code := s.run("benchmark disk --duration 20ms -o json --dir " + dir); code != exitFine {
		t.Fatalf("exit code %d: %s", code, &s.err)
	}
	var r diskResult
	if err := json.Unmarshal(s.out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Single.Records != 1 || r.Group.Records != groupRecords || r.Single.P50 <= 0 || r.Single.P99 < r.Single.P50 || r.Single.Longest < r.Single.P99 ||
		r.Single.Syncs <= 0 || r.Group.PerSecond < r.Group.Syncs || r.Megabytes <= 0 || r.Verdict == "" {
		t.Errorf("%+v", r)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestTheVerdictGoesByTheSlowestSyncInAHundred(t *testing.T) {
	for _, c := range []struct {
		p99    float64
		memory bool
		want   string
	}{
		{200, false, "good"}, {10_000, false, "good"}, {10_001, false, "slow"}, {50_000, false, "slow"}, {50_001, false, "bad"},
		{5, true, "memory"},
	} {
		r := diskResult{Single: syncResult{P50: c.p99 / 2, P99: c.p99}}
		if r.judge(c.memory); r.Level != c.want {
			t.Errorf("%v us, in memory %v: %s, expected %s", c.p99, c.memory, r.Level, c.want)
		}
	}
}
