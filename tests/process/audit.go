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

// How an audit goes.
const (
	auditTimeout = 5 * time.Second        // of every call
	auditPause   = 50 * time.Millisecond  // after the log was read to its end, or could not be
	cutEvery     = 10 * time.Second       // between two truncations
	cutTimeout   = 30 * time.Second       // of each: it waits behind the 64 MiB of appends that wait at the writer
	auditKept    = 64 << 20               // bytes of entries that no truncation drops
	mostCompared = 4                      // pages that are compared with other members at the same time
	compareTime  = time.Second            // of each of these comparisons: the reader waits for it
	awayFor      = 5 * time.Second        // that a member which could not answer in time is not asked
	comparePause = 100 * time.Millisecond // before members are asked again that cannot answer
)

// audit reads all of a log once, each page from whichever member, has the account look at it, and compares it with what the
// other members have. What it has read it truncates from time to time.
type audit struct {
	t       testing.TB
	client  *cluster.Client
	account *account
	room    chan struct{} // for pages that are compared
	pages   sync.WaitGroup

	mu   sync.Mutex
	away map[log.ReplicaID]time.Time // until when a member is not asked for a digest

	compared    atomic.Int64 // pages, each with one other member
	passed      atomic.Int64 // the same, where the other could not answer
	truncations atomic.Int64
	failed      atomic.Int64 // truncations, and calls of the reader
}

func newAudit(t testing.TB, client *cluster.Client, a *account) *audit {
	return &audit{t: t, client: client, account: a, room: make(chan struct{}, mostCompared), away: make(map[log.ReplicaID]time.Time)}
}

// run goes on until the context ends.
func (a *audit) run(ctx context.Context) {
	var cuts sync.WaitGroup
	cuts.Go(func() { a.cutAll(ctx) })
	again := time.NewTicker(auditPause)
	defer again.Stop()
	for {
		if a.readOn(ctx) != nil { // the next member is asked
			a.failed.Add(1)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			cuts.Wait()
			a.pages.Wait()
			return
		}
	}
}

// cutAll truncates what was read, from time to time.
func (a *audit) cutAll(ctx context.Context) {
	again := time.NewTicker(cutEvery)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			a.cut(ctx, auditKept)
		case <-ctx.Done():
			return
		}
	}
}

// readOn reads what is new from one member.
func (a *audit) readOn(ctx context.Context) error {
	members := a.client.Members()
	id := members[rand.IntN(len(members))].ID
	reader := a.client.ReaderOf(id)
	to, err := func() (log.Position, error) {
		ctx, cancel := context.WithTimeout(ctx, auditTimeout)
		defer cancel()
		return reader.Catchup(ctx)
	}()
	for next := a.account.next(); err == nil && next <= to; next = a.account.next() {
		err = a.page(ctx, id, log.Range{First: next, Last: to})
	}
	return err
}

// page reads the first part of a range, and has it looked at.
func (a *audit) page(ctx context.Context, id log.ReplicaID, r log.Range) error {
	ctx, cancel := context.WithTimeout(ctx, auditTimeout)
	defer cancel()
	records, err := a.client.ReaderOf(id).Records(ctx, r)
	if err != nil {
		return err
	}
	if records.Range.Empty() {
		return fmt.Errorf("member %d showed nothing of %v, and had caught up with it", id, r)
	}
	if err := a.account.show(records); err != nil {
		a.t.Errorf("member %d: %v", id, err)
		return err
	}
	a.room <- struct{}{}
	a.pages.Go(func() {
		defer func() { <-a.room }()
		a.compare(id, records.Digest())
	})
	return nil
}

// compare asks the other members for the digest of a page. Who is away is not waited for with every page: the reader would fall
// behind the load.
func (a *audit) compare(from log.ReplicaID, want cluster.Digest) {
	var group sync.WaitGroup
	for _, m := range a.client.Members() {
		switch {
		case m.ID == from:
		case a.isAway(m.ID):
			a.passed.Add(1)
		default:
			group.Go(func() { a.compareWith(m.ID, want) })
		}
	}
	group.Wait()
}

func (a *audit) compareWith(id log.ReplicaID, want cluster.Digest) {
	ctx, cancel := context.WithTimeout(context.Background(), compareTime)
	defer cancel()
	if a.matches(ctx, id, want) == nil {
		a.compared.Add(1)
		return
	}
	a.passed.Add(1) // it is away, or behind: it is compared in the end
	if ctx.Err() != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.away[id] = time.Now().Add(awayFor)
	}
}

func (a *audit) isAway(id log.ReplicaID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Before(a.away[id])
}

// matches fails the test where a member has another digest of a range, and says why it cannot tell.
func (a *audit) matches(ctx context.Context, id log.ReplicaID, want cluster.Digest) error {
	got, err := a.client.ReaderOf(id).Digest(ctx, want.Range)
	switch {
	case err != nil:
		return err
	case got.Range != want.Range:
		return fmt.Errorf("member %d has the digest of %v only, of %v", id, got.Range, want.Range)
	case got.SHA256 != want.SHA256:
		a.t.Errorf("member %d has something else at %v than the one that was read", id, want.Range)
	}
	return nil
}

// cut truncates all that was read but for so many bytes.
func (a *audit) cut(ctx context.Context, keep int64) {
	to := a.account.keep(keep)
	if to == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cutTimeout)
	defer cancel()
	if _, err := a.client.Truncate(ctx, to); err != nil {
		a.failed.Add(1)
		a.t.Logf("truncate to %d: %v", to, err)
		return
	}
	a.account.truncated(to)
	a.truncations.Add(1)
}

// finish reads the log to its end, and compares all that is kept of it between all members.
func (a *audit) finish(ctx context.Context, end log.Position) error {
	again := time.NewTicker(auditPause)
	defer again.Stop()
	var last error
	for a.account.next() <= end {
		last = a.readOn(ctx)
		select {
		case <-again.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the log was read up to %d of %d", a.account.next()-1, end), last)
		}
	}
	a.pages.Wait()
	if err := a.account.lost(); err != nil {
		return err
	}
	return a.agree(ctx, end)
}

// agree compares what all members keep, from one begin on that they all have passed.
func (a *audit) agree(ctx context.Context, end log.Position) error {
	members := a.client.Members()
	for _, m := range members {
		if err := a.caughtUp(ctx, m.ID, end); err != nil {
			return err
		}
	}
	first := log.Position(1)
	for _, s := range a.client.Status(ctx) {
		if s.Holes > 0 {
			return fmt.Errorf("member %d has %d holes", s.ID, s.Holes)
		}
		first = max(first, s.Begin)
	}
	for first <= end {
		want, err := a.client.ReaderOf(members[0].ID).Digest(ctx, log.Range{First: first, Last: end})
		if err != nil {
			return err
		}
		for _, m := range members[1:] {
			if err := a.matches(ctx, m.ID, want); err != nil {
				return err
			}
			a.compared.Add(1)
		}
		first = want.Range.Last + 1
	}
	return nil
}

// caughtUp has a member learn all up to a position.
func (a *audit) caughtUp(ctx context.Context, id log.ReplicaID, end log.Position) error {
	for {
		to, err := a.client.ReaderOf(id).Catchup(ctx)
		if err == nil && to >= end {
			return nil
		}
		select {
		case <-time.After(comparePause):
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("member %d has caught up to %d of %d", id, to, end), err)
		}
	}
}
