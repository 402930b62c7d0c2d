package cluster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// Entry is what was appended, and where.
type Entry struct {
	Position log.Position
	Data     []byte
}

// Reader reads one member's replica: a prefix of the log without a gap, which only grows. What was just acknowledged
// elsewhere may not be in it yet: Catchup first, where that matters.
type Reader struct {
	client *Client
	id     atomic.Uint32 // of the member; 0: whichever votes and answers, until a Catchup has chosen one
}

// Reader reads whichever member votes and answers.
func (c *Client) Reader() *Reader { return c.ReaderOf(0) }

// ReaderOf reads one member.
func (c *Client) ReaderOf(id log.ReplicaID) *Reader {
	r := &Reader{client: c}
	r.id.Store(uint32(id))
	return r
}

// pin chooses the member that a call reads, so that one call reads one replica.
func (r *Reader) pin(ctx context.Context) (Member, error) {
	id := log.ReplicaID(r.id.Load())
	if id == 0 {
		return r.client.reach(ctx)
	}
	if m, ok := r.client.member(id); ok {
		return m, nil
	}
	return Member{}, fmt.Errorf("no member has the id %d", id)
}

// Catchup has the member learn everything that was acknowledged, to anybody, before the call, and returns up to where
// that is. It asks a quorum.
func (r *Reader) Catchup(ctx context.Context) (log.Position, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	m, err := r.pin(ctx)
	if err != nil {
		return 0, err
	}
	r.id.Store(uint32(m.ID))
	for try := 0; ; try++ {
		learned, err := r.catchup(ctx, m)
		if !errors.Is(err, ErrNotVoting) || try == catchupTries || r.client.pause(ctx, try) != nil {
			return learned, err
		}
	}
}

// catchupTries is how often a member that does not vote is asked again: one that was just started says that it votes a
// moment before it serves clients.
const catchupTries = 5

func (r *Reader) catchup(ctx context.Context, m Member) (log.Position, error) {
	answer, err := r.client.askPatiently(ctx, m, func(n uint64) proto.Message { return &messages.CatchupRequest{Request: n} })
	if err != nil {
		return 0, fmt.Errorf("catch up: member %d at %s does not answer: %w", m.ID, m.Address, err)
	}
	a, ok := answer.(*messages.CatchupResponse)
	switch {
	case !ok:
		return 0, fmt.Errorf("member %d at %s answered with a %T", m.ID, m.Address, answer)
	case a.GetFailure() != nil:
		return 0, fmt.Errorf("catch up: %w", failure(m, a.GetFailure()))
	}
	return log.Position(a.GetLearned()), nil
}

// Bounds returns the first position that the member keeps and the last that it can read; last is begin - 1 where it can
// read nothing.
func (r *Reader) Bounds(ctx context.Context) (begin, last log.Position, err error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	m, err := r.pin(ctx)
	if err != nil {
		return 0, 0, err
	}
	s, err := r.client.statusOf(ctx, m)
	return s.Begin, s.Learned, err
}

// Read yields the entries from one position to another, both inclusive, in order. From 0 begins with the log, to 0 ends with
// what the member has learned. Positions without an entry (NOP, TRUNCATE) are skipped, and no other: a range that is not
// all there ends with ErrTruncated, ErrNotLearned or another error, and the entries before it are good.
func (r *Reader) Read(ctx context.Context, from, to log.Position) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		m, err := r.pin(ctx)
		for err == nil && (to == 0 || from <= to) {
			var p page
			if p, err = r.page(ctx, m, from, to); err != nil || p.covered.Empty() {
				break
			}
			if !p.yield(yield) {
				return
			}
			from = p.covered.Last + 1
		}
		if err != nil {
			yield(Entry{}, err)
		}
	}
}

// tailPause is how often Tail looks for more.
const tailPause = 20 * time.Millisecond

// Tail yields the entries from a position on, and waits for more, until the context ends or the consumer stops. It is
// as far behind as the member's replica is.
func (r *Reader) Tail(ctx context.Context, from log.Position) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		m, err := r.pin(ctx)
		for err == nil {
			var p page
			p, err = r.page(ctx, m, from, 0)
			switch {
			case err != nil:
			case p.covered.Empty():
				err = sleep(ctx, tailPause)
			case !p.yield(yield):
				return
			default:
				from = p.covered.Last + 1
			}
		}
		if !errors.Is(err, context.Canceled) {
			yield(Entry{}, err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// page is the first part of a range.
type page struct {
	covered log.Range
	actions []log.Action
}

// yield hands the page's entries on, and says whether the consumer wants more.
func (p page) yield(yield func(Entry, error) bool) bool {
	for _, a := range p.actions {
		if a.Value.Kind == log.Append && !yield(Entry{a.Position, a.Value.Data}, nil) {
			return false
		}
	}
	return true
}

func (r *Reader) page(ctx context.Context, m Member, from, to log.Position) (page, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	answer, err := r.client.retry(ctx, m, func(n uint64) proto.Message {
		return &messages.ReadRequest{Request: n, From: uint64(from), To: uint64(to)}
	})
	if err != nil {
		return page{}, fmt.Errorf("read from position %d: %w", from, err)
	}
	a, ok := answer.(*messages.ReadResponse)
	switch {
	case !ok:
		return page{}, fmt.Errorf("member %d at %s answered with a %T", m.ID, m.Address, answer)
	case a.GetFailure() != nil:
		return page{}, failure(m, a.GetFailure())
	}
	covered, actions, err := codec.DecodePage(a.GetPage())
	if err != nil {
		return page{}, fmt.Errorf("read from position %d: %w", from, err)
	}
	return page{covered, actions}, nil
}
