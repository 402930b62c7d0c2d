package cluster

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
)

// eventful is a node without a member: only its events.
func eventful() *Node {
	return &Node{
		config: Config{ID: 7}, measures: measure.New(time.Now()), system: newSystem(zerolog.Nop(), "127.0.0.1:1"),
		done: make(chan struct{}),
	}
}

func (n *Node) noted(events ...measure.Event) {
	for _, e := range events {
		n.measures.Events.Note(e)
	}
}

func TestEveryKindOfEventHasItsType(t *testing.T) {
	n, why := eventful(), errors.New("the disk is gone")
	for _, c := range []struct {
		noted measure.Event
		want  Event
	}{
		{measure.Event{Kind: measure.StatusChanged, From: "EMPTY", To: "VOTING"}, StatusChanged{From: "EMPTY", To: "VOTING"}},
		{measure.Event{Kind: measure.Recovered}, Recovered{}},
		{measure.Event{Kind: measure.Advised, Detail: "wait"}, Advice{Text: "wait"}},
		{measure.Event{Kind: measure.CatchingUp, Progress: measure.Progress{Total: 9, Rate: 5, Left: 3}}, CatchingUp{CatchupProgress: CatchupProgress{Total: 9, Rate: 5, Left: 3}}},
		{measure.Event{Kind: measure.CaughtUp, Progress: measure.Progress{Total: 9, Done: 9}}, CaughtUp{CatchupProgress: CatchupProgress{Total: 9, Done: 9}}},
		{measure.Event{Kind: measure.PeerPresent, Peer: 2}, PeerPresent{Peer: 2}},
		{measure.Event{Kind: measure.PeerAbsent, Peer: 2}, PeerAbsent{Peer: 2}},
		{measure.Event{Kind: measure.PeerRefuses, Peer: 2, Detail: "no"}, PeerRefuses{Peer: 2, Reason: "no"}},
		{measure.Event{Kind: measure.Elected, To: "3.7"}, Elected{Proposal: log.NewProposal(3, 7)}},
		{measure.Event{Kind: measure.ElectionLost, To: "4.2", Detail: "late"}, ElectionLost{By: log.NewProposal(4, 2), Reason: "late"}},
		{measure.Event{Kind: measure.ElectionLost, Detail: "alone"}, ElectionLost{Reason: "alone"}},
		{measure.Event{Kind: measure.Fenced, From: "3.7", To: "4.2"}, Fenced{Proposal: log.NewProposal(3, 7), By: log.NewProposal(4, 2)}},
		{measure.Event{Kind: measure.Resigned, From: "3.7"}, Resigned{Proposal: log.NewProposal(3, 7)}},
		{measure.Event{Kind: measure.DirectoryDamaged, Detail: "x"}, DirectoryDamaged{Detail: "x"}},
		{measure.Event{Kind: measure.RecordsDamaged, Detail: "x"}, RecordsDamaged{Detail: "x"}},
		{measure.Event{Kind: measure.RecordsMended}, RecordsMended{}},
		{measure.Event{Kind: measure.Diverged, Peer: 2, Detail: "x"}, Diverged{Peer: 2, Detail: "x"}},
		{measure.Event{Kind: measure.Failed, Err: why}, Failed{Err: why}},
		{measure.Event{Kind: measure.Stopped, Err: why}, Stopped{Err: why}},
	} {
		got := n.typed(c.noted)
		if got == nil || got.Where().Member != 7 {
			t.Errorf("%s becomes %+v", c.noted.Kind, got)
			continue
		}
		n.config.ID = 0
		if got = n.typed(c.noted); got != c.want {
			t.Errorf("%s becomes %+v, expected %+v", c.noted.Kind, got, c.want)
		}
		n.config.ID = 7
	}
}

func TestSlowSubscriberHoldsUpNobodyAndIsToldWhatItMissed(t *testing.T) {
	n := eventful()
	events := n.Events(t.Context())
	n.noted(measure.Event{Kind: measure.Recovered})
	<-events // it holds the next page already, and reads no other
	for range 3 * measure.MaxEvents {
		n.noted(measure.Event{Kind: measure.RecordsMended})
	}
	n.noted(measure.Event{Kind: measure.Stopped})
	close(n.done)
	var missed, seen uint64
	for e := range events {
		if m, ok := e.(EventsMissed); ok {
			missed += m.Count
			continue
		}
		seen++
		if e.Where().Sequence != seen+missed+1 {
			t.Fatalf("event %d is the %d. that is told, and %d were missed", e.Where().Sequence, seen, missed)
		}
	}
	if missed < measure.MaxEvents || seen+missed != 3*measure.MaxEvents+1 {
		t.Errorf("%d were told, and %d missed", seen, missed)
	}
}

