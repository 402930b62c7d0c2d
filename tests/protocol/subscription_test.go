package protocol

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/gateway"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// subscriber is an actor of another process that subscribes to a member.
type subscriber struct {
	*actortest.Probe
	t            testing.TB
	cluster      *kit.Cluster
	request      uint64
	subscription *actor.PID
	known        bool   // where it begins is
	after        uint64 // everything up to here was received
	entries      []string
	at           *kit.Member // where it has moved to
	over         bool
	gaps         int
	told         []any
	handle       func(*messages.Delivery) // what it does with what comes next; nil: it keeps that, and grants nothing
}

func newSubscriber(t testing.TB, c *kit.Cluster) *subscriber {
	s := &subscriber{t: t, cluster: c, request: 77, Probe: c.World.Node("elsewhere:1").Probe("subscriber")}
	s.Each(s.receive)
	return s
}

// subscribe asks a member, and waits until the subscription is there.
func (s *subscriber) subscribe(m *kit.Member, from uint64, entries uint32, bytes uint64) {
	s.t.Helper()
	s.Request(m.PID(member.Gateway), &messages.SubscribeRequest{Request: s.request, From: from, Entries: entries, Bytes: bytes})
	a := actortest.Await[*messages.SubscribeResponse](s.t, s.Probe, patience)
	if a.GetSubscribed() == nil || a.GetRequest() != s.request {
		s.t.Fatalf("member %d says %v", m.ID, a)
	}
	s.subscription = actor.NewPID(m.Node.Address(), a.GetSubscribed().GetSubscription())
	if from > 0 {
		s.known, s.after = true, max(s.after, from-1)
	}
}

func (s *subscriber) receive(r actortest.Received) {
	if m, ok := r.Message.(interface{ GetRequest() uint64 }); !ok || m.GetRequest() != s.request {
		return // of a subscription before this one
	}
	if s.subscription == nil {
		s.subscription = r.Sender
	}
	d, ok := r.Message.(*messages.Delivery)
	if !ok {
		s.told = append(s.told, r.Message)
		s.hear(r.Message)
		return
	}
	switch first := d.GetRange().GetFirst(); {
	case s.known && first > s.after+1:
		s.gaps++
		s.grant(&messages.Grant{Again: true})
		return
	case d.GetRange().GetLast() <= s.after:
		return // once more
	}
	for _, e := range d.GetEntries() {
		if e.GetPosition() > s.after {
			s.entries = append(s.entries, string(e.GetData()))
		}
	}
	s.known, s.after = true, d.GetRange().GetLast()
	if s.handle != nil {
		s.handle(d)
	}
}

// hear does what a subscriber that moves has to do with what is no delivery.
func (s *subscriber) hear(m any) {
	switch m := m.(type) {
	case *messages.SubscribeResponse:
		s.over = s.over || m.GetFailure() != nil
	case *messages.Ended:
		s.over = true
	case *messages.Lagging:
		if s.at != nil && m.GetDelivered() > s.after {
			s.grant(&messages.Grant{Again: true})
		}
	}
}

// grant sends a grant behind what was received, and an empty one as it is.
func (s *subscriber) grant(m *messages.Grant) {
	if m.Request = s.request; m.GetEntries() > 0 || m.GetBytes() > 0 || m.GetAgain() {
		m.After = s.after
	}
	s.Send(s.subscription, m)
}

// taking has the subscriber grant so many entries whenever it has received some.
func (s *subscriber) taking(entries uint32) *subscriber {
	s.handle = func(*messages.Delivery) { s.grant(&messages.Grant{Entries: entries}) }
	return s
}

// has waits until the subscriber was delivered these entries, and no others.
func (s *subscriber) has(want []string) {
	s.t.Helper()
	s.cluster.World.Must(s.t, patience, fmt.Sprintf("%d entries are delivered", len(want)), func() bool { return len(s.entries) >= len(want) })
	s.cluster.World.Run(time.Second)
	if !slices.Equal(s.entries, want) {
		s.t.Fatalf("it was delivered %q, want %q", s.entries, want)
	}
}

// last is the last that the subscriber was told of a kind.
func last[T any](s *subscriber) (m T, n int) {
	for _, told := range s.told {
		if found, ok := told.(T); ok {
			m, n = found, n+1
		}
	}
	return m, n
}

