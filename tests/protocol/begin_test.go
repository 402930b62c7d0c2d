package protocol

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// answerFor answers the first of a member's requests of a kind, in the name of the peer that was asked: the peer does not get it.
func answerFor[T interface{ GetHeader() *messages.Header }](c *kit.Cluster, m *kit.Member, answer func(*messages.Header) any) {
	held := false
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if _, ok := e.Message.(T); ok && e.From == m.Node.Address() && e.To != e.From && !held {
			held = true
			return actortest.Hold
		}
		return actortest.Deliver
	})
	c.Start()
	for len(c.World.Held()) == 0 {
		c.World.Run(time.Millisecond)
	}
	asked := c.World.Held()[0]
	peer := log.ReplicaID(slices.IndexFunc(c.Members, func(m *kit.Member) bool { return m.Node.Address() == asked.To }) + 1)
	who := identity.Identity{
		Cluster: identity.ClusterID{1}, Configuration: 1, Replica: peer, Boot: 1, Process: 1,
		Incarnation: identity.Incarnation{Generation: 1, Disk: uint64(peer) << 32},
	}
	header := codec.EncodeHeader(who, asked.Message.(T).GetHeader().GetRequest(), nil)
	c.World.Node("stranger:7000").Probe("stranger").Request(actor.NewPID(asked.From, asked.Sender), answer(header))
}

// One false answer says that the log begins far above where anybody's ends.
func TestABeginAboveAllThatIsKnownIsNotAdopted(t *testing.T) {
	c, want := filled(t, 1, 3, 3000)
	m := c.Member(3)
	m.Wipe()
	answerFor[*messages.FetchRequest](c, m, func(h *messages.Header) any {
		return codec.EncodeFetchResponse(h, codec.Gone{Begin: 1 << 40})
	})
	c.AwaitVoting(c.Members...)
	if got := m.Entries(); !slices.Equal(got, want) {
		t.Errorf("it has %d entries, and begins at %d", len(got), m.Inspect().Begin)
	}
	m.Elect()
	m.Append("one more")
	for _, o := range c.Members {
		if in := o.Inspect(); in.Begin > 1 || in.End > 3010 {
			t.Errorf("member %d: begins at %d and ends at %d", o.ID, in.Begin, in.End)
		}
	}
	c.Agree(c.Members...)
}

// While a replica recovers the log goes on, and is truncated above where it ended when the recovery began.
func TestARecoveryFollowsATruncationOfWhatCameLater(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c, _ := filled(t, seed, 3, 3000)
		m, writer := c.Member(3), c.Member(1)
		m.Wipe()
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if _, ok := e.Message.(*messages.FetchRequest); ok {
				return actortest.Hold
			}
			return actortest.Deliver
		})
		c.Start()
		c.AwaitVoting(writer, c.Member(2))
		wait(t, c, "it asks for copies", func() bool { return len(c.World.Held()) > 0 })
		writer.Elect()
		for i := range 10 {
			writer.Append(fmt.Sprint("later", i))
		}
		truncate(t, writer, 3005)
		c.World.Run(100 * time.Millisecond)
		c.World.Filter(nil)
		c.World.Release(nil)
		began := c.World.Elapsed()
		c.AwaitVoting(m)
		if took := c.World.Elapsed() - began; took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		m.Catchup()
		if got := m.Inspect(); got.Begin != 3005 {
			t.Errorf("it begins at %d", got.Begin)
		}
		c.Agree(c.Members...)
	})
}
