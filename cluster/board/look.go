package board

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// View is how a log is, as one look at all its members shows it. Its JSON names are a contract.
type View struct {
	At      time.Time `json:"at"`      // when it was taken, by the clock of whoever looked
	Members []Member  `json:"members"` // in the order of their ids
	Writer  uint16    `json:"writer"`  // the member that writes; 0 while nobody who answers does
	Voting  int       `json:"voting"`  // members that answer and vote
	Quorum  int       `json:"quorum"`  // members that must
	// Survives is how many of those who vote may fail, and the log still takes appends.
	Survives int    `json:"survives"`
	Begin    uint64 `json:"begin"` // the first position that any member who answers keeps; 0 where none answers
	End      uint64 `json:"end"`   // the highest position that any of them holds anything for
	// Rate is how many entries a second were appended through the members who answer, over the last seconds.
	Rate float64 `json:"appends_per_second"`
	// P99 is the time within which 99 of 100 requests to append were answered in that time, about; 0 where there were none.
	P99 float64 `json:"p99_seconds"`
}

// Member is one member in a View.
type Member struct {
	cluster.Status
	Lag uint64 `json:"lag"` // positions up to the end of the log that it has not learned, those below its begin not counted
}

// How a Watcher looks.
const (
	lookPatience = 900 * time.Millisecond // that the members have to answer
	rateWindow   = 5                      // looks over which a rate is taken
	maxKept      = 256                    // events that a Watcher keeps
	maxPages     = 8                      // of a member's history that one look reads
)

// Watcher looks at a log again and again, and so knows how fast it grows and what happened. It is safe for many goroutines;
// they look one after the other.
type Watcher struct {
	client *cluster.Client

	mu     sync.Mutex
	looks  []look // the last ones, in order
	marks  map[log.ReplicaID]cluster.Bookmark
	events []cluster.Happening // the last ones of all members, in the order of their clocks
}

// look is what a rate is taken from.
type look struct {
	at      time.Time
	appends map[log.ReplicaID]cluster.Appends
}

// NewWatcher returns a watcher of a client's log. The client stays the caller's.
func NewWatcher(c *cluster.Client) *Watcher {
	return &Watcher{client: c, marks: make(map[log.ReplicaID]cluster.Bookmark)}
}

// Look asks every member how it is and what happened, and returns after a second at the latest. Fresh are the events that no
// look before has seen, in the order of the members' clocks.
func (w *Watcher) Look(ctx context.Context) (v View, fresh []cluster.Happening) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	var group sync.WaitGroup
	group.Go(func() { fresh = w.read(ctx) })
	statuses := w.client.Status(ctx)
	v = view(time.Now().UTC(), statuses)
	w.measure(&v)
	group.Wait()
	w.events = append(w.events, fresh...)
	slices.SortStableFunc(w.events, byTime)
	w.events = slices.Clone(w.events[max(0, len(w.events)-maxKept):])
	return v, fresh
}

// Events returns the last events of all members that were seen, in the order of their clocks: at most 256.
func (w *Watcher) Events() []cluster.Happening {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

func byTime(a, b cluster.Happening) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Member, b.Member), cmp.Compare(a.Sequence, b.Sequence))
}

// observer is the role of a member whose vote does not count.
const observer = "observer"

func view(at time.Time, statuses []cluster.Status) View {
	v, voters := View{At: at}, 0
	for _, s := range statuses {
		if s.Role != observer {
			voters++
		}
		if !s.Reachable {
			continue
		}
		if v.End = max(v.End, uint64(s.End)); v.Begin == 0 || uint64(s.Begin) < v.Begin {
			v.Begin = uint64(s.Begin)
		}
		if s.Status == "VOTING" && s.Role != observer {
			v.Voting++
		}
		if s.Leader {
			v.Writer = uint16(s.ID)
		}
	}
	v.Quorum = voters/2 + 1
	v.Survives = max(v.Voting-v.Quorum, 0)
	for _, s := range statuses {
		m := Member{Status: s}
		if s.Reachable {
			m.Lag = v.End - min(v.End, uint64(s.End)) + s.Holes
		}
		v.Members = append(v.Members, m)
	}
	return v
}

// measure fills in how fast the log grows: by the members that answered the first and the last of the looks.
func (w *Watcher) measure(v *View) {
	now := look{at: v.At, appends: make(map[log.ReplicaID]cluster.Appends)}
	for _, m := range v.Members {
		if m.Reachable {
			now.appends[m.ID] = m.Appends
		}
	}
	w.looks = append(w.looks, now)
	w.looks = slices.Clone(w.looks[max(0, len(w.looks)-rateWindow-1):])
	first := w.looks[0]
	var all cluster.Appends
	for id, appends := range now.appends {
		if before, known := first.appends[id]; known {
			all = sum(all, appends.Since(before))
		}
	}
	if passed := now.at.Sub(first.at).Seconds(); passed > 0 {
		v.Rate, v.P99 = float64(all.Count)/passed, all.Quantile(0.99).Seconds()
	}
}

// sum adds what two members appended. Those of another version, whose bounds are others, are only counted.
func sum(a, b cluster.Appends) cluster.Appends {
	total := cluster.Appends{Count: a.Count + b.Count, Latencies: slices.Clone(b.Latencies), Bounds: b.Bounds}
	if len(a.Latencies) == 0 {
		return total
	}
	if !slices.Equal(a.Bounds, b.Bounds) || len(a.Latencies) != len(b.Latencies) {
		total.Latencies, total.Bounds = a.Latencies, a.Bounds
		return total
	}
	for i, n := range a.Latencies {
		total.Latencies[i] += n
	}
	return total
}

// read asks every member what happened since the last look. One that does not answer is asked again the next time.
func (w *Watcher) read(ctx context.Context) (fresh []cluster.Happening) {
	var group sync.WaitGroup
	members := w.client.Members()
	pages := make([][]cluster.Happening, len(members))
	marks := make([]cluster.Bookmark, len(members))
	for i, m := range members {
		marks[i] = w.marks[m.ID]
		group.Go(func() { pages[i], marks[i] = w.history(ctx, m.ID, marks[i]) })
	}
	group.Wait()
	for i, m := range members {
		w.marks[m.ID] = marks[i]
		fresh = append(fresh, pages[i]...)
	}
	slices.SortStableFunc(fresh, byTime)
	return fresh
}

func (w *Watcher) history(ctx context.Context, id log.ReplicaID, after cluster.Bookmark) ([]cluster.Happening, cluster.Bookmark) {
	var events []cluster.Happening
	for range maxPages {
		h, err := w.client.HistoryOf(ctx, id, after)
		if err != nil || len(h.Events) == 0 {
			break
		}
		if h.Missed > 0 {
			events = append(events, missed(id, h))
		}
		events, after = append(events, h.Events...), h.Next
	}
	return events, after
}

// missed says that a member does not know any more what happened before.
func missed(id log.ReplicaID, h cluster.History) cluster.Happening {
	return cluster.Happening{Member: id, At: h.Events[0].At, Kind: Missed, Missed: h.Missed}
}

// Missed is the kind of an event that says that a member does not keep events any more that nobody has read.
const Missed = "missed"
