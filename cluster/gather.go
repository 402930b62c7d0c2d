package cluster

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
)

// gathering has appends go together that many goroutines make at the same time: one message, and one answer, for as many as
// fit. One that has nobody before it goes at once. While some are on their way, those that come gather for the next message.
//
//	append ─▶ pending ─▶ batch ─▶ write ─▶ every append of it is told its position, or why not
type gathering struct {
	fence  log.Proposal
	write  func(context.Context, write) ([]log.Range, error)
	traced bool // the contexts of appends have spans of this client

	mu      sync.Mutex
	pending []*appending
	entries int  // of pending
	bytes   int  // of these
	out     int  // batches that are on their way
	open    int  // batches that have not ended, these and those that take long
	due     bool // sendSoon is about to send
	session *session
	since   log.Position // up to where the log was when a session was forgotten
}

// How many batches are on their way. The member that writes gathers what it is sent, too, and has about as many under way.
const (
	maxOut     = 2
	maxOutFull = 8 // of batches that are full

	// Of all that have not ended: the table of sessions remembers somewhat more (sessions.MaxRuns).
	maxUnended = 12
)

// appending is one call of Append that waits.
type appending struct {
	ctx     context.Context
	entries [][]byte
	bytes   int
	try     bool
	batch   *batch // once it is sent
	at      log.Position
	err     error
	done    chan struct{} // closed once at, or err, is there
}

// batch is appends that are sent in one message.
type batch struct {
	gathering *gathering
	appends   []*appending
	left      int  // how many of their callers still wait
	counts    bool // among those that are on their way: one that takes long holds up no others
	ctx       context.Context
	cancel    context.CancelCauseFunc

	numbers
	unclear bool          // it may be in the log, for all that is known
	once    sync.Once     // over sent
	sent    chan struct{} // closed once its message is on its way for the first time
	ended   chan struct{} // closed once it is known, or given up, what became of it
	failed  bool          // ... and it is not in the log as a whole, or not for sure
}

// newAppending copies the entries, since they are the caller's again when its context ends, and the message may be sent after
// that. Replicas that accepted different bytes under one proposal would differ for ever. What a member would refuse is
// refused here: a message that is too large is never sent, and nobody would answer it.
func newAppending(ctx context.Context, entries [][]byte, try bool) (*appending, error) {
	if err := codec.CheckEntries(entries); err != nil {
		return nil, badAppend(entries, err)
	}
	a := &appending{ctx: ctx, entries: make([][]byte, len(entries)), try: try, done: make(chan struct{})}
	for _, entry := range entries {
		a.bytes += len(entry)
	}
	kept := make([]byte, 0, a.bytes)
	for i, entry := range entries {
		kept = append(kept, entry...)
		a.entries[i] = kept[len(kept)-len(entry):]
	}
	return a, nil
}

// append waits until entries are in the log, or certainly not, or the context ends.
func (g *gathering) append(a *appending) (log.Position, error) {
	g.mu.Lock()
	g.push(a)
	g.sendAll()
	g.mu.Unlock()
	select {
	case <-a.done:
		return a.at, a.err
	case <-a.ctx.Done():
		return g.leave(a)
	}
}

func (g *gathering) push(a *appending) {
	g.pending = append(g.pending, a)
	g.entries += len(a.entries)
	g.bytes += a.bytes
}

// sendAll sends what may be sent now: what fills a message at once, and the rest in a moment.
func (g *gathering) sendAll() {
	for g.full() && g.out < maxOutFull && g.open < maxUnended {
		go g.send(g.batch())
	}
	if !g.due && g.waits() {
		g.due = true
		go g.sendSoon()
	}
}

// sendSoon sends what waits, once whoever is about to append has done so: those that were told of one batch append again
// together, and the first of them should not go alone.
func (g *gathering) sendSoon() {
	runtime.Gosched()
	g.mu.Lock()
	g.due = false
	if !g.waits() {
		g.mu.Unlock()
		return
	}
	b := g.batch()
	g.mu.Unlock()
	g.send(b)
}

// waits says whether something is to be sent that does not fill a message.
func (g *gathering) waits() bool { return len(g.pending) > 0 && g.out < maxOut && g.open < maxUnended }

func (g *gathering) full() bool { return g.entries >= log.MaxRun || g.bytes >= log.MaxRunBytes }

// take removes what goes together: what fits into one message, and is alike in what a full queue means to it.
func (g *gathering) take() []*appending {
	n, entries, bytes := 0, 0, 0
	for _, a := range g.pending {
		entries, bytes = entries+len(a.entries), bytes+a.bytes
		if n > 0 && (entries > log.MaxRun || bytes > log.MaxRunBytes || a.try != g.pending[0].try) {
			break
		}
		n++
	}
	taken := slices.Clone(g.pending[:n])
	g.pending = slices.Delete(g.pending, 0, n)
	for _, a := range taken {
		g.entries, g.bytes = g.entries-len(a.entries), g.bytes-a.bytes
	}
	return taken
}

