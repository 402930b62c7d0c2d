package cluster

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// Writer appends under a fence: once another writer is elected, anywhere, its appends fail with ErrFenced. It is safe for
// many goroutines: appends gather into batches, and are acknowledged in the order of their positions.
type Writer struct {
	client *Client
	member Member
	fence  log.Proposal
	end    log.Position

	gathering *gathering
}

// Writer has a coordinator elected, that of the member which wrote last if it answers: every other writer is fenced from
// now on.
func (c *Client) Writer(ctx context.Context) (*Writer, error) { return c.elected(ctx, c.reach) }

// WriterOf has one member's coordinator elected, and tries again while it loses: every other writer is fenced from now on.
func (c *Client) WriterOf(ctx context.Context, id log.ReplicaID) (*Writer, error) {
	m, ok := c.member(id)
	if !ok {
		return nil, fmt.Errorf("no member has the id %d", id)
	}
	return c.elected(ctx, func(ctx context.Context) (Member, error) {
		if _, err := c.statusOf(ctx, m); err != nil {
			return m, fmt.Errorf("%w: %w", ErrNotElected, err)
		}
		return m, nil
	})
}

// elected has the coordinator of a member elected, and tries again while that loses. Reach names the member for every try:
// one that can be asked.
func (c *Client) elected(ctx context.Context, reach func(context.Context) (Member, error)) (*Writer, error) {
	if err := c.mayChange(); err != nil {
		return nil, err
	}
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	var last error
	for try := 0; ; try++ {
		m, err := reach(ctx)
		if err != nil {
			return nil, errors.Join(err, last)
		}
		w, err := c.elect(ctx, m)
		if err == nil {
			c.prefer(m)
			return w, nil
		}
		if !retryable(err) {
			return nil, err
		}
		last = err
		c.doubt(m, err)
		if c.pause(ctx, try) != nil {
			return nil, last
		}
	}
}

func (c *Client) elect(ctx context.Context, m Member) (*Writer, error) {
	answer, err := c.askPatiently(ctx, m, func(request uint64) proto.Message { return &messages.ElectRequest{Request: request} })
	if err != nil {
		return nil, fmt.Errorf("%w: member %d at %s does not answer: %w", ErrNotElected, m.ID, m.Address, err)
	}
	e, ok := answer.(*messages.ElectResponse)
	switch {
	case !ok:
		return nil, fmt.Errorf("member %d at %s answered with a %T", m.ID, m.Address, answer)
	case e.GetFailure() != nil:
		c.redirect(e.GetFailure())
		return nil, failure(m, e.GetFailure())
	}
	won := e.GetElected()
	w := &Writer{client: c, member: m, fence: log.Proposal(won.GetWriter()), end: log.Position(won.GetEnd())}
	w.gathering = &gathering{fence: w.fence, write: w.write, traced: c.tracer != nil}
	return w, nil
}

// End is the highest position of the log when the writer was elected. Everything up to it is learned by its member.
func (w *Writer) End() log.Position { return w.end }

// Fence is the proposal under which the writer writes: higher than that of every writer before it.
func (w *Writer) Fence() log.Proposal { return w.fence }

// Member is the member whose coordinator writes.
func (w *Writer) Member() Member { return w.member }

// Append appends an entry of at most 1 MiB and returns its position. Where too much is on its way already, it waits. Appends
// that many goroutines make at once share messages.
//
// ErrFenced, ErrNotElected, ErrBusy and ErrTooLarge say that it is not in the log, and never will be; ErrIndeterminate that it may be,
// and is returned only where the context ends before somebody could tell, or as ErrSessionEvicted. To tell, somebody may have to be
// elected: the writer is fenced then.
func (w *Writer) Append(ctx context.Context, entry []byte) (log.Position, error) {
	return w.client.append(ctx, w.gathering, [][]byte{entry}, false)
}

// AppendBatch appends up to 1,024 entries of at most 1 MiB together, at consecutive positions, and returns the first. A writer
// that is fenced just then may leave the first of them in the log: that is a SplitError.
func (w *Writer) AppendBatch(ctx context.Context, entries [][]byte) (log.Position, error) {
	return w.client.append(ctx, w.gathering, entries, false)
}

// TryAppend is AppendBatch for callers who rather do something else than wait: where 8 MiB of entries are on their way from
// this client, it returns ErrBusy at once.
func (w *Writer) TryAppend(ctx context.Context, entries [][]byte) (log.Position, error) {
	return w.client.append(ctx, w.gathering, entries, true)
}

// Truncate drops every position before to, and returns the position of the truncation itself.
func (w *Writer) Truncate(ctx context.Context, to log.Position) (log.Position, error) {
	return first(w.write(ctx, newTruncate(to, w.fence)))
}

// write asks the writer's member, and whoever knows where that gives no certain answer.
func (w *Writer) write(ctx context.Context, request write) ([]log.Range, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	places, err := w.client.writeTo(ctx, w.member, request)
	if err == nil {
		return places, nil
	}
	if request.batch != nil && (errors.Is(err, ErrIndeterminate) || errors.Is(err, errGap)) { // ErrSessionEvicted is one, too
		w.client.doubt(w.member, err)
		again, final := request.judge(err)
		if !again {
			return nil, final
		}
		places, err = w.client.writeOn(ctx, request, err)
	}
	if errors.Is(err, ErrNotElected) {
		// The coordinator lost its election for another reason than another writer; only a new election can go on.
		return nil, fmt.Errorf("%w: have a writer elected again", err)
	}
	return places, err
}
