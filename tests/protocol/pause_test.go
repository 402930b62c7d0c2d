package protocol

import (
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// Member 1 has learned all, member 2 is dead, and member 3, which recovers, did not hear member 1 for so long that it asks a
// quorum. There is none before member 3 votes: all that it lacks must come from member 1.
func TestARecoveryCopiesFromItsOnlyPeerAfterAPause(t *testing.T) {
	for _, pause := range []time.Duration{1200 * time.Millisecond, 2500 * time.Millisecond, 4 * time.Second} {
		t.Run(pause.String(), func(t *testing.T) {
			seeds(t, 3, func(t *testing.T, seed uint64) {
				c, want := filled(t, seed, 3, 9000)
				m := c.Member(3)
				m.Wipe()
				c.Start()
				wait(t, c, "the catch-up is in the middle", func() bool { return copied(m) > 1000 })
				c.Member(2).Crash()
				c.World.Net.Isolate(m.Node.Address())
				c.World.Run(pause)
				c.World.Net.HealAll()
				healed := c.World.Elapsed()
				c.AwaitVoting(m)
				if took := c.World.Elapsed() - healed; took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
				if got := m.Entries(); !slices.Equal(got, want) {
					t.Errorf("it has %d entries", len(got))
				}
				c.Agree(c.Member(1), m)
			})
		})
	}
}

// The answers of the peers are lost until a Fill is under way; the promises are, too.
func TestACopyThatComesWhileAQuorumIsAskedIsTaken(t *testing.T) {
	c, want := filled(t, 1, 3, 3000)
	m := c.Member(3)
	m.Wipe()
	promises := 0
	watchCopies(c, m, func(e actortest.Envelope) actortest.Verdict {
		switch e.Message.(type) {
		case *messages.PromiseRequest:
			promises++
			return actortest.Drop
		case *messages.FetchResponse:
			if promises == 0 {
				return actortest.Hold
			}
			return actortest.Drop
		}
		return actortest.Deliver
	})
	c.Start()
	wait(t, c, "a quorum is asked", func() bool { return promises > 0 })
	if got := m.Status(); got != status.Recovering {
		t.Fatalf("it is %s", got)
	}
	c.World.Release(nil)
	wait(t, c, "what was late is taken", func() bool { return learned(m) >= 2*1024 })
	c.World.Filter(nil)
	c.AwaitVoting(m)
	if got := m.Entries(); !slices.Equal(got, want) {
		t.Errorf("it has %d entries", len(got))
	}
}
