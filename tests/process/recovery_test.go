package process

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
)

// What a replica has lost, and how soon it must vote again on any machine that is fit to run it.
const (
	lostEntries  = 10_000
	lostEntry    = 128 // bytes
	soonestAgain = 3 * time.Second
)

func TestTenThousandLostEntriesAreBackWithinThreeSeconds(t *testing.T) {
	c := New(t, 3)
	c.StartAll()
	client := dial(t, c.Members)
	appendMany(t, client)
	c.Kill(3)
	c.Wipe(3)

	began := time.Now()
	p := c.StartMember(3)
	took := untilItVotes(t, p, began)
	t.Logf("a replica that lost %d entries of %d bytes voted %s after the start of its process", lostEntries, lostEntry,
		took.Round(time.Millisecond))
	if took > soonestAgain {
		t.Errorf("it took %s, at most %s: %s", took, soonestAgain, p.Stderr)
	}
	s, err := client.StatusOf(t.Context(), 3)
	if err != nil || s.Learned < lostEntries || s.Holes > 0 {
		t.Errorf("it has %d of %d entries and %d holes: %v", s.Learned, lostEntries, s.Holes, err)
	}
}

// appendMany appends what will be lost.
func appendMany(t testing.TB, client *cluster.Client) {
	t.Helper()
	const batch = 1000
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i := range lostEntries / batch {
		entries := make([][]byte, batch)
		for j := range entries {
			entries[j] = bytes.Repeat([]byte{byte(i), byte(j)}, lostEntry/2)
		}
		if _, err := client.AppendBatch(ctx, entries); err != nil {
			t.Fatal(err)
		}
	}
}

// untilItVotes waits until a process says that its replica votes, and returns how long that took.
func untilItVotes(t testing.TB, p *Process, began time.Time) time.Duration {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for end := time.After(patience); ; {
		if strings.Contains(p.Stderr.String(), saysVoting) {
			return time.Since(began)
		}
		select {
		case <-again.C:
		case <-p.Ended():
			t.Fatalf("it ended by itself: %s", p.Stderr)
		case <-end:
			t.Fatalf("it does not vote after %s: %s", patience, p.Stderr)
		}
	}
}
