package protocol

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/audit"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// twisted starts three members with 600 learned entries, one of which differs where there is a text for the member.
func twisted(t *testing.T, seed uint64, at log.Position, texts map[log.ReplicaID]string) *kit.Cluster {
	t.Helper()
	return knowing(t, seed, 600, func(id log.ReplicaID, p log.Position) string {
		if other, differs := texts[id]; differs && p == at {
			return other
		}
		return fmt.Sprint(p)
	})
}

// knowing starts three members with as many learned entries.
func knowing(t *testing.T, seed uint64, entries log.Position, text func(log.ReplicaID, log.Position) string) *kit.Cluster {
	t.Helper()
	c := kit.Initialized(t, seed, 3)
	for _, m := range c.Members {
		var records []log.Action
		for p := log.Position(1); p <= entries; p++ {
			records = append(records, kit.Chosen(p, by(1, 1), text(m.ID, p)))
		}
		m.Prepare(func(meta *storage.Metadata) { meta.Status, meta.Promised = status.Voting, by(1, 1) }, records...)
	}
	c.Start()
	c.AwaitVoting(c.Members...)
	return c
}

// differs is the findings of a member.
func differs(m *kit.Member) (found []audit.Diverged) {
	for _, e := range m.Events {
		if d, ok := e.(audit.Diverged); ok {
			found = append(found, d)
		}
	}
	return found
}

func TestEqualLogsAreNotFoundToDiffer(t *testing.T) {
	c := twisted(t, 1, 300, nil)
	told := 0
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if m, ok := e.Message.(*messages.AuditMessage); ok {
			told += len(m.GetFirsts())
		}
		return actortest.Deliver
	})
	c.Member(1).Elect()
	appendAll(c.Member(1), "more", 20)
	c.World.Run(10 * time.Second)
	for _, m := range c.Members {
		if found := differs(m); len(found) > 0 {
			t.Errorf("member %d: %v", m.ID, found)
		}
	}
	if told < 20 {
		t.Errorf("they told each other of %d blocks", told)
	}
}

func TestAMemberAloneWithItsLogStopsAndTheOthersGoOn(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := twisted(t, seed, 300, map[log.ReplicaID]string{3: "something else"})
		odd := c.Member(3)
		wait(t, c, "it is found out", func() bool { return odd.Failure() != nil })
		if took := c.World.Elapsed(); took > 3*time.Second {
			t.Errorf("after %v", took)
		}
		if err := odd.Failure(); !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "[257, 512]") {
			t.Errorf("it ends with %v", err)
		}
		if _, _, err := odd.Store.Get(300); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("its disk is not condemned: %v", err)
		}
		odd.Crash()
		c.Member(1).Elect()
		c.Member(1).Append("goes on")
	})
}

func TestMembersThatAgreeNameTheOneThatDiffersAndGoOn(t *testing.T) {
	c := twisted(t, 1, 300, map[log.ReplicaID]string{3: "something else"})
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if _, ok := e.Message.(*messages.AuditMessage); ok && e.To == c.Member(3).Node.Address() {
			return actortest.Drop // or it stops before it has said anything
		}
		return actortest.Deliver
	})
	c.World.Run(10 * time.Second)
	for _, m := range c.Members[:2] {
		found := differs(m)
		if len(found) != 1 || found[0].Peer != 3 || found[0].Minority || found[0].Block != span(257, 512) {
			t.Errorf("member %d found %+v", m.ID, found)
		}
		s := ask[*messages.StatusResponse](t, m, &messages.StatusRequest{})
		if !strings.Contains(s.GetAdvice(), "differs from that of member 3") || m.Failure() != nil {
			t.Errorf("member %d says %q, and ended with %v", m.ID, s.GetAdvice(), m.Failure())
		}
	}
}

func TestWhatDifferedIsNotSaidAnyMoreOnceItIsTruncated(t *testing.T) {
	c := twisted(t, 1, 300, map[log.ReplicaID]string{1: "a", 2: "b", 3: "c"})
	advice := func(m *kit.Member) string {
		return ask[*messages.StatusResponse](t, m, &messages.StatusRequest{}).GetAdvice()
	}
	c.Member(1).Elect()
	c.World.Run(10 * time.Second)
	for _, m := range c.Members {
		if said := advice(m); !strings.Contains(said, "differs") {
			t.Fatalf("member %d says %q", m.ID, said)
		}
	}
	c.Member(1).Write(0, log.Value{Kind: log.Truncate, To: 520})
	c.World.Run(3 * time.Second)
	for _, m := range c.Members {
		if said := advice(m); said != "" {
			t.Errorf("member %d still says %q", m.ID, said)
		}
	}
}

// Nobody can tell which of the three is right.
func TestMembersThatAllDifferGoOnAndSaySo(t *testing.T) {
	c := twisted(t, 1, 1, map[log.ReplicaID]string{2: "b", 3: "c"})
	c.World.Run(10 * time.Second)
	for _, m := range c.Members {
		if found := differs(m); len(found) != 2 || m.Failure() != nil {
			t.Errorf("member %d found %v, and ended with %v", m.ID, found, m.Failure())
		}
	}
}

func TestWhatIsNoAuditChangesNothing(t *testing.T) {
	c := twisted(t, 1, 1, nil)
	m := c.Member(1)
	for _, bad := range []*messages.AuditMessage{
		{}, {Firsts: []uint64{1}, Sums: []uint64{9}},
	} {
		m.Probe.Request(m.PID(member.Audit), bad)
	}
	c.World.Run(time.Second)
	if found := differs(m); len(found) > 0 {
		t.Errorf("it believes %v", found)
	}
}

// Every notice between members is lost, and nobody writes any more.
func TestLostNoticesAreRepairedWithinASecond(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer := c.Member(1)
		writer.Elect()
		c.World.Run(time.Second)
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if _, notice := e.Message.(*messages.LearnedMessage); notice && e.From != e.To {
				return actortest.Drop
			}
			return actortest.Deliver
		})
		appendAll(writer, "", 3)
		began := c.World.Elapsed()
		wait(t, c, "the others have learned it", func() bool {
			return c.Member(2).Inspect().Learned == 3 && c.Member(3).Inspect().Learned == 3
		})
		if took := c.World.Elapsed() - began; took > time.Second+50*time.Millisecond {
			t.Errorf("after %v", took)
		}
		c.Agree(c.Members...)
	})
}

// Nobody else is there, so that the replica itself has nothing to do with its disk.
func TestWhatTheAuditCannotReadEndsTheMember(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := knowing(t, seed, 30_000, func(log.ReplicaID, log.Position) string { return "same" })
		m := c.Member(2)
		c.Member(1).Crash()
		c.Member(3).Crash()
		c.World.Run(500 * time.Millisecond) // until it has read what it wants to know itself
		m.Store.FailNext(memory.Read, errors.New("the test breaks this disk"))
		c.World.Run(time.Second)
		if err := m.Failure(); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("it ends with %v", err)
		}
	})
}
