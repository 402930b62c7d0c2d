package protocol

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// replaced is a voting cluster with two entries, whose last member found its disk damaged and got another one.
func replaced(t *testing.T, seed uint64, n int) (*kit.Cluster, *kit.Member) {
	t.Helper()
	c := kit.Voting(t, seed, n)
	c.Member(1).Elect()
	c.Member(1).Append("a")
	c.Member(1).Append("b")
	m := c.Members[n-1]
	m.Crash()
	m.Replace()
	return c, m
}

func TestAReplacementOfADamagedDiskRecoversAboveWhatItsPeersKnow(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c, m := replaced(t, seed, 3)
		m.Restart()
		c.AwaitVoting(m)
		for want := range uint64(3) { // its disk is damaged again and again
			if got := m.Inspect().Identity.Incarnation.Generation; got != want+2 {
				t.Errorf("generation %d, want %d", got, want+2)
			}
			if got := m.Entries(); !slices.Equal(got, []string{"a", "b"}) {
				t.Errorf("the log is %q", got)
			}
			m.Crash()
			m.Replace()
			m.Restart()
			c.AwaitVoting(m)
		}
		c.Agree(c.Members...)
	})
}

func TestAReplacementNeverTakesPartInANewLog(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.New(t, seed, 3, true)
		m := c.Members[seed%3]
		m.Replace()
		c.Start()
		c.World.Run(20 * time.Second)
		for _, o := range c.Members {
			want := status.Empty
			if o == m {
				want = status.Recovering
			}
			if got := o.Status(); got != want {
				t.Errorf("member %d is %s beside the replacement %d", o.ID, got, m.ID)
			}
			s := ask[*messages.StatusResponse](t, o, &messages.StatusRequest{})
			if !strings.Contains(s.GetAdvice(), "1 of 3 had data") {
				t.Errorf("member %d advises %q", o.ID, s.GetAdvice())
			}
		}
	})
}

func TestTwoReplacementsOfThreeWaitForTheQuorumThatIsLost(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c, m := replaced(t, seed, 3)
		o := c.Member(2)
		o.Crash()
		o.Replace()
		m.Restart()
		o.Restart()
		c.World.Run(20 * time.Second)
		for _, r := range []*kit.Member{m, o} {
			if got := r.Status(); got != status.Recovering || r.Failure() != nil {
				t.Errorf("member %d is %s: %v", r.ID, got, r.Failure())
			}
			s := ask[*messages.StatusResponse](t, r, &messages.StatusRequest{})
			if !strings.Contains(s.GetAdvice(), "a quorum of the disks is lost") {
				t.Errorf("member %d advises %q", r.ID, s.GetAdvice())
			}
		}
	})
}

// A message of the damaged disk is late, and its replacement is known by then.
func TestAReplacementIsNotTakenForTheDiskThatItReplaces(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		m := c.Member(3)
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if e.From == m.Node.Address() && e.To != e.From {
				return actortest.Hold
			}
			return actortest.Deliver
		})
		c.Start()
		c.World.Run(time.Second)
		m.Crash()
		c.World.Filter(nil)
		m.Replace()
		m.Restart()
		c.AwaitVoting(m)
		c.World.Release(nil)
		c.World.Run(3 * time.Second)
		if err := m.Failure(); err != nil {
			t.Errorf("the replacement ends: %v", err)
		}
		m.Elect()
		m.Append("with its vote")
		c.Agree(c.Members...)
	})
}
