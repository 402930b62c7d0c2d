package protocol

import (
	"fmt"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func TestAStatusNamesWhatIsNotLearned(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	c.Member(1).Prepare(nil, kit.Chosen(1, by(1, 2), "a"), kit.Accepted(2, by(1, 2), "b"), kit.Chosen(4, by(1, 2), "c"), kit.Chosen(6, by(1, 2), "d"))
	c.Member(1).Start()
	c.AwaitVoting(c.Member(1))
	s := ask[*messages.StatusResponse](t, c.Member(1), &messages.StatusRequest{})
	if got := gaps(s); got != "2-3 5-5 " {
		t.Errorf("it misses %s", got)
	}
}

func TestAStatusOfManyGapsPutsTheRestIntoTheLast(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	var held []log.Action
	for at := log.Position(1); at <= 401; at += 2 {
		held = append(held, kit.Chosen(at, by(1, 2), "a"))
	}
	c.Member(1).Prepare(nil, held...)
	c.Member(1).Start()
	c.AwaitVoting(c.Member(1))
	s := ask[*messages.StatusResponse](t, c.Member(1), &messages.StatusRequest{})
	if n := len(s.GetGaps()); n != 64 || s.GetGaps()[62].GetLast() != 126 || s.GetGaps()[63].GetFirst() != 128 || s.GetGaps()[63].GetLast() != 400 {
		t.Errorf("it misses %d ranges: %s", n, gaps(s))
	}
}

func gaps(s *messages.StatusResponse) (text string) {
	for _, g := range s.GetGaps() {
		text += fmt.Sprintf("%d-%d ", g.GetFirst(), g.GetLast())
	}
	return text
}

func TestAMemberCountsWhatItAppendsAndHowLongThatTakes(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	ask[*messages.AppendResponse](t, m, appends(0, "one", "two"))
	ask[*messages.AppendResponse](t, m, appends(0, "three"))
	s := ask[*messages.StatusResponse](t, m, &messages.StatusRequest{})
	requests := uint64(0)
	for _, n := range s.GetLatencies() {
		requests += n
	}
	if s.GetAppended() != 3 || requests != 2 || len(s.GetLatencyBounds()) != len(s.GetLatencies())-1 {
		t.Errorf("it counts %d entries of %d requests: %v", s.GetAppended(), requests, s)
	}
}

func TestEventsGoOnAfterTheLastThatWasReadAndBeginAnewWithTheProcess(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	first := ask[*messages.EventsResponse](t, m, &messages.EventsRequest{Request: 5})
	if first.GetRequest() != 5 || first.GetLife() == 0 || first.GetMissed() != 0 || !told(first, measure.Recovered) || told(first, measure.Elected) {
		t.Fatalf("at first: %v", first)
	}
	last := first.GetEvents()[len(first.GetEvents())-1].GetSequence()
	m.Elect()
	c.Member(2).Elect()
	c.World.Run(time.Second)
	next := ask[*messages.EventsResponse](t, m, &messages.EventsRequest{Life: first.GetLife(), After: last})
	if next.GetEvents()[0].GetSequence() != last+1 || !told(next, measure.Elected) || !told(next, measure.Fenced) || told(next, measure.Recovered) {
		t.Errorf("then: %v", next)
	}
	if none := ask[*messages.EventsResponse](t, m, &messages.EventsRequest{Life: first.GetLife(), After: 1 << 63}); len(none.GetEvents()) > 0 {
		t.Errorf("from the future: %v", none)
	}
	m.Crash()
	m.Restart()
	c.World.Run(time.Second)
	anew := ask[*messages.EventsResponse](t, m, &messages.EventsRequest{Life: first.GetLife(), After: last + 100})
	if anew.GetLife() == first.GetLife() || len(anew.GetEvents()) == 0 || anew.GetEvents()[0].GetSequence() != 1 || anew.GetMissed() != 0 {
		t.Errorf("of another process: %v", anew)
	}
}

func TestAPageOfEventsIsBounded(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	for range 150 {
		m.Elect()
	}
	page := ask[*messages.EventsResponse](t, m, &messages.EventsRequest{})
	if len(page.GetEvents()) != 128 {
		t.Errorf("it has %d events", len(page.GetEvents()))
	}
}

func told(r *messages.EventsResponse, kind string) bool {
	for _, e := range r.GetEvents() {
		if e.GetKind() == kind {
			return true
		}
	}
	return false
}
