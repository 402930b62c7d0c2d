package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// post is a writer that does nothing until it is told to: sent is what it was asked to write, in order.
type post struct {
	*gathering
	t    *testing.T
	mu   sync.Mutex
	sent []*letter
}

type letter struct {
	entries []string
	ctx     context.Context
	answer  chan error // nil is success
}

func newPost(t *testing.T) *post {
	p := &post{t: t}
	next := log.Position(1)
	p.gathering = &gathering{write: func(ctx context.Context, w write) ([]log.Range, error) {
		m, ok := w.build(1).(*messages.AppendRequest)
		if !ok {
			t.Error("not an append")
		}
		w.sent()
		l := &letter{ctx: ctx, answer: make(chan error, 1)}
		for _, e := range m.GetEntries() {
			l.entries = append(l.entries, string(e))
		}
		p.mu.Lock()
		p.sent = append(p.sent, l)
		p.mu.Unlock()
		select {
		case err := <-l.answer:
			if err != nil {
				return nil, err
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			at := next
			next += log.Position(len(l.entries))
			return []log.Range{log.Span(at, len(l.entries))}, nil
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrIndeterminate, context.Cause(ctx))
		}
	}}
	return p
}

// call is an append that somebody waits for.
type call struct {
	at  log.Position
	err error
	end bool
}

func (p *post) append(ctx context.Context, entries ...string) *call {
	p.t.Helper()
	data := make([][]byte, len(entries))
	for i, e := range entries {
		data[i] = []byte(e)
	}
	a, err := newAppending(ctx, data, false)
	if err != nil {
		p.t.Fatal(err)
	}
	c := &call{}
	go func() {
		c.at, c.err = p.gathering.append(a)
		c.end = true
	}()
	synctest.Wait()
	return c
}

// patient is a context that ends after an hour: the time in these tests is not real.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}

// pass moves the virtual clock of these tests, and returns once nobody has anything left to do.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (p *post) answer(i int, err error) {
	p.sent[i].answer <- err
	synctest.Wait()
}

func TestAppendsGatherBehindThoseThatAreOnTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, ctx := newPost(t), patient(t)
		first, second := p.append(ctx, "a"), p.append(ctx, "b")
		var others []*call
		for i := range 100 {
			others = append(others, p.append(ctx, fmt.Sprint(i), "and one more"))
		}
		if len(p.sent) != 2 {
			t.Fatalf("%d messages are on their way", len(p.sent))
		}
		p.answer(0, nil)
		p.answer(1, nil)
		p.answer(2, nil)
		if len(p.sent) != 3 || len(p.sent[2].entries) != 200 || first.at != 1 || second.at != 2 {
			t.Fatalf("%d messages; the first two are at %d and %d", len(p.sent), first.at, second.at)
		}
		for i, c := range others {
			if want := log.Position(3 + 2*i); !c.end || c.err != nil || c.at != want {
				t.Errorf("append %d is at %d, %v; want %d", i, c.at, c.err, want)
			}
		}
	})
}

func TestNoMessageIsLargerThanAMemberTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, ctx := newPost(t), patient(t)
		p.append(ctx, "a")
		p.append(ctx, "b")
		p.append(ctx, string(make([]byte, log.MaxRunBytes-10)))
		p.append(ctx, "eleven bytes")
		full := make([]string, log.MaxRun)
		p.append(ctx, full...)
		p.append(ctx, "one more")
		for i := range 6 {
			p.answer(i, nil)
		}
		var sizes []int // messages that leave at once overtake each other
		for _, l := range p.sent {
			sizes = append(sizes, len(l.entries))
		}
		slices.Sort(sizes)
		if want := []int{1, 1, 1, 1, 1, log.MaxRun}; !slices.Equal(sizes, want) {
			t.Errorf("messages have %d entries, want %d", sizes, want)
		}
	})
}

func TestAppendThatIsGivenUpBeforeItIsSentIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t)
		p.append(patient(t), "a")
		p.append(patient(t), "b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		c := p.append(ctx, "c")
		pass(2 * time.Millisecond)
		p.answer(0, nil)
		p.answer(1, nil)
		if len(p.sent) != 2 || !errors.Is(c.err, ErrBusy) || !errors.Is(c.err, context.DeadlineExceeded) {
			t.Errorf("%d messages, %v", len(p.sent), c.err)
		}
	})
}

func TestMessageThatNobodyWaitsForAnyMoreIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t)
		p.append(patient(t), "a")
		p.append(patient(t), "b")
		hasty, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		slow, end := context.WithTimeout(t.Context(), 2*time.Minute)
		defer end()
		c, d := p.append(hasty, "c"), p.append(slow, "d")
		p.answer(0, nil)
		pass(90 * time.Second)
		if l := p.sent[2]; l.ctx.Err() != nil || !errors.Is(c.err, ErrIndeterminate) {
			t.Fatalf("the message of both: %v; who has left: %v", l.ctx.Err(), c.err)
		}
		pass(time.Minute)
		if l := p.sent[2]; l.ctx.Err() == nil || !errors.Is(d.err, ErrIndeterminate) || !errors.Is(d.err, context.DeadlineExceeded) {
			t.Errorf("the message of nobody: %v; who left last: %v", l.ctx.Err(), d.err)
		}
	})
}

func TestMessageThatTakesLongHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t)
		p.append(patient(t), "a")
		p.append(patient(t), "b")
		p.append(patient(t), "c")
		pass(fresh + time.Millisecond)
		if len(p.sent) != 3 {
			t.Errorf("%d messages", len(p.sent))
		}
		p.answer(0, nil)
		p.answer(2, nil)
		if p.out != 0 {
			t.Errorf("%d messages count as on their way", p.out)
		}
		p.answer(1, nil)
	})
}

func TestAppendsThatFailTogetherAreAllToldWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, ctx := newPost(t), patient(t)
		p.append(ctx, "a")
		p.append(ctx, "b")
		c, d := p.append(ctx, "c"), p.append(ctx, "d")
		p.answer(0, nil)
		p.answer(2, ErrFenced)
		for _, got := range []*call{c, d} {
			if !errors.Is(got.err, ErrFenced) || got.at != 0 {
				t.Errorf("at %d, %v", got.at, got.err)
			}
		}
		p.answer(1, nil)
	})
}
