package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// scribe is a member that writes, and keeps what it was asked to append.
type scribe struct {
	mu     sync.Mutex
	asked  []*messages.AppendRequest
	answer func(n int, m *messages.AppendRequest) proto.Message // to the n-th append, from 0
}

func (s *scribe) receive(m proto.Message) proto.Message {
	switch m := m.(type) {
	case *messages.StatusRequest:
		return answerStatus(m, 1, messages.Status_STATUS_VOTING)
	case *messages.ElectRequest:
		return &messages.ElectResponse{Request: m.GetRequest(), Outcome: &messages.ElectResponse_Elected{
			Elected: &messages.Elected{Writer: 1 << 20, End: 6}}}
	case *messages.AppendRequest:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, m)
		return s.answer(len(s.asked)-1, m)
	}
	return nil
}

// at says that the entries of an append are at places.
func at(m *messages.AppendRequest, places ...log.Range) *messages.AppendResponse {
	a := &messages.AppendResponse{Request: m.GetRequest()}
	for i, r := range places {
		p := &messages.Range{First: uint64(r.First), Last: uint64(r.Last)}
		if i == 0 {
			a.Outcome = &messages.AppendResponse_Range{Range: p}
			continue
		}
		a.More = append(a.More, p)
	}
	return a
}

// told tells the numbers of what was asked: of which session, from where, how many, and whether it was to be resolved.
func (s *scribe) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids, all []string
	for _, m := range s.asked {
		id := string(m.GetSession())
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		all = append(all, fmt.Sprintf("session %d, %d+%d, since %d, resolve %t",
			1+slices.Index(ids, id), m.GetSequence(), len(m.GetEntries()), m.GetSince(), m.GetResolve()))
	}
	return all
}

