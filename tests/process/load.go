package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// How a load behaves.
const (
	appendTimeout = 10 * time.Second       // of every append, truncation and election
	readTimeout   = 2 * time.Second        // of every catch-up, and of every read
	readPause     = 40 * time.Millisecond  // between two reads, on average
	cutPause      = 300 * time.Millisecond // between two truncations, on average
	kept          = 2000                   // positions that no truncation drops, at least
	mostTogether  = 3                      // entries of one append
)

// Load is clients that append, read and truncate, each one thing after the other, and remember what became of each. What is
// truncated was read before, so that the whole log is known in the end.
type Load struct {
	clients      []*cluster.Client
	pace         time.Duration // between two appends of one worker, on average
	recorder     *history.Recorder
	began        time.Time
	acknowledged atomic.Int64
	unresolved   atomic.Int64  // appends whose outcome stayed unknown although there was time to find out
	archived     atomic.Uint64 // everything up to here was read
	sequence     atomic.Int64  // of the last append
	over         chan struct{} // closed when no worker is to begin anything
	stop         func()        // closes over
	workers      sync.WaitGroup
}

// StartLoad starts a load of so many workers that append, one that reads and one that truncates. It ends with the test, if
// Stop has not ended it before. A call goes to one of the clients; the pace is how long a worker waits between two appends.
func StartLoad(t testing.TB, clients []*cluster.Client, workers int, pace time.Duration) *Load {
	t.Helper()
	began, over := time.Now(), make(chan struct{})
	l := &Load{
		clients: clients, pace: pace, began: began, over: over, stop: sync.OnceFunc(func() { close(over) }),
		recorder: history.NewRecorder(func() time.Duration { return time.Since(began) }),
	}
	ctx, cancel := context.WithCancel(context.Background())
	for worker := range workers {
		l.workers.Go(func() { l.appendAll(ctx, worker) })
	}
	l.workers.Go(func() { l.readAll(ctx, workers) })
	l.workers.Go(func() { l.truncateAll(ctx, workers+1) })
	t.Cleanup(func() {
		cancel()
		l.Stop()
	})
	return l
}

// Acknowledged is how many appends were acknowledged so far.
func (l *Load) Acknowledged() int64 { return l.acknowledged.Load() }

// Since is the time since the load began.
func (l *Load) Since() time.Duration { return time.Since(l.began) }

// told is what the clients of a load were told.
func told(h *history.History) string {
	var parts []string
	for _, kind := range []history.Kind{history.Append, history.Truncate, history.Catchup, history.Read, history.Elect} {
		parts = append(parts, fmt.Sprintf("%v: %d acknowledged, %d unknown, %d rejected", kind,
			h.Count(kind, history.Succeeded), h.Count(kind, history.Unknown), h.Count(kind, history.Rejected)))
	}
	return strings.Join(parts, "\n")
}

// Stop lets every worker finish what it has begun.
func (l *Load) Stop() {
	l.stop()
	l.workers.Wait()
}

// Finish is Stop, and one more append that is tried until it is acknowledged: everything at or below its position is decided
// then, once and for all. It returns all that was seen.
func (l *Load) Finish(ctx context.Context) (*history.History, error) {
	l.Stop()
	for {
		if err := l.append(ctx, 0, 1); err == nil || ctx.Err() != nil {
			return l.recorder.History(), err
		}
	}
}

// Unresolved counts the appends that ended with ErrIndeterminate before their deadline.
func (l *Load) Unresolved() int64 { return l.unresolved.Load() }

func (l *Load) client(worker int) *cluster.Client { return l.clients[worker%len(l.clients)] }

// pause waits up to twice as long, and says whether the worker goes on.
func (l *Load) pause(d time.Duration) bool {
	select {
	case <-l.over:
		return false
	default:
	}
	if d == 0 {
		return true
	}
	select {
	case <-time.After(rand.N(2 * d)):
		return true
	case <-l.over:
		return false
	}
}

func (l *Load) appendAll(ctx context.Context, worker int) {
	for l.pause(l.pace) {
		_ = l.append(ctx, worker, rand.IntN(mostTogether)+1) // what became of it is in the history
	}
}

// entries are so many that nobody appended before.
func (l *Load) entries(worker, n int) []string {
	entries := make([]string, n)
	sequence := l.sequence.Add(1)
	for i := range entries {
		entries[i] = fmt.Sprintf("append %d of worker %d, entry %d", sequence, worker, i)
	}
	return entries
}

func (l *Load) append(ctx context.Context, worker, n int) error {
	o := history.Operation{Kind: history.Append, Client: worker, Entries: l.entries(worker, n), Numbered: true}
	return l.write(ctx, o, l.client(worker).AppendBatch)
}

func (l *Load) write(ctx context.Context, o history.Operation, to func(context.Context, [][]byte) (log.Position, error)) error {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	data := make([][]byte, len(o.Entries))
	for i, entry := range o.Entries {
		data[i] = []byte(entry)
	}
	call := l.recorder.Begin(o)
	at, err := to(ctx, data)
	told := []log.Range{log.Span(at, len(data))}
	var split *cluster.SplitError
	if errors.As(err, &split) && split.Missing == 0 { // all of it is in the log
		told, err = split.Places, nil
	}
	l.recorder.End(call, func(o *history.Operation) {
		if became(o, err); err == nil {
			o.Told = log.Range{First: told[0].First, Last: told[len(told)-1].Last}
			o.Pieces = told
		}
	})
	if err == nil {
		l.acknowledged.Add(1)
	}
	if errors.Is(err, cluster.ErrIndeterminate) && ctx.Err() == nil {
		l.unresolved.Add(1)
	}
	return err
}

