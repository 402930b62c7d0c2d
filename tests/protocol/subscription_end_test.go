package protocol

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/gateway"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/subscription"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// What a subscription costs, what it tells a subscriber that takes nothing, and how it ends.

// renewing sends an empty grant now and then.
func renewing(s *subscriber, every, during time.Duration) {
	for end := s.cluster.World.Elapsed() + during; s.cluster.World.Elapsed() < end; {
		s.grant(&messages.Grant{})
		s.cluster.World.Run(every)
	}
}

func TestASubscriberWithoutCreditIsToldHowFarItLags(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	writer := c.Member(1)
	writer.Elect()
	s := newSubscriber(t, c)
	s.subscribe(writer, 1, 2, 0)
	began := c.World.Elapsed()
	want := appendAll(writer, "", 2)
	for c.World.Elapsed()-began < 5*time.Second {
		want = append(want, appendAll(writer, "more", 1)...)
		c.World.Run(100 * time.Millisecond)
	}
	lagging, n := last[*messages.Lagging](s)
	if n < 3 || n > 6 || lagging.GetDelivered() != 2 || lagging.GetLearned() < uint64(len(want)-15) {
		t.Errorf("in 5 s it was told %d times, last %v of %d", n, lagging, len(want))
	}
	s.has(want[:2])
	_, before := last[*messages.Lagging](s)
	c.World.Run(20 * time.Second)
	if _, n := last[*messages.Lagging](s); n > before+1 {
		t.Errorf("once the log did not go on, it was told %d times more", n-before)
	}
}

func TestASubscriptionToAnIdleLogCostsNothing(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	writer := c.Member(1)
	writer.Elect()
	want := appendAll(writer, "", 5)
	quiet := writer.Node.Timers()
	s := newSubscriber(t, c).taking(100)
	s.subscribe(writer, 1, 100, 0)
	s.has(want)
	before := len(s.Messages())
	sent := 0
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if e.Sender == s.subscription.GetId() || e.Target == s.subscription.GetId() {
			sent++
		}
		return actortest.Deliver
	})
	c.World.Run(25 * time.Second)
	if n := len(s.Messages()) - before; n > 0 || sent > 0 {
		t.Errorf("in 25 s of nothing it was told %d times, and %d messages were sent", n, sent)
	}
	if timers := writer.Node.Timers(); timers > quiet+1 {
		t.Errorf("%d timers run, and %d before it subscribed: more than the lease", timers, quiet)
	}
}

func TestASubscriptionLapsesUnlessItIsRenewed(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	s := newSubscriber(t, c)
	s.subscribe(m, 1, 5, 0)
	renewing(s, 20*time.Second, 2*time.Minute)
	if lagging, n := last[*messages.Lagging](s); n < 6 || subscriptions(m) != 1 {
		t.Fatalf("it renewed, was answered %d times, %v, and there are %d subscriptions", n, lagging, subscriptions(m))
	}
	c.World.Run(subscription.Lease / 3)
	if subscriptions(m) != 1 {
		t.Fatal("it is over before the lease is")
	}
	c.World.Run(subscription.Lease)
	ended, n := last[*messages.Ended](s)
	if n != 1 || subscriptions(m) != 0 {
		t.Fatalf("it was told %d times, and there are %d subscriptions", n, subscriptions(m))
	}
	expectCode(t, "a lease that is over", ended.GetFailure(), messages.Code_CODE_LAPSED)
}

func TestASubscriptionEndsWithItsSubscriber(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	pid := m.Node.Spawn("short", actor.PropsFromFunc(func(actor.Context) {}))
	m.Node.Root().RequestWithCustomSender(m.PID(member.Gateway), &messages.SubscribeRequest{Request: 5, Entries: 1}, pid)
	wait(t, c, "it is there", func() bool { return subscriptions(m) == 1 })
	m.Node.Root().Poison(pid)
	c.World.Run(time.Second)
	if subscriptions(m) != 0 {
		t.Fatal("a second after its subscriber, it is still there")
	}
	s := newSubscriber(t, c)
	s.subscribe(m, 1, 5, 0) // and the gateway goes on
}

func TestASubscriberMayEndItsSubscription(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	s := newSubscriber(t, c)
	s.subscribe(m, 1, 5, 0)
	s.grant(&messages.Grant{End: true})
	wait(t, c, "it is over", func() bool { return subscriptions(m) == 0 })
	c.World.Run(time.Second)
	if ended, n := last[*messages.Ended](s); n != 1 || ended.GetFailure() != nil {
		t.Errorf("it was told %d times, %v", n, ended)
	}
}

