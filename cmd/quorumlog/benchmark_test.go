package main

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

func TestEveryBenchmarkExplainsItself(t *testing.T) {
	for _, command := range newBenchmarkCommand(&program{}).Commands() {
		if command.Short == "" || len(command.Long) <= len(command.Short) || command.Example == "" {
			t.Errorf("%s: short %q, long %q, example %q", command.Name(), command.Short, command.Long, command.Example)
		}
	}
}

func TestBenchmarksRefuseWhatTheyCannotDo(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "sizes")
	if err := os.WriteFile(trace, []byte("100B\n2GB\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct{ args, hint string }{
		{"benchmark memory", "it is one of append, recover, read, start, failover, disk"},
		{"benchmark disk --dir nowhere", "--dir: "},
		{"benchmark disk --duration 0s", "it is from 1ms to 1m"},
		{"benchmark append", "--local"},
		{"benchmark read", "--local"},
		{"benchmark append --local --outstanding 0", "--outstanding is 0: it is from 1 to"},
		{"benchmark append --local --size 0", "from 1 B to 1 MiB"},
		{"benchmark append --local --size 2MiB", "from 1 B to 1 MiB"},
		{"benchmark append --local --size large", "such as 128 or 4KiB"},
		{"benchmark append --local --entries 5 --duration 1s", "choose one"},
		{"benchmark append --local --duration 0s", "longer than 0"},
		{"benchmark append --embedded --members 1=127.0.0.1:1", "--embedded needs --local"},
		{"benchmark append --local --trace nowhere", "--trace: open nowhere"},
		{"benchmark append --local --size 5 --trace " + trace, "choose one"},
		{"benchmark append --local --trace " + trace, "line 2: \"2GB\" is not a size"},
		{"benchmark append --local --fill text", "it is one of random, zero, one"},
		{"benchmark append --local --dir nowhere", "--dir: "},
		{"benchmark recover --entries 0", "--entries is 0"},
		{"benchmark recover --members 1=127.0.0.1:1", "unknown flag: --members"},
		{"benchmark read --local --runs 0", "--runs is 0"},
		{"benchmark start --runs 0", "--runs is 0"},
		{"benchmark start extra", "start takes no arguments"},
	} {
		s := newShell("", nil)
		if code := s.run(r.args); code != exitUsage || !strings.Contains(s.err.String(), r.hint) || s.out.Len() != 0 {
			t.Errorf("%q: exit code %d, expected %q:\n%s%s", r.args, code, r.hint, &s.err, &s.out)
		}
	}
}

func TestSizesAreReadAsTheyAreWritten(t *testing.T) {
	for _, c := range []struct {
		text string
		want entrySize
	}{
		{"1", 1}, {"128", 128}, {"100B", 100}, {"1KB", 1024}, {"4KiB", 4096}, {"1MB", 1 << 20}, {"1 MiB", 1 << 20}, {"1024KB", 1 << 20},
		{"", 0}, {"0", 0}, {"0B", 0}, {"-1", 0}, {"1.5KB", 0}, {"B", 0}, {"1K", 0}, {"1BK", 0}, {"1GB", 0}, {"2MB", 0}, {"1048577", 0},
		{"4294967295MB", 0}, {"99999999999999999999", 0},
	} {
		if got, err := parseSize(c.text); got != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%q: %d, %v; expected %d", c.text, got, err, c.want)
		}
	}
}