// became says what an error means: after any but ErrIndeterminate, and ErrSplit, nothing is in the log.
func became(o *history.Operation, err error) {
	switch {
	case err == nil:
		o.Outcome = history.Succeeded
		return
	case errors.Is(err, cluster.ErrIndeterminate), errors.Is(err, cluster.ErrSplit):
		o.Outcome = history.Unknown
	default:
		o.Outcome = history.Rejected
	}
	o.Why, o.Fenced = err.Error(), errors.Is(err, cluster.ErrFenced)
}

// Reign has a member's coordinator elected, and appends under its fence until somebody else writes.
func (l *Load) Reign(ctx context.Context, id log.ReplicaID, appends int) error {
	const worker = 100 // none of the others
	elected := l.recorder.Begin(history.Operation{Kind: history.Elect, Client: worker, Member: id})
	w, err := l.client(0).WriterOf(ctx, id)
	l.recorder.End(elected, func(o *history.Operation) {
		if became(o, err); err == nil {
			o.Fence, o.Told = w.Fence(), log.Range{Last: w.End()}
		}
	})
	if err != nil {
		return err
	}
	for range appends {
		o := history.Operation{Kind: history.Append, Client: worker, Fence: w.Fence(), Entries: l.entries(worker, 1), Numbered: true}
		if err := l.write(ctx, o, w.AppendBatch); err != nil {
			return nil //nolint:nilerr // it was fenced, or its member is gone: both are in the history
		}
	}
	return nil
}

// truncateAll drops what was read long ago, from time to time.
func (l *Load) truncateAll(ctx context.Context, worker int) {
	var last log.Position
	for l.pause(cutPause) {
		to := log.Position(l.archived.Load())
		if to < last+kept {
			continue
		}
		last = to - kept/2
		l.truncate(ctx, worker, last)
	}
}

func (l *Load) truncate(ctx context.Context, worker int, to log.Position) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	call := l.recorder.Begin(history.Operation{Kind: history.Truncate, Client: worker, To: to})
	at, err := l.client(worker).Truncate(ctx, to)
	l.recorder.End(call, func(o *history.Operation) {
		if became(o, err); err == nil {
			o.Told = log.Span(at, 1)
		}
	})
}

// readAll reads the whole log, each part of it once, from whichever member.
func (l *Load) readAll(ctx context.Context, worker int) {
	client, next := l.client(worker), log.Position(1)
	for l.pause(readPause) {
		members := client.Members()
		id := members[rand.IntN(len(members))].ID
		if to, err := l.catchUp(ctx, worker, id); err == nil && to >= next {
			if l.read(ctx, worker, id, log.Range{First: next, Last: to}) == nil {
				next = to + 1
				l.archived.Store(uint64(to))
			}
		}
	}
}

func (l *Load) catchUp(ctx context.Context, worker int, id log.ReplicaID) (log.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	call := l.recorder.Begin(history.Operation{Kind: history.Catchup, Client: worker, Member: id})
	to, err := l.client(worker).ReaderOf(id).Catchup(ctx)
	l.recorder.End(call, func(o *history.Operation) {
		if became(o, err); err == nil {
			o.Told = log.Range{Last: to}
		}
	})
	return to, err
}

func (l *Load) read(ctx context.Context, worker int, id log.ReplicaID, r log.Range) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	call := l.recorder.Begin(history.Operation{Kind: history.Read, Client: worker, Member: id})
	view, err := show(ctx, l.client(worker).ReaderOf(id), r)
	l.recorder.End(call, func(o *history.Operation) {
		if became(o, err); err == nil {
			o.View = view
		}
	})
	return err
}

// show reads a range of the log.
func show(ctx context.Context, reader *cluster.Reader, r log.Range) (history.View, error) {
	view := history.View{First: r.First, Last: r.Last}
	if r.Empty() {
		return view, nil
	}
	for e, err := range reader.Read(ctx, r.First, r.Last) {
		if err != nil {
			return view, err
		}
		view.Records = append(view.Records, history.Record{At: e.Position, Value: log.Value{Kind: log.Append, Data: e.Data}})
	}
	return view, nil
}

// ReadLog has a member catch up, and reads all that it keeps, up to a position.
func ReadLog(ctx context.Context, client *cluster.Client, id log.ReplicaID, to log.Position) (history.Log, error) {
	fail := func(err error) (history.Log, error) { return history.Log{}, fmt.Errorf("read member %d: %w", id, err) }
	reader := client.ReaderOf(id)
	learned, err := reader.Catchup(ctx)
	if err != nil {
		return fail(err)
	}
	begin, last, err := reader.Bounds(ctx)
	if err != nil {
		return fail(err)
	}
	view, err := show(ctx, reader, log.Range{First: begin, Last: min(to, last)})
	if err != nil {
		return fail(err)
	}
	view.Begin, view.Learned = begin, learned
	s, err := client.StatusOf(ctx, id)
	if err != nil {
		return fail(err)
	}
	return history.Log{Member: id, Holes: s.Holes, View: view}, nil
}
