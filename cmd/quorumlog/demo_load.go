package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// demoEntries is what is appended: the lines of a file, or text made of a seed. An entry is always the same bytes, so that
// none has to be remembered.
type demoEntries struct {
	lines [][]byte // of a file, again from its start when it is used up
	count int      // how many are appended before the first replica is killed
	size  int      // of the largest entry, in bytes
	seed  uint64
}

func readDemoEntries(name string) (*demoEntries, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the entries: %w", err)
	}
	e := &demoEntries{size: 1}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, log.MaxEntry)
	for lines.Scan() {
		e.lines = append(e.lines, bytes.Clone(lines.Bytes()))
		e.size = max(e.size, len(lines.Bytes()))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: line %d: %w: an entry has at most 1 MiB", name, len(e.lines)+1, err)
	}
	if e.count = len(e.lines); e.count == 0 || e.count > mostDemoEntries {
		return nil, fmt.Errorf("%s has %d lines: give a file of 1 to %d", name, e.count, mostDemoEntries)
	}
	return e, nil
}

// at is the entry with this index: its number, and then letters.
func (e *demoEntries) at(index int) []byte {
	if e.lines != nil {
		return e.lines[index%len(e.lines)]
	}
	entry := make([]byte, e.size)
	chance := rand.New(rand.NewPCG(e.seed, uint64(index)))
	for i := copy(entry, strconv.Itoa(index)+" "); i < len(entry); {
		for bits := chance.Uint64(); bits > 0 && i < len(entry); bits >>= 8 {
			entry[i] = 'a' + byte(bits&0xf)
			i++
		}
	}
	return entry
}

// acknowledged is an entry that the log has said it holds, and where.
type acknowledged struct {
	at    log.Position
	index int
}

// What the demo has appended and not heard of, at most: as if that many programs appended one after the other.
const (
	inFlight      = 256
	inFlightBytes = 4 << 20 // a member's queues have bounds too
)

// load appends a run of entries, all at once.
type load struct {
	writer  *cluster.Writer
	entries *demoEntries
	first   int // index of the first entry

	acks []acknowledged  // of each entry
	took []time.Duration // each entry

	began time.Time
	next  atomic.Int64 // entries that somebody appends
	done  atomic.Int64 // entries that are acknowledged
	bytes atomic.Uint64
}

func newLoad(writer *cluster.Writer, entries *demoEntries, first, count int) *load {
	return &load{
		writer: writer, entries: entries, first: first, began: time.Now(),
		acks: make([]acknowledged, count), took: make([]time.Duration, count),
	}
}

// run appends all, and tells from time to time how far it is. It ends with the first error.
func (l *load) run(ctx context.Context, tell func(demoProgress) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var workers sync.WaitGroup
	for range min(inFlight, len(l.acks), max(1, inFlightBytes/l.entries.size)) {
		workers.Go(func() {
			if err := safely(func() error { return l.work(ctx) }); err != nil {
				cancel(err)
			}
		})
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		workers.Wait()
	}()
	l.follow(over, func(p demoProgress) {
		if err := tell(p); err != nil {
			cancel(err)
		}
	})
	return context.Cause(ctx)
}

// follow tells how far the load is until it is over.
func (l *load) follow(over <-chan struct{}, tell func(demoProgress)) {
	tick := time.NewTicker(demoTick)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
			tell(newDemoProgress("append", "entries", uint64(l.done.Load()), uint64(len(l.acks)), time.Since(l.began)))
		}
	}
}

// demoTick is how often a bar moves.
const demoTick = 100 * time.Millisecond

// work appends one entry after the other.
func (l *load) work(ctx context.Context) error {
	for {
		i := int(l.next.Add(1)) - 1
		if i >= len(l.acks) || ctx.Err() != nil {
			return nil
		}
		entry := l.entries.at(l.first + i)
		began := time.Now()
		at, err := l.append(ctx, entry)
		if err != nil {
			return fmt.Errorf("append entry %d: %w", l.first+i, err)
		}
		l.took[i] = time.Since(began)
		l.acks[i] = acknowledged{at, l.first + i}
		l.done.Add(1)
		l.bytes.Add(uint64(len(entry)))
	}
}

// append waits while the member says that it is busy: the entry is not in the log then.
func (l *load) append(ctx context.Context, entry []byte) (log.Position, error) {
	for {
		at, err := l.writer.Append(ctx, entry)
		if !errors.Is(err, cluster.ErrBusy) {
			return at, err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// result says how it went.
func (l *load) result() demoAppended {
	took := slices.Sorted(slices.Values(l.took))
	elapsed := time.Since(l.began)
	a := demoAppended{
		Entries: len(l.acks), Bytes: l.bytes.Load(), Writer: l.writer.Member().ID, Seconds: seconds(elapsed),
		Rate: math.Round(float64(len(l.acks)) / elapsed.Seconds()), P50: milliseconds(percentile(took, 50)), P99: milliseconds(percentile(took, 99)),
	}
	for _, ack := range l.acks {
		a.Last = max(a.Last, ack.at)
	}
	return a
}

// percentile is the smallest duration that p percent of the sorted ones do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1]
}

// safely turns a panic into an error, so that the demo cleans up behind it.
func safely(f func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	return f()
}