// batch makes one of what goes together. It has the time of the most patient of its callers, and is given up once all of
// them have left.
func (g *gathering) batch() *batch {
	appends := g.take()
	ctx, stop := context.WithDeadline(g.base(appends), latest(appends))
	ctx, cancel := context.WithCancelCause(ctx)
	b := &batch{
		gathering: g, ctx: ctx, appends: appends, left: len(appends), counts: true,
		sent: make(chan struct{}), ended: make(chan struct{}),
	}
	b.cancel = func(why error) {
		cancel(why)
		stop()
	}
	for _, a := range appends {
		a.batch = b
	}
	g.number(b)
	g.out++
	g.open++
	return b
}

// entries is how many entries a batch has.
func (b *batch) entries() int {
	n := 0
	for _, a := range b.appends {
		n += len(a.entries)
	}
	return n
}

// data are the entries.
func (b *batch) data() [][]byte {
	if len(b.appends) == 1 {
		return b.appends[0].entries
	}
	all := make([][]byte, 0, b.entries())
	for _, a := range b.appends {
		all = append(all, a.entries...)
	}
	return all
}

// send sends a batch, and returns when its callers know what became of it.
func (g *gathering) send(b *batch) {
	overdue := time.AfterFunc(fresh, func() { g.next(b) })
	b.await()
	places, err := g.write(b.ctx, b.message(g.fence))
	overdue.Stop()
	b.cancel(nil)
	g.close(b, err)
	b.tell(places, err)
	g.next(b)
}

// close ends a batch. One that is not in the log, or not for sure, ends its session.
func (g *gathering) close(b *batch, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	if b.failed = err != nil; b.failed && g.session == b.session {
		g.session = nil
	}
	b.before = nil
	close(b.ended)
}

// next goes on behind a batch, once: when it has ended, or takes long. The member that was asked may be gone, and whoever
// appends meanwhile looks for another one.
func (g *gathering) next(b *batch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b.counts {
		b.counts = false
		g.out--
		g.sendAll()
	}
}

func latest(appends []*appending) time.Time {
	var end time.Time
	for _, a := range appends {
		if d, ok := a.ctx.Deadline(); ok && d.After(end) {
			end = d
		}
	}
	return end
}

// tell tells the callers what became of the batch: the positions, which are those of the first entries where there is an error.
func (b *batch) tell(places []log.Range, err error) {
	for _, a := range b.appends {
		var own []log.Range
		own, places = divide(places, len(a.entries))
		a.at, a.err = outcome(own, len(a.entries), err)
		close(a.done)
	}
}

// divide returns the first n positions, and the rest.
func divide(places []log.Range, n int) (first, rest []log.Range) {
	rest = slices.Clone(places)
	for n > 0 && len(rest) > 0 {
		r := log.Span(rest[0].First, min(n, int(rest[0].Len())))
		first, n = append(first, r), n-int(r.Len())
		if rest[0].First += log.Position(r.Len()); rest[0].Empty() {
			rest = rest[1:]
		}
	}
	return first, rest
}

// outcome is what a caller is told whose n entries are at these places, as far as they are in the log. That is all of them where
// there is no error.
func outcome(places []log.Range, n int, err error) (log.Position, error) {
	missing := n
	for _, r := range places {
		missing -= int(r.Len())
	}
	switch {
	case missing == n:
		return 0, err
	case missing == 0 && len(places) == 1:
		return places[0].First, nil
	}
	return 0, &SplitError{Places: places, Missing: missing}
}

// leave ends an append whose context has ended. Where it was not sent, it is not in the log. Where nobody else waits for its
// batch, that ends as well, and says as much as it knows.
func (g *gathering) leave(a *appending) (log.Position, error) {
	g.mu.Lock()
	if a.batch == nil {
		defer g.mu.Unlock()
		g.pending = slices.DeleteFunc(g.pending, func(o *appending) bool { return o == a })
		g.entries, g.bytes = g.entries-len(a.entries), g.bytes-a.bytes
		return 0, fmt.Errorf("%w: it waited for other entries: %w", ErrBusy, a.ctx.Err())
	}
	a.batch.left--
	last := a.batch.left == 0
	g.mu.Unlock()
	if last {
		a.batch.cancel(a.ctx.Err())
		<-a.done
		return a.at, a.err
	}
	select {
	case <-a.done:
		return a.at, a.err
	default:
		return 0, fmt.Errorf("%w: it is on its way: %w", ErrIndeterminate, a.ctx.Err())
	}
}
