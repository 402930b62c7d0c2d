package cluster

import (
	"time"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/log"
)

// Gap is a range of positions that a member has not learned.
type Gap struct {
	First log.Position `json:"first"`
	Last  log.Position `json:"last"`
}

// Appends are the entries that a member appended for clients, since its process started.
type Appends struct {
	Count uint64 `json:"count"` // of entries
	// Latencies counts requests by the time that they took: up to each of the bounds and above the one before; the last is those
	// that took longer.
	Latencies []uint64 `json:"latencies,omitempty"`
	// Bounds are what the Latencies are counted by, in microseconds.
	Bounds []uint64 `json:"bounds_microseconds,omitempty"`
}

// Since returns what was appended after an earlier look at the same process; all, where that is another one.
func (a Appends) Since(before Appends) Appends {
	if before.Count > a.Count || len(before.Latencies) != len(a.Latencies) {
		return a
	}
	since := Appends{Count: a.Count - before.Count, Latencies: make([]uint64, len(a.Latencies)), Bounds: a.Bounds}
	for i, n := range a.Latencies {
		since.Latencies[i] = n - min(n, before.Latencies[i])
	}
	return since
}

// Quantile is the time below which a part q of the requests were answered, about; 0 where there were none.
func (a Appends) Quantile(q float64) time.Duration {
	micros, known := measure.Quantile(q, a.Bounds, a.Latencies)
	if !known {
		return 0
	}
	return time.Duration(micros * float64(time.Microsecond))
}
