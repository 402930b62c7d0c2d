package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// holder is a member that has learned the log up to a position, and says nothing once it was asked for a number of pages.
type holder struct {
	id             uint32
	begin, learned log.Position
	pages          int
	asked          []*messages.ReadRequest
}

// answer is a page of at most two records. A question for what is not there is answered at once.
func (h *holder) answer(m proto.Message) proto.Message {
	switch m := m.(type) {
	case *messages.StatusRequest:
		if h.pages <= 0 {
			return nil
		}
		s := answerStatus(m, h.id, messages.Status_STATUS_VOTING)
		s.Begin, s.Learned = uint64(h.begin), uint64(h.learned)
		return s
	case *messages.ReadRequest:
		if h.pages--; h.pages < 0 {
			return nil
		}
		h.asked = append(h.asked, m)
		return h.page(m)
	}
	return nil
}

func (h *holder) page(m *messages.ReadRequest) *messages.ReadResponse {
	no := func(code messages.Code) *messages.ReadResponse {
		return &messages.ReadResponse{Request: m.GetRequest(), Outcome: &messages.ReadResponse_Failure{Failure: &messages.Failure{
			Code: code, Detail: "no", Begin: uint64(h.begin), Learned: uint64(h.learned)}}}
	}
	from := log.Position(m.GetFrom())
	switch {
	case from > 0 && from < h.begin:
		return no(messages.Code_CODE_TRUNCATED)
	case log.Position(m.GetSeen()) > h.learned:
		return no(messages.Code_CODE_NOT_LEARNED)
	}
	r := log.Range{First: max(from, h.begin), Last: min(max(from, h.begin)+1, h.learned)}
	var actions []log.Action
	for p := r.First; p <= r.Last; p++ {
		actions = append(actions, log.Action{Position: p, Promised: 1<<16 + 1, Performed: 1<<16 + 1, Learned: true,
			Value: log.Value{Kind: log.Append, Data: []byte(fmt.Sprint(p))}})
	}
	return &messages.ReadResponse{Request: m.GetRequest(), Outcome: &messages.ReadResponse_Page{
		Page: codec.EncodePage(r, actions, h.begin, h.learned)}}
}

// followed is what a reader is told from a position on, until it was told of the last one, or of an error.
func followed(ctx context.Context, r *Reader, from, last log.Position) (got []log.Position, err error) {
	for e, err := range r.Tail(ctx, from) {
		if err != nil {
			return got, err
		}
		if got = append(got, e.Position); e.Position == last {
			return got, nil
		}
	}
	return got, errors.New("it ended")
}

func positionsTo(last log.Position) (all []log.Position) {
	for p := log.Position(1); p <= last; p++ {
		all = append(all, p)
	}
	return all
}

// The first member falls silent in the middle, the second one lags behind it, and the third one has everything.
func TestTailGoesOnWithAMemberThatHasWhatWasSeen(t *testing.T) {
	dies, lags, whole := &holder{id: 1, begin: 1, learned: 6, pages: 2}, &holder{id: 2, begin: 1, learned: 3, pages: 1000}, &holder{id: 3, begin: 1, learned: 9, pages: 1000}
	c := clientOf(t, dies.answer, lags.answer, whole.answer)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := c.Reader()
	got, err := followed(ctx, r, 1, 9)
	if err != nil || !slices.Equal(got, positionsTo(9)) {
		t.Errorf("it is told %v, %v", got, err)
	}
	if r.Seen() != 9 || len(dies.asked) != 2 {
		t.Errorf("it has seen the log up to %d, and had %d pages of the first member", r.Seen(), len(dies.asked))
	}
}

func TestTailEndsWhereTheLogWasTruncatedAboveWhatItRead(t *testing.T) {
	h := &holder{id: 1, begin: 5, learned: 9, pages: 1000}
	got, err := followed(t.Context(), clientOf(t, h.answer).Reader(), 3, 9)
	var truncated *TruncatedError
	if len(got) > 0 || !errors.As(err, &truncated) || truncated.Begin != 5 {
		t.Errorf("got %v, %v", got, err)
	}
}

// A consumer that takes its time is sent nothing meanwhile.
func TestTailAsksForAPageOnceTheLastOneIsConsumed(t *testing.T) {
	h := &holder{id: 1, begin: 1, learned: 100, pages: 1000}
	n := 0
	for _, err := range clientOf(t, h.answer).Reader().Tail(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 7 {
			break
		}
	}
	if pages := len(h.asked); pages != 4 {
		t.Errorf("of pages of 2 entries it asked for %d, and took 7 entries", pages)
	}
	if wait := h.asked[0].GetWaitMicros(); wait == 0 {
		t.Error("the member is not told to wait")
	}
}

func TestReaderShowsNoOlderLogThanItHasSeen(t *testing.T) {
	lags, whole := &holder{id: 1, begin: 1, learned: 3, pages: 1000}, &holder{id: 2, begin: 1, learned: 9, pages: 1000}
	r := clientOf(t, lags.answer, whole.answer).Reader()
	r.Resume(5)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	n := 0
	for _, err := range r.Read(ctx, 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 9 {
		t.Errorf("it was shown %d entries", n)
	}
}

func TestReaderOfOneMemberDoesNotGoToAnother(t *testing.T) {
	lags, whole := &holder{id: 1, begin: 1, learned: 3, pages: 1000}, &holder{id: 2, begin: 1, learned: 9, pages: 1000}
	r := clientOf(t, lags.answer, whole.answer).ReaderOf(1)
	r.Resume(5)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for _, err := range r.Read(ctx, 1, 0) {
		if !errors.Is(err, ErrNotLearned) {
			t.Errorf("got %v", err)
		}
	}
	if len(whole.asked) > 0 {
		t.Error("the other member was asked")
	}
}

func TestReadToTheEndEndsWithWhatWasLearnedAtItsBegin(t *testing.T) {
	h := &holder{id: 1, begin: 1, learned: 4, pages: 1000}
	n := 0
	for _, err := range clientOf(t, h.answer).Reader().Read(t.Context(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		h.learned++
		if n++; n > 100 {
			break
		}
	}
	if n != 4 {
		t.Errorf("of a log that grows all the time it read %d entries", n)
	}
}
