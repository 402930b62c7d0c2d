package subscription_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/subscription"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// stage is a subscription whose source is played by the test.
type stage struct {
	t                  *testing.T
	world              *actortest.World
	source, subscriber *actortest.Probe
	pid                *actor.PID
}

func newStage(t *testing.T) *stage {
	w := actortest.New(t, 1)
	n := w.Node("a:1")
	s := &stage{t: t, world: w, source: n.Probe("source"), subscriber: n.Probe("subscriber")}
	s.pid = n.Spawn("subscription", actor.PropsFromProducer(subscription.New(subscription.Config{
		Subscriber: s.subscriber.PID, Request: 9, From: 1, Entries: 10, Clock: n.Clock(),
		Source: func(actor.Context) *actor.PID { return s.source.PID },
	})))
	return s
}

// asked is the next read that the source is asked for.
func (s *stage) asked() replica.Read {
	s.t.Helper()
	return actortest.Await[replica.Read](s.t, s.source, time.Second)
}

// page answers a read with one entry at each position of its range, or up to 5 where that has no end.
func page(m replica.Read) replica.Page {
	if m.Range.Last == 0 {
		m.Range.Last = 5
	}
	p := replica.Page{Tag: m.Tag, Range: m.Range, Begin: 1, Learned: 5}
	for at := m.Range.First; at <= m.Range.Last; at++ {
		p.Actions = append(p.Actions, log.Action{Position: at, Value: log.Value{Kind: log.Append, Data: []byte{byte(at)}}})
	}
	return p
}

func TestAPageThatWasOvertakenByAGrantIsNotDelivered(t *testing.T) {
	for what, grant := range map[string]*messages.Grant{
		"it skips": {Request: 9, After: 2},
		"it skips, and has no credit for what is read": {Request: 9, After: 5},
	} {
		s := newStage(t)
		before := s.asked()
		s.subscriber.Send(s.pid, grant)
		s.world.Run(time.Millisecond)
		s.source.Send(s.pid, page(before))
		s.world.Run(time.Millisecond)
		if got := s.subscriber.Messages(); len(got) > 0 {
			t.Errorf("%s, and is told %v", what, got)
		}
		after := s.asked()
		if want := log.Position(grant.GetAfter() + 1); after.Range.First != want {
			t.Fatalf("%s, and the source is asked for %v", what, after)
		}
		s.source.Send(s.pid, replica.Page{Tag: after.Tag, Range: log.Range{First: after.Range.First, Last: 6}, Begin: 1, Learned: 6,
			Actions: page(replica.Read{Range: log.Range{First: after.Range.First, Last: 6}}).Actions})
		d := actortest.Await[*messages.Delivery](t, s.subscriber, time.Second)
		if d.GetRange().GetFirst() != grant.GetAfter()+1 || d.GetRange().GetLast() != 6 {
			t.Errorf("%s, and is delivered %v", what, d)
		}
	}
}

// Nobody hears a source that has panicked.
func TestASubscriptionEndsWithWhatItReads(t *testing.T) {
	w := actortest.New(t, 1)
	n := w.Node("a:1")
	subscriber := n.Probe("subscriber")
	var source *actor.PID
	n.Spawn("subscription", actor.PropsFromProducer(subscription.New(subscription.Config{
		Subscriber: subscriber.PID, Request: 9, Entries: 10, Clock: n.Clock(),
		Source: func(ctx actor.Context) *actor.PID {
			source = ctx.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
			return source
		},
	})))
	w.Run(time.Millisecond)
	n.Root().Stop(source)
	e := actortest.Await[*messages.Ended](t, subscriber, time.Second)
	if e.GetFailure().GetCode() != messages.Code_CODE_CLOSED {
		t.Errorf("it is told %v", e)
	}
	if left := n.Actors(); len(left) > 0 {
		t.Errorf("there are still %v", left)
	}
}
