package cluster

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// told are the messages of a subscription to an actor that grants so many entries behind each delivery.
func told(system *actor.ActorSystem, entries uint32) (subscriber *actor.PID, messagesOf <-chan proto.Message) {
	all := make(chan proto.Message, 1<<10)
	return system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *messages.Delivery:
			all <- m
			ctx.Respond(&messages.Grant{After: m.GetRange().GetLast(), Entries: entries})
		case proto.Message:
			all <- m
		}
	})), all
}

func subscribe(t *testing.T, c *Client, system *actor.ActorSystem, to *actor.PID, s Subscription) *actor.PID {
	t.Helper()
	pid, err := c.Subscribe(system, to, s)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// delivered are the positions that a subscriber is delivered, up to one.
func delivered(t *testing.T, all <-chan proto.Message, last log.Position) (at []log.Position) {
	t.Helper()
	for len(at) == 0 || at[len(at)-1] < last {
		m := await(t, all, fmt.Sprintf("position %d, after %v", last, at))
		d, ok := m.(*messages.Delivery)
		if !ok {
			t.Fatalf("it is told %T %v", m, m)
		}
		for _, e := range d.GetEntries() {
			at = append(at, log.Position(e.GetPosition()))
		}
	}
	return at
}

func TestASubscriptionGoesOnWithAMemberThatHasWhatWasDelivered(t *testing.T) {
	dies, lags, whole := &holder{id: 1, begin: 1, learned: 6, pages: 2}, &holder{id: 2, begin: 1, learned: 3, pages: 1000}, &holder{id: 3, begin: 1, learned: 9, pages: 1000}
	c := clientOf(t, dies.answer, lags.answer, whole.answer)
	to, all := told(c.conn.system, 3)
	subscribe(t, c, c.conn.system, to, Subscription{Entries: 3})
	if got := delivered(t, all, 9); !slices.Equal(got, positionsTo(9)) {
		t.Errorf("it is delivered %v", got)
	}
}

func TestASubscriptionEndsWithItsSubscriberAndTheClient(t *testing.T) {
	h := &holder{id: 1, begin: 1, learned: 4, pages: 1 << 20}
	c := clientOf(t, h.answer)
	system := newSystem(zerolog.Nop(), "there:1")
	t.Cleanup(system.Shutdown)
	ends := func(pid *actor.PID, how func()) {
		t.Helper()
		ended := make(chan struct{})
		system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				ctx.Watch(pid)
			case *actor.Terminated:
				close(ended)
			}
		}))
		how()
		await(t, ended, "the subscription to end")
	}
	short, all := told(system, 5)
	pid := subscribe(t, c, system, short, Subscription{Entries: 5})
	delivered(t, all, 4)
	ends(pid, func() { system.Root.Poison(short) })
	long, all := told(system, 5)
	pid = subscribe(t, c, system, long, Subscription{Entries: 5})
	delivered(t, all, 4)
	ends(pid, c.close)
	m := await(t, all, "why it ended")
	if e, ok := m.(*messages.Ended); !ok || e.GetFailure().GetCode() != messages.Code_CODE_CLOSED || e.GetDelivered() != 4 {
		t.Errorf("it is told %T %v", m, m)
	}
	if _, err := c.Subscribe(system, long, Subscription{}); err == nil {
		t.Error("a client that was closed takes subscriptions")
	}
}

func TestASubscriptionTellsWhereTheLogBegins(t *testing.T) {
	h := &holder{id: 1, begin: 5, learned: 9, pages: 1 << 20}
	c := clientOf(t, h.answer)
	to, all := told(c.conn.system, 9)
	pid := subscribe(t, c, c.conn.system, to, Subscription{From: 3, Entries: 9})
	m := await(t, all, "word")
	cut, ok := m.(*messages.LogTruncated)
	if !ok || cut.GetNext() != 3 || cut.GetBegin() != 5 {
		t.Fatalf("it is told %T %v", m, m)
	}
	c.conn.system.Root.Send(pid, &messages.Grant{After: 4})
	if got := delivered(t, all, 9); !slices.Equal(got, positionsTo(9)[4:]) {
		t.Errorf("it is delivered %v", got)
	}
}

func TestASubscriptionWithoutASubscriberIsRefused(t *testing.T) {
	h := &holder{id: 1, begin: 1, learned: 1, pages: 1}
	c := clientOf(t, h.answer)
	for what, call := range map[string]func() (*actor.PID, error){
		"no subscriber": func() (*actor.PID, error) { return c.Subscribe(c.conn.system, nil, Subscription{}) },
		"no system":     func() (*actor.PID, error) { return c.Subscribe(nil, c.conn.inbox, Subscription{}) },
		"no position": func() (*actor.PID, error) {
			return c.Subscribe(c.conn.system, c.conn.inbox, Subscription{From: 1<<64 - 1})
		},
	} {
		if _, err := call(); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// Real members, real waiting: what is appended is pushed, through a member that does not write.
func TestASubscriberIsPushedWhatIsAppended(t *testing.T) {
	one, two := twoMembers(t)
	to, all := told(two.system, 100)
	subscribe(t, two.Client, two.system, to, Subscription{Entries: 100})
	began := time.Now()
	const n = 50
	for i := range n {
		if _, err := one.Append(t.Context(), fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	if got := delivered(t, all, n); !slices.Equal(got, positionsTo(n)) {
		t.Errorf("it is delivered %v", got)
	}
	t.Logf("%d entries, one after the other: %s", n, time.Since(began))
}
