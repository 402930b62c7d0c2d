package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// How a flood behaves.
const (
	floodTick  = 5 * time.Millisecond // between two looks at what is due
	mostDue    = time.Second          // of a load that could not be offered in time; the rest is never
	mostCalls  = 512                  // of one client at the same time; far more than have room
	mostLeft   = 16                   // appends of one client that were refused, and are offered again
	measuring  = 4                    // appends that each client has under way while the capacity is measured
	lateAnswer = appendTimeout + 2*time.Second
)

// flood is an open load: clients that offer so many bytes a second, whatever becomes of them. An append for which there is no
// room is told so at once, and offered again when the next one is due.
type flood struct {
	t         testing.TB
	clients   []*cluster.Client
	account   *account
	began     time.Time
	rate      atomic.Int64 // bytes a second that all clients together offer
	offered   atomic.Int64 // bytes
	refused   atomic.Int64 // bytes, as there was too much
	other     atomic.Int64 // bytes that were rejected for another reason
	unknown   atomic.Int64 // bytes
	slowest   atomic.Int64 // how long an append took, in nanoseconds
	overslept atomic.Int64 // how much too late this process was woken up, in nanoseconds
	calls     sync.WaitGroup
}

func newFlood(t testing.TB, clients []*cluster.Client, seed uint64) *flood {
	f := &flood{t: t, clients: clients, began: time.Now()}
	f.account = newAccount(seed, f.Since)
	return f
}

// Acknowledged implements burden.
func (f *flood) Acknowledged() int64 {
	appends, _ := f.account.accepted()
	return appends
}

// Since implements burden.
func (f *flood) Since() time.Duration { return time.Since(f.began) }

// Reign implements burden: a member's coordinator is elected, and appends under its fence until somebody else writes.
func (f *flood) Reign(ctx context.Context, id log.ReplicaID, appends int) error {
	w, err := f.clients[0].WriterOf(ctx, id)
	if err != nil {
		return err
	}
	for range appends {
		if f.append(ctx, w.AppendBatch, f.account.entries([]int{1000})) != nil {
			return nil //nolint:nilerr // it was fenced, or its member is gone
		}
	}
	return nil
}

// capacity is how many bytes a second the cluster takes from clients that wait for it.
func (f *flood) capacity(during time.Duration) int64 {
	ctx, cancel := context.WithTimeout(context.Background(), during)
	defer cancel()
	_, before := f.account.accepted()
	began := time.Now()
	var group sync.WaitGroup
	for i := range measuring * len(f.clients) {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 2))
			for ctx.Err() == nil { // the last one is waited for, too
				_ = f.append(context.Background(), f.clients[i%len(f.clients)].AppendBatch, f.account.entries(drawn(random)))
			}
		})
	}
	group.Wait()
	_, after := f.account.accepted()
	return int64(float64(after-before) / time.Since(began).Seconds())
}

// run offers appends until the context ends, and then waits for their answers.
func (f *flood) run(ctx context.Context) {
	var group sync.WaitGroup
	for i := range f.clients {
		group.Go(func() { f.offer(ctx, i) })
	}
	group.Wait()
	f.calls.Wait()
}

// offer is one client's part of it.
func (f *flood) offer(ctx context.Context, i int) {
	random := rand.New(rand.NewPCG(uint64(i), 3))
	tick := time.NewTicker(floodTick)
	defer tick.Stop()
	room, left := make(chan struct{}, mostCalls), make(chan [][]byte, mostLeft)
	due, before := float64(0), time.Now()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		rate := float64(f.rate.Load()) / float64(len(f.clients))
		due += rate * time.Since(before).Seconds()
		due, before = min(due, rate*mostDue.Seconds()), time.Now()
		for due > 0 {
			entries := f.next(left, random)
			due -= float64(sum(entries))
			f.try(f.clients[i], entries, room, left)
		}
	}
}

// next is what was refused, or something new: so large appends are not taken less often than small ones.
func (f *flood) next(left <-chan [][]byte, random *rand.Rand) [][]byte {
	select {
	case entries := <-left:
		return entries
	default:
		return f.account.entries(drawn(random))
	}
}

