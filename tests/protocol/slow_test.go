package protocol

import (
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// lateness has some messages arrive late.
type lateness struct {
	cluster  *kit.Cluster
	by       time.Duration
	sent     map[any]time.Duration
	promises int // requests for promises that were sent
	fetches  int // requests for copies
}

// delay has the messages that slow names arrive late.
func delay(c *kit.Cluster, by time.Duration, slow func(any) bool) *lateness {
	l := &lateness{cluster: c, by: by, sent: map[any]time.Duration{}}
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		switch e.Message.(type) {
		case *messages.PromiseRequest:
			l.promises++
		case *messages.FetchRequest:
			l.fetches++
		}
		if _, held := l.sent[e.Message]; held || !slow(e.Message) {
			return actortest.Deliver
		}
		l.sent[e.Message] = c.World.Elapsed()
		return actortest.Hold
	})
	return l
}

// run lets time pass until a member has recovered, or until it is over.
func (l *lateness) run(m *kit.Member, most time.Duration) {
	w := l.cluster.World
	for w.Elapsed() < most && !m.Reported(member.Recovered{}) {
		w.Run(50 * time.Millisecond)
		w.Release(func(e actortest.Envelope) bool { return w.Elapsed()-l.sent[e.Message] >= l.by })
	}
}

func isCopy(m any) bool { _, ok := m.(*messages.FetchResponse); return ok }

// A second is when a peer counts as silent at first.
func TestPeersThatAnswerLateAreCopiedFromAndNoQuorumIsAsked(t *testing.T) {
	for late, most := range map[time.Duration]time.Duration{
		900 * time.Millisecond:  10 * time.Second,
		1100 * time.Millisecond: 12 * time.Second,
		1500 * time.Millisecond: 15 * time.Second,
		3 * time.Second:         25 * time.Second,
		6 * time.Second:         50 * time.Second,
	} {
		t.Run(late.String(), func(t *testing.T) {
			c, want := filled(t, 1, 3, 20000)
			m := c.Member(3)
			m.Wipe()
			l := delay(c, late, isCopy)
			c.Start()
			l.run(m, 4*time.Minute)
			if took := c.World.Elapsed(); took > most || m.Status() != status.Voting {
				t.Errorf("after %v it is %s, and has asked %d times", took, m.Status(), l.fetches)
			}
			if l.promises > 0 {
				t.Errorf("%d promises were asked for", l.promises)
			}
			if got := m.Entries(); !slices.Equal(got, want) {
				t.Errorf("it has %d entries", len(got))
			}
		})
	}
}

// So slow that a quorum is asked, and that answers late, too.
func TestARecoveryEndsWhereEveryAnswerTakesTenSeconds(t *testing.T) {
	c, want := filled(t, 1, 3, 9000)
	m := c.Member(3)
	m.Wipe()
	l := delay(c, 10*time.Second, func(m any) bool {
		_, promise := m.(*messages.PromiseResponse)
		return promise || isCopy(m)
	})
	c.Start()
	l.run(m, 4*time.Minute)
	if m.Status() != status.Voting {
		t.Fatalf("after %v it is %s, and has asked %d times", c.World.Elapsed(), m.Status(), l.fetches)
	}
	if got := m.Entries(); !slices.Equal(got, want) {
		t.Errorf("it has %d entries", len(got))
	}
}