// subscriptions counts the actors that a member has for subscribers.
func subscriptions(m *kit.Member) (n int) {
	for _, name := range m.Node.Actors() {
		if strings.HasPrefix(name, kit.Name+"/"+member.Gateway+"/"+gateway.Subscription) {
			n++
		}
	}
	return n
}

func TestASubscriberIsDeliveredTheLogInOrder(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer := c.Member(1)
		writer.Elect()
		want := appendAll(writer, "before", 30)
		s := newSubscriber(t, c).taking(uint32(1 + seed%7))
		s.subscribe(c.Member(1+log.ReplicaID(seed%3)), seed%2, uint32(1+seed%7), 0)
		want = append(want, appendAll(writer, "after", 20)...)
		s.has(want)
		if s.gaps > 0 {
			t.Errorf("%d deliveries came out of order, and nothing was lost", s.gaps)
		}
		c.Agree(c.Members...)
	})
}

func TestASubscriberMayBeginAboveTheEndOfTheLog(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	writer := c.Member(1)
	writer.Elect()
	s := newSubscriber(t, c).taking(10)
	s.subscribe(c.Member(2), 4, 10, 0)
	s.has(nil)
	want := appendAll(writer, "", 6)
	s.has(want[3:])
}

func TestNoMoreIsOnItsWayThanWasGranted(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer := c.Member(1)
		writer.Elect()
		want := appendAll(writer, "", 12)
		s := newSubscriber(t, c)
		s.subscribe(c.Member(2), 1, 0, 0)
		s.has(nil)
		s.grant(&messages.Grant{Entries: 3})
		s.has(want[:3])
		s.grant(&messages.Grant{Entries: 3})
		s.grant(&messages.Grant{Entries: 3}) // the same once more grants no more
		s.has(want[:6])
		s.after = 5 // one of them is not acknowledged
		s.grant(&messages.Grant{Entries: 2})
		s.after = 6
		s.has(want[:6])
		s.grant(&messages.Grant{Entries: 1})
		s.has(want[:7])
		s.grant(&messages.Grant{Bytes: 4}) // entries of one byte, and then of two
		s.has(want[:10])
		s.grant(&messages.Grant{Bytes: 1}) // one that is larger than all that was granted comes alone
		s.has(want[:11])
	})
}

func TestWhatWasLostIsDeliveredAgain(t *testing.T) {
	gaps := 0
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer := c.Member(1)
		writer.Elect()
		s := newSubscriber(t, c)
		s.handle = func(*messages.Delivery) {
			if len(s.entries)%3 == 0 {
				s.grant(&messages.Grant{Entries: 8})
			}
		}
		s.subscribe(c.Member(1), 1, 8, 0)
		lossy := actortest.Quality{Min: time.Millisecond, Max: 20 * time.Millisecond, Drop: 0.3, Duplicate: 0.2, Reorder: seed%2 == 0}
		c.World.Net.Link("elsewhere:1", writer.Node.Address(), lossy)
		c.World.Net.Link(writer.Node.Address(), "elsewhere:1", lossy)
		want := appendAll(writer, "", 40)
		for tries := 0; len(s.entries) < len(want) && tries < 200; tries++ {
			s.grant(&messages.Grant{Entries: 8}) // repeated now and then, as it may have been lost
			c.World.Run(300 * time.Millisecond)
			if l, _ := last[*messages.Lagging](s); l.GetDelivered() > s.after {
				s.grant(&messages.Grant{Again: true})
			}
		}
		s.has(want)
		gaps += s.gaps
	})
	if gaps == 0 {
		t.Error("nothing was ever lost")
	}
}

func TestEachOfARowOfGapsRepeatsNothingMore(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	writer := c.Member(1)
	writer.Elect()
	want := appendAll(writer, "", 8)
	s := newSubscriber(t, c)
	s.subscribe(writer, 1, 5, 0)
	s.has(want[:5])
	s.after, s.entries = 0, nil
	before := len(s.Messages())
	for range 20 {
		s.Send(s.subscription, &messages.Grant{Request: s.request, Entries: 5, Again: true})
	}
	s.has(want[:5])
	if n := len(s.Messages()) - before; n > 5 {
		t.Errorf("asked 20 times within a second, it delivered %d times", n)
	}
	c.World.Run(2 * time.Second)
	s.after, s.entries = 0, nil
	s.Send(s.subscription, &messages.Grant{Request: s.request, Again: true})
	s.has(want[:5])
}