// try has an append tried, unless so many are that there can be no room for one more.
func (f *flood) try(client *cluster.Client, entries [][]byte, room chan struct{}, left chan<- [][]byte) {
	again := func() {
		select {
		case left <- entries:
		default:
		}
	}
	select {
	case room <- struct{}{}:
	default:
		f.offered.Add(sum(entries))
		f.refused.Add(sum(entries))
		again()
		return
	}
	f.calls.Go(func() {
		defer func() { <-room }()
		if err := f.append(context.Background(), client.TryAppend, entries); errors.Is(err, cluster.ErrBusy) {
			again()
		}
	})
}

// drawn is the sizes of an append's entries: of many small ones, of some, of one that is as large as can be.
func drawn(random *rand.Rand) []int {
	switch kind := random.IntN(10); {
	case kind < 4:
		sizes := make([]int, random.IntN(64)+1)
		for i := range sizes {
			sizes[i] = random.IntN(2000) + stamp
		}
		return sizes
	case kind < 9:
		return []int{random.IntN(128<<10) + stamp, random.IntN(128<<10) + stamp}
	}
	return []int{log.MaxEntry - random.IntN(log.MaxEntry/2)}
}

func (f *flood) append(ctx context.Context, to func(context.Context, [][]byte) (log.Position, error), entries [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	number, bytes := f.account.begin(entries), sum(entries)
	f.offered.Add(bytes)
	began := time.Now()
	overslept := alarm(began.Add(appendTimeout))
	at, err := to(ctx, entries)
	took, slept := time.Since(began), overslept()
	raise(&f.overslept, slept)
	if fault := f.account.end(number, at, err); fault != nil {
		f.t.Errorf("at %v: %v", f.Since(), fault)
	}
	f.count(err, bytes)
	if raise(&f.slowest, took); took > lateAnswer+slept {
		f.t.Errorf("at %v: append %d took %v, its deadline was %v, and this process overslept that by %v: %v", f.Since(), number, took, appendTimeout,
			slept, err)
	}
	return err
}

// alarm returns how much later than at this moment the process was woken up for it: on a machine that is busy no call can end
// earlier.
func alarm(at time.Time) (overslept func() time.Duration) {
	woken := make(chan time.Duration, 1)
	timer := time.AfterFunc(time.Until(at), func() { woken <- time.Since(at) })
	return func() time.Duration {
		if timer.Stop() {
			return max(0, time.Since(at))
		}
		return <-woken
	}
}

// raise keeps the longest.
func raise(longest *atomic.Int64, d time.Duration) {
	for {
		before := longest.Load()
		if int64(d) <= before || longest.CompareAndSwap(before, int64(d)) {
			return
		}
	}
}

func (f *flood) count(err error, bytes int64) {
	switch {
	case err == nil:
	case errors.Is(err, cluster.ErrBusy):
		f.refused.Add(bytes)
	case errors.Is(err, cluster.ErrIndeterminate):
		f.unknown.Add(bytes)
	default:
		f.other.Add(bytes)
	}
}

// last appends until something is acknowledged, and returns where: everything before it is decided then, once and for all.
func (f *flood) last(ctx context.Context) (at log.Position, err error) {
	noted := func(ctx context.Context, entries [][]byte) (log.Position, error) {
		at, err = f.clients[0].AppendBatch(ctx, entries)
		return at, err
	}
	for {
		if f.append(ctx, noted, f.account.entries([]int{1000})) == nil || ctx.Err() != nil {
			return at, err
		}
	}
}

// String tells what became of the load.
func (f *flood) String() string {
	appends, bytes := f.account.accepted()
	return fmt.Sprintf("%s offered; %s acknowledged, %d appends; %s refused as there was too much, %s for other reasons; %s unknown",
		mib(f.offered.Load()), mib(bytes), appends, mib(f.refused.Load()), mib(f.other.Load()), mib(f.unknown.Load()))
}

func mib(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