func limitedTo(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestUnknownOutcomeIsResolvedByAskingAgainWithTheSameNumbers(t *testing.T) {
	s := &scribe{}
	s.answer = func(n int, m *messages.AppendRequest) proto.Message {
		switch n {
		case 0:
			return failed(m.GetRequest(), messages.Code_CODE_INDETERMINATE)
		case 1:
			return failed(m.GetRequest(), messages.Code_CODE_NOT_ELECTED)
		case 2:
			return at(m, log.Span(7, 2))
		}
		return at(m, log.Span(9, 1))
	}
	c := clientOf(t, s.receive)
	p, err := c.AppendBatch(limitedTo(t, 20*time.Second), [][]byte{[]byte("a"), []byte("b")})
	if p != 7 || err != nil {
		t.Errorf("got %d, %v", p, err)
	}
	if p, err = c.Append(limitedTo(t, 20*time.Second), []byte("c")); p != 9 || err != nil {
		t.Errorf("got %d, %v", p, err)
	}
	want := []string{
		"session 1, 1+2, since 0, resolve false", "session 1, 1+2, since 0, resolve true", "session 1, 1+2, since 0, resolve true",
		"session 1, 3+1, since 0, resolve false",
	}
	if got := s.told(); !slices.Equal(got, want) {
		t.Errorf("it was asked %q", got)
	}
}

// Whatever the last answer says, an entry that was sent before it may be in the log.
func TestOutcomeThatIsUnknownAtTheDeadlineIsIndeterminate(t *testing.T) {
	s := &scribe{}
	s.answer = func(n int, m *messages.AppendRequest) proto.Message {
		if n == 0 {
			return failed(m.GetRequest(), messages.Code_CODE_INDETERMINATE)
		}
		return failed(m.GetRequest(), messages.Code_CODE_NO_QUORUM)
	}
	c := clientOf(t, s.receive)
	if _, err := c.Append(limitedTo(t, time.Second), []byte("a")); !errors.Is(err, ErrIndeterminate) || errors.Is(err, ErrNoQuorum) {
		t.Errorf("got %v", err)
	}
	s.mu.Lock()
	before := len(s.asked)
	s.mu.Unlock()
	_, err := c.Append(limitedTo(t, 300*time.Millisecond), []byte("b"))
	if !errors.Is(err, ErrNoQuorum) || errors.Is(err, ErrIndeterminate) {
		t.Errorf("an append that was never taken: %v", err)
	}
	if got := s.told()[before]; got != "session 2, 1+1, since 0, resolve false" {
		t.Errorf("behind one that is unknown: %s", got)
	}
}

func TestForgottenSessionIsFollowedByAnotherWhereNothingIsUnknown(t *testing.T) {
	s := &scribe{}
	s.answer = func(n int, m *messages.AppendRequest) proto.Message {
		switch n {
		case 1:
			f := failed(m.GetRequest(), messages.Code_CODE_SESSION_EVICTED)
			f.GetFailure().Since = 40
			return f
		case 3:
			return failed(m.GetRequest(), messages.Code_CODE_INDETERMINATE)
		case 4:
			return failed(m.GetRequest(), messages.Code_CODE_SESSION_EVICTED)
		}
		return at(m, log.Span(log.Position(50+n), 1))
	}
	c, ctx := clientOf(t, s.receive), limitedTo(t, 20*time.Second)
	for _, want := range []log.Position{50, 52} {
		if p, err := c.Append(ctx, []byte("a")); p != want || err != nil {
			t.Errorf("got %d, %v, want %d", p, err, want)
		}
	}
	if _, err := c.Append(ctx, []byte("a")); !errors.Is(err, ErrSessionEvicted) || !errors.Is(err, ErrIndeterminate) {
		t.Errorf("an append of unknown outcome: %v", err)
	}
	if p, err := c.Append(ctx, []byte("a")); p != 55 || err != nil {
		t.Errorf("got %d, %v", p, err)
	}
	want := []string{
		"session 1, 1+1, since 0, resolve false", "session 1, 2+1, since 0, resolve false", "session 2, 1+1, since 40, resolve false",
		"session 2, 2+1, since 40, resolve false", "session 2, 2+1, since 40, resolve true", "session 3, 1+1, since 40, resolve false",
	}
	if got := s.told(); !slices.Equal(got, want) {
		t.Errorf("it was asked %q", got)
	}
}

// A batch that was lost is sent again before those behind it, which were refused.
func TestBatchesAreSentAgainInTheirOrder(t *testing.T) {
	var next uint64 = 1
	s := &scribe{}
	s.answer = func(n int, m *messages.AppendRequest) proto.Message {
		switch {
		case n < 2: // both are on their way at once
			return failed(m.GetRequest(), messages.Code_CODE_INDETERMINATE)
		case m.GetSequence() != next:
			f := failed(m.GetRequest(), messages.Code_CODE_SEQUENCE_GAP)
			f.GetFailure().Next = next
			return f
		}
		next++
		return at(m, log.Span(log.Position(m.GetSequence()), 1))
	}
	c := clientOf(t, s.receive)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 2 {
				if _, err := c.Append(limitedTo(t, 20*time.Second), make([]byte, log.MaxEntry)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if next != 41 {
		t.Errorf("number %d comes next", next)
	}
}

func TestFencedWriterIsToldWhichOfItsEntriesAreInTheLog(t *testing.T) {
	s := &scribe{}
	s.answer = func(n int, m *messages.AppendRequest) proto.Message {
		if n%2 == 0 {
			return failed(m.GetRequest(), messages.Code_CODE_INDETERMINATE)
		}
		f := failed(m.GetRequest(), messages.Code_CODE_FENCED)
		switch n {
		case 1: // all of it is there, in two pieces
			return at(m, log.Span(7, 1), log.Span(9, 1))
		case 3: // the first one
			f.More = []*messages.Range{{First: 12, Last: 12}}
		}
		return f
	}
	ctx := limitedTo(t, 20*time.Second)
	w, err := clientOf(t, s.receive).Writer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	two := [][]byte{[]byte("a"), []byte("b")}
	for _, want := range []string{
		"the batch is in the log in pieces: all of it is there, at [[7, 7] [9, 9]]",
		"the batch is in the log in pieces: its writer was fenced, and the last 1 entries are not in the log; the first ones are at [[12, 12]]",
	} {
		if _, err := w.AppendBatch(ctx, two); !errors.Is(err, ErrSplit) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := w.AppendBatch(ctx, two); !errors.Is(err, ErrFenced) || errors.Is(err, ErrSplit) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	for i, m := range s.asked {
		if m.GetWriter() != 1<<20 || m.GetResolve() != (i%2 == 1) {
			t.Errorf("request %d: %v", i, m)
		}
	}
}

func TestPlacesAreDividedAmongCallers(t *testing.T) {
	for _, c := range []struct {
		places      []log.Range
		n           int
		first, rest string
	}{
		{[]log.Range{log.Span(3, 5)}, 2, "[[3, 4]]", "[[5, 7]]"},
		{[]log.Range{log.Span(3, 2), log.Span(9, 2)}, 2, "[[3, 4]]", "[[9, 10]]"},
		{[]log.Range{log.Span(3, 2), log.Span(9, 2)}, 3, "[[3, 4] [9, 9]]", "[[10, 10]]"},
		{[]log.Range{log.Span(3, 2)}, 3, "[[3, 4]]", "[]"},
		{nil, 3, "[]", "[]"},
	} {
		first, rest := divide(c.places, c.n)
		if fmt.Sprint(first) != c.first || fmt.Sprint(rest) != c.rest {
			t.Errorf("%v after %d: %v and %v", c.places, c.n, first, rest)
		}
	}
}