func TestSubscriptionEndsWithItsContext(t *testing.T) {
	n := eventful()
	ctx, cancel := context.WithCancel(t.Context())
	events := n.Events(ctx)
	n.noted(measure.Event{Kind: measure.Recovered})
	cancel()
	for range events { // one may have been on its way; then it is closed
	}
}

func TestSubscriptionOfStoppedNodeEnds(t *testing.T) {
	n := eventful()
	n.noted(measure.Event{Kind: measure.Stopped})
	close(n.done)
	if e, more := <-n.Events(t.Context()); more {
		t.Errorf("it told %+v", e)
	}
}

func TestSubscriberOfTheEventStreamThatPanicsEndsNothing(t *testing.T) {
	n := eventful()
	var heard []Event
	n.system.EventStream.Subscribe(func(e any) {
		if own, ok := e.(Event); ok {
			heard = append(heard, own)
			panic("a fault of the program")
		}
	})
	n.tellers.begin(n.publish)
	n.noted(measure.Event{Kind: measure.Recovered}, measure.Event{Kind: measure.Stopped})
	close(n.done)
	<-n.tellers[0]
	if len(heard) != 2 {
		t.Errorf("it heard %+v", heard)
	}
}

func TestSubscriberOfTheEventStreamThatBlocksDoesNotHoldUpTheMember(t *testing.T) {
	blocked, release := make(chan struct{}), make(chan struct{})
	n := eventful()
	n.system.EventStream.Subscribe(func(e any) {
		if _, ok := e.(Recovered); ok {
			close(blocked)
			<-release
		}
	})
	n.tellers.begin(n.publish)
	events := n.Events(t.Context())
	n.noted(measure.Event{Kind: measure.Recovered})
	<-blocked
	n.noted(measure.Event{Kind: measure.Elected}, measure.Event{Kind: measure.Stopped})
	close(n.done)
	var kinds []string
	for e := range events {
		kinds = append(kinds, kindOf(e))
	}
	if want := []string{"recovered", "elected", "stopped"}; !slices.Equal(kinds, want) {
		t.Errorf("the others were told %v", kinds)
	}
	close(release)
	<-n.tellers[0]
}

func kindOf(e Event) string {
	switch e.(type) {
	case Recovered:
		return "recovered"
	case Elected:
		return "elected"
	case Stopped:
		return "stopped"
	}
	return "other"
}

func TestChangeOfTheMembersIsAnEvent(t *testing.T) {
	members := membership.Configuration{Epoch: 3, Highest: 4, Members: []membership.Member{{ID: 4, Address: "127.0.0.1:4", Role: membership.Voter}}}
	e, ok := eventful().typed(measure.Event{Kind: measure.MembersChanged, Members: members}).(MembersChanged)
	if !ok || e.Epoch != 3 || e.Next != 5 || len(e.Members) != 1 || e.Members[0].ID != 4 || !e.Votes[0] {
		t.Errorf("it is %+v", e)
	}
}

func TestStreamHistoryAndEventsTellTheSameOfAFencing(t *testing.T) {
	if !alone(t) {
		return
	}
	first, second := twoMembers(t)
	fencings := make(chan Fenced, 1)
	subscription := first.System().EventStream.Subscribe(func(e any) {
		if f, ok := e.(Fenced); ok {
			fencings <- f
		}
	})
	defer first.System().EventStream.Unsubscribe(subscription)
	events := first.Events(t.Context())
	for _, n := range []*Node{first, second} {
		if _, err := n.Writer(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	published := <-fencings
	if published.Member != 1 || published.Proposal.Replica() != 1 || published.By.Replica() != 2 {
		t.Errorf("the stream tells %+v", published)
	}
	for e := range events {
		if told, ok := e.(Fenced); ok {
			if told != published {
				t.Errorf("the node tells %+v, the stream %+v", told, published)
			}
			break
		}
	}
	h, err := second.HistoryOf(t.Context(), 1, Bookmark{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(h.Events, func(e Happening) bool { return e.Sequence == published.Sequence })
	if i < 0 || h.Events[i].Kind != measure.Fenced || h.Events[i].Peer != 2 || h.Events[i].To != published.By.String() {
		t.Errorf("the history tells %+v", h.Events)
	}
}

func TestEventStreamTellsOfTheWholeLifeOfAMember(t *testing.T) {
	if !alone(t) {
		return
	}
	first, _ := twoMembers(t)
	stopped := make(chan Stopped, 1)
	first.System().EventStream.Subscribe(func(e any) {
		if s, ok := e.(Stopped); ok {
			stopped <- s
		}
	})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case s := <-stopped:
		if s.Err != nil {
			t.Errorf("it stopped because of %v", s.Err)
		}
	default:
		t.Error("the node is closed, and the stream has not told so")
	}
}
