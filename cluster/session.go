package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// session numbers the entries of a gathering, so that a batch whose outcome is unknown may be sent again: the member that writes
// finds out whether it is in the log (package log/sessions).
//
// The batches of a session are in the log in the order of their numbers, and none before the one below it. They are sent in that
// order, several at a time; what has to be sent again waits until those before it have ended. A batch that does not get
// into the log, or not for sure, leaves a gap: its session is over, and whatever of it is certainly not in the log gets numbers of
// the next one.
type session struct {
	id    log.Session
	next  uint64       // the number of the next entry
	since log.Position // up to which nothing of it is in the log
	last  *batch       // that has the last numbers; nil where none has any yet
}

// numbers are a batch's place in a session.
type numbers struct {
	*session
	first  uint64
	before *batch // that has the numbers below; nil where there is none, or it has ended
}

func newSession(since log.Position) *session {
	s := &session{next: 1, since: since}
	_, _ = rand.Read(s.id[:]) // it never fails
	return s
}

// number gives a batch the next numbers of the session; with the lock of its gathering held.
func (s *session) number(b *batch) {
	b.numbers = numbers{session: s, first: s.next, before: s.last}
	s.next += uint64(b.entries())
	s.last = b
}

// number gives a batch numbers of the session that is not over; with the lock held.
func (g *gathering) number(b *batch) {
	if g.session == nil {
		g.session = newSession(g.since)
	}
	g.session.number(b)
}

// renumber gives a batch that is certainly not in the log numbers of another session. Since is up to where the log was when the
// former one turned out to be forgotten; 0 where it was not.
func (g *gathering) renumber(b *batch, since log.Position) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.since = max(g.since, since)
	if g.session == b.session {
		g.session = nil
	}
	g.number(b)
}

// broke says whether the batch before this one, which has ended, left a gap.
func (b *batch) broke() bool {
	return b.before != nil && (b.before.failed || b.before.session != b.session)
}

// await waits until the message of the batch before this one is on its way, so that this one comes behind it.
func (b *batch) await() {
	if b.before == nil {
		return
	}
	select {
	case <-b.before.sent:
	case <-b.before.ended:
	case <-b.ctx.Done():
	}
}

// follow waits until the batch before this one has ended.
func (b *batch) follow(ctx context.Context) error {
	if b.before == nil {
		return nil
	}
	select {
	case <-b.before.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// message is the request of a batch, with the numbers that it has when it is sent.
func (b *batch) message(fence log.Proposal) write {
	return write{try: b.appends[0].try, batch: b, build: func(request uint64) proto.Message {
		return &messages.AppendRequest{
			Request: request, Entries: b.data(), Writer: uint64(fence), Session: b.id[:], Sequence: b.first,
			Since: uint64(b.since), Resolve: b.unclear,
		}
	}, sent: func() { b.once.Do(func() { close(b.sent) }) }}
}

// unclear says whether some attempt of a write may have succeeded, for all that is known.
func (w write) unclear() bool { return w.batch != nil && w.batch.unclear }

// judge says whether a write may be tried once more after an error, and gives its batch other numbers where those are of no use.
// What it returns else is the error that the caller is told.
func (w write) judge(err error) (again bool, final error) {
	var refused *refusedError
	switch {
	case w.batch == nil:
		return retryable(err), err
	case errors.Is(err, ErrSessionEvicted):
		if w.unclear() {
			return false, err
		}
		errors.As(err, &refused)
		w.batch.gathering.renumber(w.batch, refused.since)
		return true, nil
	case errors.Is(err, errGap):
		return true, nil
	case errors.Is(err, ErrIndeterminate):
		w.batch.unclear = true
		return true, nil
	case !w.unclear() && w.batch.gathering.fence > 0 && errors.Is(err, ErrNotElected):
		return false, err
	case !w.unclear() && w.try && errors.Is(err, ErrBusy):
		return false, err
	}
	return retryable(err), w.ended(err)
}

// ended is the error of a write that is given up because of err.
func (w write) ended(err error) error {
	switch {
	case !w.unclear() && errors.Is(err, errGap):
		return fmt.Errorf("%w: it waited for entries that were sent before: %w", ErrBusy, err)
	case !w.unclear(), errors.Is(err, ErrFenced), errors.Is(err, ErrIndeterminate):
		return err
	}
	return fmt.Errorf("%w: it was sent before, and now: %v", ErrIndeterminate, err) //nolint:errorlint // it may be in the log, whatever this error says
}

// ready waits until a batch may be sent again: those below it have ended. Where they left a gap, and it is certainly not in the
// log itself, it gets other numbers.
func (w write) ready(ctx context.Context) error {
	if w.batch == nil {
		return nil
	}
	if err := w.batch.follow(ctx); err != nil {
		return err
	}
	if w.batch.broke() && !w.unclear() {
		w.batch.gathering.renumber(w.batch, 0)
		return w.batch.follow(ctx)
	}
	return nil
}
