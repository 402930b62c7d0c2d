package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
)

func TestDemoFindsWhatIsWrongWithAReplica(t *testing.T) {
	entries := &demoEntries{size: 20, seed: 1, count: 3}
	acks := []acknowledged{{at: 1, index: 0}, {at: 2, index: 2}, {at: 4, index: 1}}
	good := []cluster.Entry{{Position: 1, Data: entries.at(0)}, {Position: 2, Data: entries.at(2)}, {Position: 4, Data: entries.at(1)}}
	for _, c := range []struct {
		name string
		held []cluster.Entry
		want string
	}{
		{"nothing", good, ""},
		{"the first is missing", good[1:], "entry 0 was acknowledged at position 1, and is not there"},
		{"the last is missing", good[:2], "entry 1 was acknowledged at position 4, and is not there"},
		{"two are swapped", []cluster.Entry{good[0], {Position: 2, Data: entries.at(1)}, {Position: 4, Data: entries.at(2)}}, "position 2 holds"},
		{"one is there twice", []cluster.Entry{good[0], good[1], {Position: 3, Data: entries.at(2)}, good[2]}, "position 3 holds an entry that was never acknowledged"},
		{"one is too many", append(good[:3:3], cluster.Entry{Position: 5, Data: []byte("x")}), "position 5 holds an entry that was never acknowledged"},
		{"all are missing", nil, "3 faults"},
	} {
		t.Run(c.name, func(t *testing.T) {
			check := newCheck(3, entries, acks)
			for _, e := range c.held {
				check.entry(e)
			}
			err := check.end()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestDemoEntriesAreAlwaysTheSame(t *testing.T) {
	for _, size := range []int{1, 2, 7, 128, 1000} {
		one, same, other := demoEntries{size: size, seed: 1}, demoEntries{size: size, seed: 1}, demoEntries{size: size, seed: 2}
		if !bytes.Equal(one.at(17), same.at(17)) || len(one.at(17)) != size {
			t.Errorf("size %d: %q and %q", size, one.at(17), same.at(17))
		}
		if size > 10 && (bytes.Equal(one.at(17), one.at(18)) || bytes.Equal(one.at(17), other.at(17))) {
			t.Errorf("size %d: other entries, or other seeds, give the same", size)
		}
	}
}

func TestPercentileIsTheSmallestThatIsEnough(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, c := range []struct {
		sorted []time.Duration
		p      int
		want   time.Duration
	}{
		{hundred, 99, 99},
		{hundred, 50, 50},
		{hundred, 100, 100},
		{hundred[:1], 99, 1},
		{hundred[:3], 50, 2},
		{hundred[:10], 99, 10},
	} {
		if got := percentile(c.sorted, c.p); got != c.want {
			t.Errorf("percentile %d of %d: got %d, want %d", c.p, len(c.sorted), got, c.want)
		}
	}
}

func TestDemoIsShownToPeople(t *testing.T) {
	var out strings.Builder
	view, err := newDemoView(&out, demoText)
	if err != nil {
		t.Fatal(err)
	}
	sum := strings.Repeat("0123456789abcdef", 4)
	for _, e := range []demoEvent{
		demoStatus{Replica: 3, To: "EMPTY"}, demoStatus{Replica: 3, From: "EMPTY", To: "STARTING"},
		demoStatus{Replica: 3, From: "STARTING", To: "VOTING"}, demoInitialized{Seconds: 1},
		newDemoProgress("append", "entries", 1, 2, time.Second),
		demoAppended{Entries: 20_000, Writer: 1, Seconds: 2, Rate: 10_000, P50: 6.2, P99: 12.34},
		demoKilled{Replica: 3, Process: 42}, demoDeleted{Replica: 3},
		demoStatus{Replica: 3, To: "EMPTY"}, demoStatus{Replica: 3, From: "EMPTY", To: "RECOVERING"},
		demoRecovered{Replica: 3, Positions: 25_000, Bytes: 3_200_000, CopySeconds: 0.1, Seconds: 0.6},
		demoFenced{Replica: 1, By: 2}, demoKilled{Replica: 1, Needed: 3},
		demoVerified{Replica: 1, Status: "VOTING", Processes: 2, Entries: 25_200, Learned: 25_200, SHA256: sum},
		demoFinished{OK: true, Entries: 25_200, Seconds: 9.9},
	} {
		if err := view.show(e); err != nil {
			t.Fatal(err)
		}
	}
	const want = `three replicas   EMPTY -> STARTING -> VOTING   in 1.0 s
append           20,000 entries   10,000/s, p50 6.2 ms, p99 12.3 ms
kill -9          replica 3 (process 42)
delete           replica 3's directory, and start it again under the same id
  EMPTY          may not vote: it could have forgotten promises
  RECOVERING     25,000 positions, 3.2 MB, 32.0 MB/s
  VOTING         in 0.6 s
take over        a second writer is elected; the first one's next append: ErrFenced
kill -9          replica 1: the quorum now needs the rebuilt replica 3
verify           every acknowledged entry is present and equal on every replica, no holes

REPLICA  STATUS  PROCESSES  ENTRIES  LEARNED  HOLES  SHA256
1        VOTING  2          25,200   25,200   0      0123456789ab

25,200 entries acknowledged, none lost   9.9 s
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
