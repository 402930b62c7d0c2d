package cluster

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// Entry is what was appended, and where.
type Entry struct {
	Position log.Position
	Data     []byte // as it was appended
}

// Reader reads a prefix of the log without a gap, which only grows: what it has shown once it shows again, whichever member it
// reads then. What was just acknowledged elsewhere may not be in it yet: Barrier first, or ReadLatest, where that matters.
//
// A Reader of one member (Node.Reader, Client.ReaderOf) reads that one's replica. Any other (Client.Reader) stays with one
// member while that answers, and goes on with another where it is gone, cut off, or lags behind what was seen. It is safe for
// many goroutines, which share what they have seen.
type Reader struct {
	client *Client
	only   log.ReplicaID // the member that it reads; 0: whichever votes and answers

	mu   sync.Mutex
	at   Member       // that is read; none where its ID is 0
	left Member       // that was read before, and was of no use
	seen log.Position // the highest position up to which the log was seen
}

// Reader reads whichever member votes and answers.
func (c *Client) Reader() *Reader { return c.ReaderOf(0) }

// ReaderOf reads one member.
func (c *Client) ReaderOf(id log.ReplicaID) *Reader { return &Reader{client: c, only: id} }

// Seen is the highest position up to which the reader has seen the log; 0 at first. Resume gives it to another reader.
func (r *Reader) Seen() log.Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

// Resume makes the reader one that has seen the log up to a position, as another reader's Seen told: it shows no older log.
func (r *Reader) Resume(seen log.Position) { r.see(seen) }

func (r *Reader) see(upTo log.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = max(r.seen, upTo)
}

// Catchup is Barrier by its older name.
func (r *Reader) Catchup(ctx context.Context) (log.Position, error) { return r.Barrier(ctx) }

// Barrier returns a position such that everything that was acknowledged, to anybody, before the call is at or below it, and
// can be read here afterwards. It asks a quorum how far their logs go, and waits until the member has learned as much; no disk is
// synced for it, and no clock is believed. Many at one member share the question.
func (r *Reader) Barrier(ctx context.Context) (log.Position, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	var at log.Position
	err := r.insist(ctx, func(m Member) (err error) {
		at, err = r.barrier(ctx, m)
		return err
	})
	if err != nil {
		return 0, err
	}
	r.see(at)
	return at, nil
}

func (r *Reader) barrier(ctx context.Context, m Member) (log.Position, error) {
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
	err = r.insist(ctx, func(m Member) error {
		s, err := r.client.statusOf(ctx, m)
		if seen := r.Seen(); err == nil && s.Learned < seen {
			err = fmt.Errorf("%w: %w: member %d at %s has learned the log up to position %d, and %d was seen",
				ErrNotLearned, errBehind, m.ID, m.Address, s.Learned, seen)
		}
		begin, last = s.Begin, s.Learned
		return err
	})
	if err == nil {
		r.see(last)
	}
	return begin, last, err
}

// Read yields the entries from one position to another, both inclusive, in order. From 0 begins with the log, to 0 ends with
// what the member has learned at the first page. Positions without an entry (NOP, TRUNCATE) are skipped, and no other: a range that is not
// all there ends with ErrTruncated, ErrNotLearned or another error, and the entries before it are good.
func (r *Reader) Read(ctx context.Context, from, to log.Position) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for to == 0 || from <= to {
			p, err := r.page(ctx, from, to)
			switch {
			case err != nil:
				yield(Entry{}, err)
				return
			case p.covered.Empty() || !p.yield(yield):
				return
			case to == 0:
				to = p.learned
			}
			from = p.covered.Last + 1
		}
	}
}

// ReadLatest is Read after a Barrier: it sees everything that was acknowledged before the call. It is linearizable: every read
// and every append takes effect at one moment between its call and its answer. An entry that nobody was told of yet may be
// seen, and is then seen by whoever reads so later.
func (r *Reader) ReadLatest(ctx context.Context, from, to log.Position) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if _, err := r.Barrier(ctx); err != nil {
			yield(Entry{}, err)
			return
		}
		r.Read(ctx, from, to)(yield)
	}
}

// page is the first part of a range.
type page struct {
	covered log.Range
	learned log.Position // up to where the member has learned everything
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

// page reads the first part of a range, from whichever member can.
func (r *Reader) page(ctx context.Context, from, to log.Position) (p page, err error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	err = r.insist(ctx, func(m Member) error {
		once, stop := r.turn(ctx)
		defer stop()
		answer, err := r.client.retry(once, m, func(n uint64) proto.Message {
			return &messages.ReadRequest{Request: n, From: uint64(from), To: uint64(to), Seen: uint64(r.Seen())}
		})
		if err == nil {
			p, err = r.turned(m, answer)
		}
		return err
	})
	return p, err
}

// turn is how long one member is asked for a page, until another one is.
func (r *Reader) turn(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.only > 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, silent/2)
}

// turned takes a page.
func (r *Reader) turned(m Member, answer response) (page, error) {
	a, ok := answer.(*messages.ReadResponse)
	switch {
	case !ok:
		return page{}, fmt.Errorf("member %d at %s answered with a %T", m.ID, m.Address, answer)
	case a.GetFailure() != nil:
		err := failure(m, a.GetFailure())
		if a.GetFailure().GetCode() == messages.Code_CODE_NOT_LEARNED && log.Position(a.GetFailure().GetLearned()) < r.Seen() {
			err = fmt.Errorf("%w: %w", errBehind, err)
		}
		return page{}, err
	}
	covered, actions, err := codec.DecodePage(a.GetPage())
	if err != nil {
		return page{}, fmt.Errorf("member %d at %s sent what is no page: %w", m.ID, m.Address, err)
	}
	learned := log.Position(a.GetPage().GetLearned())
	r.see(learned)
	return page{covered, learned, actions}, nil
}