func TestASubscriberIsToldWhereATruncatedLogBegins(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	writer := c.Member(1)
	writer.Elect()
	want := appendAll(writer, "", 10)
	ask[*messages.TruncateResponse](t, writer, &messages.TruncateRequest{Request: 4, To: 8})
	s := newSubscriber(t, c)
	s.subscribe(writer, 3, 100, 0)
	c.World.Run(5 * time.Second)
	cut, n := last[*messages.LogTruncated](s)
	if n != 1 || cut.GetNext() != 3 || cut.GetBegin() != 8 || len(s.entries) > 0 {
		t.Fatalf("it was told %d times, last %v, and delivered %q", n, cut, s.entries)
	}
	s.grant(&messages.Grant{}) // it asks again, as that may have been lost
	c.World.Run(time.Second)
	if _, n := last[*messages.LogTruncated](s); n != 2 || len(s.entries) > 0 {
		t.Errorf("asked again, it was told %d times, and delivered %q", n, s.entries)
	}
	s.after = cut.GetBegin() - 1
	s.grant(&messages.Grant{Entries: 100})
	s.has(want[7:])
}

func TestASubscriberThatBeginsWithATruncatedLogIsToldNothingOfIt(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	writer := c.Member(1)
	writer.Elect()
	want := appendAll(writer, "", 10)
	ask[*messages.TruncateResponse](t, writer, &messages.TruncateRequest{Request: 4, To: 8})
	s := newSubscriber(t, c)
	s.subscribe(writer, 0, 100, 0)
	s.has(want[7:])
	if _, n := last[*messages.LogTruncated](s); n > 0 {
		t.Errorf("it was told %v", s.told)
	}
}

// It follows one member after the other, over lines that lose, double and reorder, while members crash and come back.
func TestASubscriberThatGoesFromMemberToMemberSeesTheWholeLog(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		r := rand.New(rand.NewPCG(seed, 9))
		s := newSubscriber(t, c).taking(5)
		for _, m := range c.Members {
			lossy := actortest.Quality{Min: time.Millisecond, Max: 20 * time.Millisecond, Drop: 0.1, Duplicate: 0.1, Reorder: true}
			c.World.Net.Link("elsewhere:1", m.Node.Address(), lossy)
			c.World.Net.Link(m.Node.Address(), "elsewhere:1", lossy)
		}
		var want []string
		s.move(c.Member(1))
		for range 12 {
			writer := c.Members[r.IntN(3)]
			elect(t, writer)
			more := several(fmt.Sprint(len(want), "-"), 1+r.IntN(8))
			appended(t, c, writer, 0, more...)
			want = append(want, more...)
			if away := c.Members[r.IntN(3)]; r.IntN(2) == 0 {
				away.Crash()
				s.turn(time.Duration(r.IntN(4)) * time.Second)
				away.Restart()
				c.AwaitVoting(away)
			}
			s.turn(time.Second)
		}
		for tries := 0; len(s.entries) < len(want) && tries < 60; tries++ {
			s.turn(time.Second)
		}
		s.has(want)
		c.Agree(c.Members...)
	})
}

// move subscribes at a member, from where the subscriber is, with another number.
func (s *subscriber) move(m *kit.Member) {
	s.request++
	s.at, s.subscription, s.known = m, nil, true
	s.Request(m.PID(member.Gateway), &messages.SubscribeRequest{Request: s.request, From: s.after + 1, Entries: 5})
}

// turn lets time pass, in which the subscriber renews its lease, and goes to the next member where that one does not answer or
// says that it is over.
func (s *subscriber) turn(d time.Duration) {
	for end := s.cluster.World.Elapsed() + d; s.cluster.World.Elapsed() < end; {
		before := len(s.Messages())
		for tries := 0; tries < 5 && len(s.Messages()) == before; tries++ {
			if s.subscription != nil {
				s.grant(&messages.Grant{Entries: 5})
			}
			s.cluster.World.Run(200 * time.Millisecond)
		}
		if len(s.Messages()) == before || s.over {
			s.over = false
			s.move(s.cluster.Members[int(s.at.ID)%len(s.cluster.Members)])
		}
	}
}

func several(prefix string, n int) (entries []string) {
	for i := range n {
		entries = append(entries, fmt.Sprint(prefix, i))
	}
	return entries
}
