package protocol

import (
	"errors"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// counting is a disk that counts its syncs.
type counting struct {
	storage.Store
	syncs int
}

func (s *counting) StartSync() (wait func() error) {
	s.syncs++
	return s.Store.StartSync()
}

func TestOneSyncServesEveryWriteInTheMailbox(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		const writes = 50
		c := kit.Initialized(t, seed, 3)
		m := c.Member(1)
		disk := &counting{}
		m.Wrap = func(s storage.Store) storage.Store {
			disk.Store = s
			return disk
		}
		m.Start()
		c.AwaitVoting(m)
		p := c.Peer(2)
		p.Promise(m, by(1, 2), log.Range{})
		before := disk.syncs
		for i := range writes { // sent from the replica's own node, so that they are all there before the first is handled
			m.Probe.Request(m.PID(member.Replica), codec.EncodeWriteRequest(p.Header(), codec.Write{
				By: by(1, 2), First: log.Position(i + 1), Values: []log.Value{kit.Entry("e")},
			}))
		}
		wait(t, c, "every write is answered", func() bool { return len(m.Probe.Messages()) == writes })
		if got := disk.syncs - before; got != 1 {
			t.Errorf("%d syncs for %d writes", got, writes)
		}
	})
}

func TestNoAnswerLeavesWhoseSyncFailed(t *testing.T) {
	for name, ask := range map[string]func(*kit.Peer, *kit.Member){
		"implicit promise": func(p *kit.Peer, m *kit.Member) { p.AskPromise(m, by(5, 2), log.Range{}) },
		"explicit promise": func(p *kit.Peer, m *kit.Member) { p.AskPromise(m, by(5, 2), span(1, 2)) },
		"write":            func(p *kit.Peer, m *kit.Member) { p.AskWrite(m, by(5, 2), 1, kit.Entry("v")) },
	} {
		t.Run(name, func(t *testing.T) {
			c, m, p := alone(t, 1)
			p.Promise(m, by(1, 2), log.Range{})
			m.Store.FailNext(memory.Sync, errors.New("no space left"))
			ask(p, m)
			actortest.ExpectNone[any](t, p.Probe, 3*time.Second)
			if !errors.Is(m.Failure(), storage.ErrFailed) {
				t.Errorf("the member reports %v", m.Failure())
			}
			refused, ok := p.Promise(m, by(6, 2), log.Range{}).(paxos.Refused)
			if !ok || refused.Reason != identity.IOError {
				t.Errorf("then it answers %#v", refused)
			}
			again(c, m)
			expectPromised(t, p.Promise(m, by(2, 2), log.Range{}), 0) // nothing of it was done
		})
	}
}

func TestADiskThatLiesEndsTheMember(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Elect()
	m.Append("a")
	m.Store.FailNext(memory.Read, errors.New("bad checksum"))
	answer := ask[*messages.ReadResponse](t, m, &messages.ReadRequest{})
	if answer.GetFailure().GetCode() != messages.Code_CODE_CORRUPT {
		t.Errorf("got %v", answer)
	}
	wait(t, c, "the member reports it", func() bool { return errors.Is(m.Failure(), storage.ErrCorrupt) })
	c.Member(2).Elect()
	c.Member(2).Append("b")
	c.Agree(c.Member(2), c.Member(3))
}

func TestACoordinatorGoesOnWhileAnotherMembersDiskFails(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		m.Append("a")
		c.Member(3).Store.FailNext(memory.Sync, errors.New("no space left"))
		m.Append("b")
		m.Append("c")
		wait(t, c, "the member with the failed disk says so", func() bool { return c.Member(3).Failure() != nil })
		c.Agree(c.Member(1), c.Member(2))
	})
}

func TestACoordinatorWhoseOwnDiskFailsAcknowledgesNothingThatIsLost(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Elect()
		m.Append("a")
		m.Store.FailNext(memory.Sync, errors.New("no space left"))
		switch answer := m.Write(0, kit.Entry("b")).(type) {
		case coordinator.Appended: // by the other two
		case coordinator.Failed:
			if answer.Why != coordinator.Indeterminate {
				t.Errorf("failed as %d", answer.Why)
			}
		}
		c.Member(2).Elect()
		c.Member(2).Append("c")
		c.Agree(c.Member(2), c.Member(3))
	})
}
