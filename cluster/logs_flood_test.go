package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/log"
)

// flood appends to a log as fast as it takes entries, through some members, until the returned function is called, which says how
// many entries it took.
func (m *company) flood(name string, through ...log.ReplicaID) (stop func() int64) {
	m.t.Helper()
	ctx, cancel := context.WithCancel(m.t.Context())
	var group sync.WaitGroup
	var taken atomic.Int64
	batch := make([][]byte, 32)
	for i := range batch {
		batch[i] = make([]byte, 16<<10)
	}
	for _, id := range through {
		n := m.on(id, name)
		for range 4 {
			group.Go(func() {
				for ctx.Err() == nil {
					if _, err := n.AppendBatch(ctx, batch); err == nil {
						taken.Add(int64(len(batch)))
					} else if ctx.Err() == nil && !errors.Is(err, ErrIndeterminate) && !errors.Is(err, ErrBusy) {
						m.t.Errorf("the flood: %v", err)
						return
					}
				}
			})
		}
	}
	return func() int64 {
		cancel()
		group.Wait()
		return taken.Load()
	}
}

func TestWhatWaitsInOtherLogsIsCounted(t *testing.T) {
	h := &host{nodes: make(map[string]*Node)}
	for name, bytes := range map[string]int{"": 1, "a": 20, "b": 300} {
		n := newNode(h, LogConfig{Name: name})
		n.measures.Waiting.Bytes.Set(bytes)
		n.measures.Searching.Bytes.Set(1000 * bytes)
		h.nodes[name] = n
	}
	if got := h.waiting(h.nodes["a"]); got != 301_301 {
		t.Errorf("beside one log %d bytes wait, want 301301", got)
	}
}

func TestAFloodOfOneLogDoesNotStarveTheRecoveryOfAnother(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes for seconds")
	}
	if !alone(t) {
		return
	}
	m := startMembers(t, 3, nil, "calm", "flood")
	var entries []string
	for i := range 50 {
		entries = append(entries, fmt.Sprint(i))
	}
	m.append(1, "calm", entries...)
	m.stop(3)
	if err := os.RemoveAll(m.dir(3)); err != nil {
		t.Fatal(err)
	}
	stop := m.flood("flood", 1, 2)
	m.start(3, "calm", "flood")
	began := time.Now()
	m.await(3, "calm", "")
	took := time.Since(began)
	m.holds(3, "calm", entries...)
	m.append(2, "calm", "more")
	taken := stop()
	m.holds(3, "calm", append(entries, "more")...)
	t.Logf("the calm log was recovered in %s; meanwhile the other one took %d entries of 16 KiB", took.Round(time.Millisecond), taken)
	if taken == 0 {
		t.Error("there was no flood")
	}
}