func TestSubscribersAreToldWhereTheMemberGoesOrMayNotVote(t *testing.T) {
	for what, row := range map[string]struct {
		end  func(*kit.Member)
		code messages.Code
	}{
		"a member that goes down":   {func(m *kit.Member) { m.Node.Root().Poison(m.PID(member.Gateway)) }, messages.Code_CODE_CLOSED},
		"a member that lost a vote": {func(m *kit.Member) { m.Probe.Send(m.PID(member.Gateway), gateway.Serve{}) }, messages.Code_CODE_NOT_VOTING},
	} {
		c := kit.Voting(t, 1, 3)
		m := c.Member(1)
		s := newSubscriber(t, c)
		s.subscribe(m, 1, 5, 0)
		row.end(m)
		wait(t, c, what, func() bool { return subscriptions(m) == 0 })
		c.World.Run(time.Second)
		ended, n := last[*messages.Ended](s)
		if n != 1 {
			t.Fatalf("%s tells it %d times", what, n)
		}
		expectCode(t, what, ended.GetFailure(), row.code)
	}
}

func TestAMemberThatIsCutOffSendsSubscribersToAnother(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(3)
	s := newSubscriber(t, c)
	s.subscribe(m, 1, 5, 0)
	for _, o := range c.Members[:2] {
		c.World.Net.Cut(o.Node.Address(), m.Node.Address())
		c.World.Net.Cut(m.Node.Address(), o.Node.Address())
	}
	c.World.Run(5 * time.Second)
	renewing(s, time.Second, 3*time.Second)
	ended, _ := last[*messages.Ended](s)
	expectCode(t, "a member alone", ended.GetFailure(), messages.Code_CODE_NO_QUORUM)
	if subscriptions(m) != 0 {
		t.Error("it is still there")
	}
}

func TestARequestThatIsSentTwiceMakesOneSubscription(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	s := newSubscriber(t, c)
	s.subscribe(m, 1, 5, 0)
	first := s.subscription.GetId()
	s.subscribe(m, 1, 5, 0)
	if s.subscription.GetId() != first || subscriptions(m) != 1 {
		t.Errorf("first %s, then %s, and there are %d", first, s.subscription.GetId(), subscriptions(m))
	}
}

// The answer goes to whoever asked, and the log to the actor that it named.
func TestAnotherActorMayBeTheSubscriber(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	writer := c.Member(1)
	writer.Elect()
	s := newSubscriber(t, c)
	asker := c.World.Node("elsewhere:1").Probe("future")
	asker.Request(writer.PID(member.Gateway), &messages.SubscribeRequest{Request: s.request, Entries: 9, Subscriber: s.PID.GetId()})
	actortest.Await[*messages.SubscribeResponse](t, asker, patience)
	s.has(appendAll(writer, "", 3))
	if len(asker.Messages()) != 1 {
		t.Errorf("whoever asked was told %v", asker.Messages())
	}
}

func TestSubscriptionsThatBreakARuleAreTurnedDown(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	s := newSubscriber(t, c)
	turned := func(r *messages.SubscribeRequest) *messages.Failure {
		t.Helper()
		s.Request(m.PID(member.Gateway), r)
		for {
			if a := actortest.Await[*messages.SubscribeResponse](t, s.Probe, patience); a.GetRequest() == r.GetRequest() {
				return a.GetFailure()
			}
		}
	}
	expectCode(t, "too far", turned(&messages.SubscribeRequest{Request: 1, From: math.MaxUint64}), messages.Code_CODE_MALFORMED)
	expectCode(t, "too long", turned(&messages.SubscribeRequest{Request: 2, Subscriber: fmt.Sprintf("%513d", 1)}), messages.Code_CODE_MALFORMED)
	for i := range uint64(128) {
		s.Request(m.PID(member.Gateway), &messages.SubscribeRequest{Request: 100 + i})
	}
	wait(t, c, "there are many", func() bool { return subscriptions(m) == 128 })
	expectCode(t, "one too many", turned(&messages.SubscribeRequest{Request: 3}), messages.Code_CODE_BUSY)
	m.Probe.Send(m.PID(member.Gateway), gateway.Serve{})
	wait(t, c, "there are none", func() bool { return subscriptions(m) == 0 })
	expectCode(t, "no vote", turned(&messages.SubscribeRequest{Request: 4}), messages.Code_CODE_NOT_VOTING)
}

func TestAGrantThatBreaksARuleIsAnsweredAndChangesNothing(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	writer := c.Member(1)
	writer.Elect()
	s := newSubscriber(t, c)
	s.subscribe(writer, 1, 0, 0)
	s.Forget()
	s.Send(s.subscription, &messages.Grant{Request: s.request, After: uint64(log.MaxPosition), Entries: 5})
	f := actortest.Await[*messages.SubscribeResponse](t, s.Probe, patience).GetFailure()
	expectCode(t, "a grant behind everything", f, messages.Code_CODE_MALFORMED)
	s.Send(s.subscription, &messages.Grant{Request: s.request + 1, Entries: 5}) // of another subscription
	want := appendAll(writer, "", 3)
	s.has(nil)
	s.grant(&messages.Grant{Entries: 2})
	s.has(want[:2])
	s.grant(&messages.Grant{Entries: 1})
	s.has(want)
	s.Send(s.subscription, &messages.Grant{Request: s.request, After: 1, Entries: 100}) // late
	more := appendAll(writer, "more", 2)
	s.has(want)
	s.grant(&messages.Grant{Entries: 5})
	s.has(append(want, more...))
}