func TestATraceIsTakenInTurns(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sizes")
	if err := os.WriteFile(name, []byte("100B\n  2KB \n\n7\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sizes, err := readTrace(name)
	if err != nil {
		t.Fatal(err)
	}
	entries := newSource(fillRandom, sizes...)
	for i, want := range []int{100, 2048, 7, 100, 2048} {
		if got := len(entries.at(uint64(i))); got != want {
			t.Errorf("entry %d has %d bytes, expected %d", i, got, want)
		}
	}
}

func TestEntriesOfEverySizeCanBeMade(t *testing.T) {
	for _, size := range []entrySize{1, 128, 64 << 10, log.MaxEntry} {
		entries := newSource(fillOne, size)
		for _, i := range []uint64{0, 1, 17, 1_000_003, 1 << 40} {
			if e := entries.at(i); len(e) != int(size) || e[0] != 0xff || e[len(e)-1] != 0xff {
				t.Errorf("size %d: entry %d has %d bytes, from %x to %x", size, i, len(e), e[0], e[len(e)-1])
			}
		}
	}
}

func TestRandomEntriesCannotBeCompressed(t *testing.T) {
	for _, size := range []entrySize{16, 128, 1 << 10, 16 << 10} {
		entries := newSource(fillRandom, size)
		var packed bytes.Buffer
		w, err := flate.NewWriter(&packed, flate.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		const whole = 256 << 10
		for i := range whole / int(size) {
			if _, err := w.Write(entries.at(uint64(i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil || packed.Len() < whole*99/100 {
			t.Errorf("size %d: %d bytes became %d, %v", size, whole, packed.Len(), err)
		}
	}
}

func TestQuantilesAreAtMostASixtyFourthTooMuch(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	var l latencies
	all := make([]time.Duration, 10_000)
	for i := range all {
		all[i] = time.Duration(random.Uint64() >> (24 + random.IntN(38)))
		l.add(all[i])
	}
	slices.Sort(all)
	for _, share := range []float64{0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.9999} {
		want := all[int(share*float64(len(all)))]
		if got := l.quantile(share); got < want || got-want > want/64 {
			t.Errorf("seed %d: the quantile %v is %d, expected %d", seed, share, got, want)
		}
	}
	if got := l.quantile(1); got != all[len(all)-1] {
		t.Errorf("seed %d: the longest is %d, expected %d", seed, got, all[len(all)-1])
	}
}

func TestOfNothingEveryQuantileIsZero(t *testing.T) {
	if got := new(latencies).quantile(0.5); got != 0 {
		t.Errorf("got %v", got)
	}
}

// ledger is a target that keeps what it is told. It is busy every third time.
type ledger struct {
	mu      sync.Mutex
	calls   int
	entries int
	bytes   int
	fails   int // from this call on; 0: never
}

func (l *ledger) AppendBatch(_ context.Context, entries [][]byte) (log.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if l.fails > 0 && l.calls >= l.fails {
		return 0, cluster.ErrFenced
	}
	if l.calls%3 == 0 {
		return 0, fmt.Errorf("%w: try again", cluster.ErrBusy)
	}
	l.entries += len(entries)
	for _, e := range entries {
		l.bytes += len(e)
	}
	return 1, nil
}

func TestALoadAppendsWhatItWasTold(t *testing.T) {
	for _, batch := range []int{1, 7} {
		to := &ledger{}
		l := &appendLoad{to: to, entries: newSource(fillZero, 10), outstanding: 4, batch: batch, count: 100, timeout: time.Minute}
		if err := l.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if to.entries != 100 || to.bytes != 1000 || l.done.Load() != 100 || l.bytes.Load() != 1000 {
			t.Errorf("batches of %d: %d entries and %d bytes came, %d and %d were counted", batch, to.entries, to.bytes, l.done.Load(), l.bytes.Load())
		}
	}
}

func TestALoadEndsWithTheFirstError(t *testing.T) {
	l := &appendLoad{to: &ledger{fails: 10}, entries: newSource(fillZero, 1), outstanding: 4, batch: 1, duration: time.Hour, timeout: time.Minute}
	if err := l.run(t.Context()); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("got %v", err)
	}
}

func TestTheMedianIsInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 5}, 5}} {
		if got := median(c.values); got != c.want {
			t.Errorf("of %v: %v, expected %v", c.values, got, c.want)
		}
	}
}

func TestNumbersAreGroupedByThousands(t *testing.T) {
	for number, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567.4: "1,234,567"} {
		if got := thousands(number); got != want {
			t.Errorf("got %s, expected %s", got, want)
		}
	}
}
