package protocol

import (
	"fmt"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// On slow lines what the dead writer left takes longer to settle than a writer may be silent: it is asked for it, too.
func TestAnElectionThatTakesLongIsNotFencedByTheNext(t *testing.T) {
	for _, delay := range []time.Duration{50 * time.Millisecond, 90 * time.Millisecond} {
		for seed := range uint64(4) {
			c := led(t, seed, 5)
			c.World.Net.Delay(delay, delay+delay/10)
			gone := awaitWriter(t, c, 5*time.Second)
			for i := range 5 {
				gone.Append(fmt.Sprint(i))
			}
			for i := range 8 {
				gone.Probe.Request(gone.PID(member.Coordinator), coordinator.Append{Values: []log.Value{kit.Entry(fmt.Sprint("late", i))}})
			}
			c.World.Run(delay + 2*time.Millisecond)
			before := gone.Inspect().Writer
			gone.Crash()
			awaitWriter(t, c, 10*time.Second, gone.ID)
			c.World.Run(3 * time.Second)
			for id, by := range whoWrites(c) {
				if by.Round() > before.Round()+1 {
					t.Errorf("delay %v, seed %d: member %d writes under %v, and %v was before", delay, seed, id, by, before)
				}
			}
		}
	}
}

// candidate is a member that is promised everything, greets the others as one that is about to write, and hangs.
type candidate struct {
	*kit.Peer
	c     *kit.Cluster
	hello codec.Hello
}

func newCandidate(t *testing.T, seed uint64) candidate {
	t.Helper()
	c := kit.Initialized(t, seed, 3)
	c.AutoElect = true
	s := candidate{c.Peer(3), c, codec.Hello{Candidacy: log.NewProposal(9, 3)}}
	c.Member(1).Start()
	c.Member(2).Start()
	c.AwaitVoting(c.Member(1), c.Member(2))
	for _, m := range c.Members[:2] {
		if answer, granted := s.Promise(m, s.hello.Candidacy, log.Range{}).(paxos.Promised); !granted {
			t.Fatalf("seed %d: member %d promises nothing: %#v", seed, m.ID, answer)
		}
	}
	return s
}

// greets has the candidate greet the others for so long, and returns when the first of them wrote; 0 if none did.
func (s candidate) greets(within time.Duration) time.Duration {
	began := s.c.World.Elapsed()
	for s.c.World.Elapsed()-began < within {
		for _, m := range s.c.Members[:2] {
			s.Request(m.PID(member.Replica), codec.EncodeHello(s.Header(), s.hello))
		}
		s.c.World.Run(250 * time.Millisecond)
		for _, m := range s.c.Members[:2] {
			if m.Inspect().Writer > 0 {
				return s.c.World.Elapsed() - began
			}
		}
	}
	return 0
}

func TestACandidateThatHangsIsWaitedForNoLongerThanAnElectionTakes(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		s := newCandidate(t, seed)
		patience := ensemble.Usual().Election
		if after := s.greets(3 * patience); after < patience || after > patience+3*time.Second {
			t.Errorf("seed %d: another one writes after %v, and an election takes at most %v", seed, after, patience)
		}
	})
}

func TestACandidateThatGivesUpIsFollowedAtOnce(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		s := newCandidate(t, seed)
		if after := s.greets(3 * time.Second); after > 0 {
			t.Errorf("seed %d: another one writes after %v", seed, after)
		}
		s.hello.Candidacy = 0
		if after := s.greets(750 * time.Millisecond); after == 0 {
			t.Errorf("seed %d: nobody writes", seed)
		}
	})
}

// The client asks for a fence of its own. Until it has one, its member says that it stands.
func TestAWriterThatIsElectedAgainForAClientIsNotTakenForGone(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		writer := awaitWriter(t, c, 2*time.Second)
		c.World.Run(time.Second)
		for _, m := range c.Members { // the proposal is to be durable first, and that takes longer than a look
			m.Node.Occupy(kit.Name+"/"+member.Replica+"/syncer", 700*time.Millisecond)
		}
		writer.Elect()
		c.World.Run(3 * time.Second)
		if now := whoWrites(c); len(now) != 1 || now[writer.ID] == 0 {
			t.Errorf("seed %d: member %d was elected again, and %v write", seed, writer.ID, now)
		}
	})
}

// Member 5 settles a position, as a recovery does, or a read that waits for what nobody has learned.
func TestWhoeverSettlesAPositionIsNotTakenForTheWriter(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 5)
		c.AutoElect = true
		p, rest := c.Peer(5), c.Members[:4]
		for _, m := range rest {
			m.Start()
		}
		c.AwaitVoting(rest...)
		writer := func() (sum log.Proposal) {
			for _, m := range rest {
				sum += m.Inspect().Writer
			}
			return sum
		}
		wait(t, c, "somebody writes", func() bool { return writer() > 0 })
		before := writer()
		for round := uint64(9); round < 19; round++ {
			by := log.NewProposal(round, 5)
			for _, m := range rest {
				p.Promise(m, by, span(1, 1))
				p.Request(m.PID(member.Replica), codec.EncodeWriteRequest(p.Header(), codec.Write{By: by, First: 1, Values: []log.Value{{Kind: log.NOP}}}))
				p.Request(m.PID(member.Replica), codec.EncodeHello(p.Header(), codec.Hello{}))
			}
			c.World.Run(250 * time.Millisecond)
		}
		if after := writer(); after != before {
			t.Errorf("writer %s became %s", before, after)
		}
	})
}
