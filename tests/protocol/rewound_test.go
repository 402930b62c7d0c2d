package protocol

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// welcome waits until a member is welcomed by one that tells what it heard of it, and returns that, with this age.
func welcome(t *testing.T, c *kit.Cluster, to *kit.Member, age func() uint64) *messages.Welcome {
	t.Helper()
	var said *messages.Welcome
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		w, ok := e.Message.(*messages.Welcome)
		for i, h := range w.GetPresence().GetHeard() {
			if ok && e.To == to.Node.Address() && h.GetReplica() == uint32(to.ID) {
				said = proto.CloneOf(w)
				said.GetPresence().Heard[i].Age = age()
			}
		}
		return actortest.Deliver
	})
	wait(t, c, "it is welcomed", func() bool { return said != nil })
	return said
}

// A machine that is put back to a snapshot with its memory goes on as the same process, on a disk that lacks what it said.
func TestAReplicaWhoseProcessWasPutBackWithItsDiskEnds(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(3)
		said := welcome(t, c, m, func() uint64 { return m.Store.Age() + 1 }) // as it was before it was put back
		n := votes(c, m.Node.Address())
		c.Member(1).Node.Probe("peer").Send(m.PID(member.Network), said)
		wait(t, c, "it ends", func() bool { return m.Failure() != nil })
		fencedAsOlder(t, m)
		before := *n
		c.Member(1).Elect()
		c.Member(1).Append("without it")
		if *n > before {
			t.Error("it votes")
		}
		m.Crash()
		m.Wipe()
		m.Restart()
		c.AwaitVoting(m)
		c.Agree(c.Members...)
	})
}

// What its peers heard last is what its disk has, or less.
func TestNoPeerHearsAnAgeThatTheReplicaDoesNotKnow(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		c.World.Net.Delay(0, 100*time.Microsecond)
		heard := 0
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if w, ok := e.Message.(*messages.Welcome); ok {
				for _, h := range w.GetPresence().GetHeard() {
					heard++
					if is := c.Members[h.GetReplica()-1]; h.GetAge() > is.Store.Age() {
						t.Errorf("member %d was heard with %d syncs, and has %d", is.ID, h.GetAge(), is.Store.Age())
					}
				}
			}
			return actortest.Deliver
		})
		for i := range 30 {
			m := c.Members[i%3]
			m.Elect()
			appendAll(m, "a", 1+i%4)
			c.World.Run(100 * time.Millisecond)
			if i%7 == 0 {
				m.Crash()
				m.Restart()
				c.AwaitVoting(m)
			}
		}
		for _, m := range c.Members {
			if err := m.Failure(); err != nil || heard < 100 {
				t.Errorf("member %d ends: %v; %d were heard", m.ID, err, heard)
			}
		}
	})
}

// As many questions as are kept come from elsewhere before the one that nobody repeats.
func TestAProposalThatIsReservedWhileTheReplicaIsUnsureIsHandedOut(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(3)
		m.Crash()
		for _, o := range c.Members[:2] {
			c.World.Net.Cut(m.Node.Address(), o.Node.Address())
		}
		m.Restart()
		awaitReady(t, c, m)
		others, fill, coordinator := m.Node.Probe("others"), m.Node.Probe("fill"), m.Node.Probe("coordinator")
		for range 200 {
			others.Request(m.PID(member.Replica), &messages.FetchRequest{})
		}
		fill.Request(m.PID(member.Replica), replica.Reserve{})
		for range 3 { // whoever asks again needs one answer
			coordinator.Request(m.PID(member.Replica), replica.Reserve{Above: by(7, 1)})
		}
		c.World.Run(time.Second)
		c.World.Net.HealAll()
		first := actortest.Await[replica.Reserved](t, fill, patience)
		second := actortest.Await[replica.Reserved](t, coordinator, patience)
		c.World.Run(time.Second)
		if first.By == second.By || second.By != by(8, 3) {
			t.Errorf("got %s and %s", first.By, second.By)
		}
		if next := actortest.Await[replica.Reserved](t, reserveAgain(m, fill), patience); next.By != by(9, 3) {
			t.Errorf("the next is %s: a question that was given up was answered", next.By)
		}
	})
}

// reserveAgain asks for a proposal.
func reserveAgain(m *kit.Member, p *actortest.Probe) *actortest.Probe {
	p.Request(m.PID(member.Replica), replica.Reserve{})
	return p
}
