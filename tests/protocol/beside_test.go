package protocol

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// syncing is a member whose disk can be made slow, and a peer that asks it from the member's own node, so that what it
// asks arrives at once and in order.
type syncing struct {
	*testing.T
	c    *kit.Cluster
	m    *kit.Member
	p    *kit.Peer
	disk *counting
}

func newSyncing(t *testing.T, seed uint64) *syncing {
	t.Helper()
	c := kit.Initialized(t, seed, 3)
	s := &syncing{t, c, c.Member(1), nil, &counting{}}
	s.m.Wrap = func(inner storage.Store) storage.Store {
		s.disk.Store = inner
		return s.disk
	}
	s.m.Start()
	c.AwaitVoting(s.m)
	s.p = c.Peer(2)
	s.p.Promise(s.m, by(1, 2), log.Range{})
	c.World.Run(time.Second)
	return s
}

// slow makes the sync that comes next, or runs, take so long.
func (s *syncing) slow(d time.Duration) {
	s.m.Node.Occupy(s.m.PID(member.Replica).GetId()+"/"+replica.Syncer, d)
}

func (s *syncing) ask(request any) { s.m.Probe.Request(s.m.PID(member.Replica), request) }

func (s *syncing) write(at log.Position) {
	s.ask(codec.EncodeWriteRequest(s.p.Header(), codec.Write{By: by(1, 2), First: at, Values: []log.Value{kit.Entry(fmt.Sprint(at))}}))
}

// during begins the sync of a write to position 1, which takes ten seconds, and returns in the middle of it.
func (s *syncing) during() {
	s.Helper()
	s.slow(10 * time.Second)
	s.write(1)
	s.c.World.Run(time.Second)
	if n := len(s.m.Probe.Messages()); n > 0 {
		s.Fatalf("%d answers left before the sync", n)
	}
}

func (s *syncing) holds(at log.Position) bool {
	s.Helper()
	_, found, err := s.m.Store.Get(at)
	if err != nil {
		s.Fatal(err)
	}
	return found
}

func (s *syncing) await(n int) []any {
	s.Helper()
	wait(s.T, s.c, "all is answered", func() bool { return len(s.m.Probe.Messages()) == n })
	return s.m.Probe.Messages()
}

func TestAReplicaGoesOnReceivingDuringASync(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		s := newSyncing(t, seed)
		s.during()
		greeter := s.m.Node.Probe("greeter")
		greeter.Request(s.m.PID(member.Replica), &messages.Hello{Header: s.p.Header()})
		s.write(2)
		welcome := actortest.Await[*messages.Welcome](t, greeter, time.Second)
		if age := welcome.GetHeader().GetAge(); age != s.m.Store.Age() {
			t.Errorf("it greets at age %d, and is synced at %d", age, s.m.Store.Age())
		}
		s.c.World.Run(time.Second)
		if !s.holds(2) {
			t.Error("what it was asked during the sync is not applied")
		}
		s.await(2)
	})
}

func TestOneSyncServesAllThatCameDuringASync(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		s := newSyncing(t, seed)
		before := s.disk.syncs
		s.during()
		for at := range log.Position(50) {
			s.write(2 + at)
			s.c.World.Run(10 * time.Millisecond)
		}
		s.await(51)
		if got := s.disk.syncs - before; got != 2 {
			t.Errorf("%d syncs, want one, and one for all that came during it", got)
		}
	})
}

// mixed asks many things, some of which change the disk, and returns how many. What the syncs take is drawn from random.
func (s *syncing) mixed(random *rand.Rand) (n int) {
	next := log.Position(1)
	for ; n < 60; n++ {
		switch random.IntN(6) {
		case 0:
			s.ask(codec.EncodeFetchRequest(s.p.Header(), span(1, 3)))
		case 1:
			s.ask(codec.EncodePromiseRequest(s.p.Header(), by(1, 2), span(next, next+2)))
		case 2:
			s.ask(&messages.RecoverRequest{Header: s.p.Header()})
		default:
			s.write(next)
			next++
		}
		if random.IntN(3) == 0 {
			s.slow(time.Duration(random.IntN(20)) * time.Millisecond)
			s.c.World.Run(time.Duration(random.IntN(10)) * time.Millisecond)
		}
	}
	return n
}

func TestAnswersLeaveInTheOrderOfTheQuestionsAcrossSyncs(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		s := newSyncing(t, seed)
		before := s.p.Asked()
		n := s.mixed(rand.New(rand.NewPCG(seed, 1)))
		var got []uint64
		for _, m := range s.await(n) {
			if _, copies := m.(*messages.FetchResponse); copies {
				continue // read beside the votes: they leave when they are read
			}
			got = append(got, m.(interface{ GetHeader() *messages.Header }).GetHeader().GetRequest()-before)
		}
		if !slices.IsSorted(got) || len(got) < n/2 {
			t.Errorf("the answers are to %d", got)
		}
	})
}

// An answer tells the age that the disk has when it leaves: neither one that it does not have yet, nor one of before.
func TestNoAnswerLeavesBeforeTheSyncThatCoversIt(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		s := newSyncing(t, seed)
		asked := map[uint64]log.Position{}
		s.c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			switch m := e.Message.(type) {
			case *messages.WriteRequest:
				asked[m.GetHeader().GetRequest()] = log.Position(m.GetFirst())
			case *messages.WriteResponse:
				at := asked[m.GetHeader().GetRequest()]
				if _, found, err := s.m.Store.Copy().Get(at); m.GetAccepted() == nil || !found || err != nil {
					t.Errorf("%v leaves, and position %d is not durable (%v)", m, at, err)
				}
			}
			if m, ok := e.Message.(interface{ GetHeader() *messages.Header }); ok && e.Target == s.m.Probe.PID.GetId() {
				_, copies := e.Message.(*messages.FetchResponse) // which were being read meanwhile
				if age := m.GetHeader().GetAge(); age > s.m.Store.Age() || age < s.m.Store.Age() && !copies {
					t.Errorf("a %T tells age %d, and the disk is at %d", m, age, s.m.Store.Age())
				}
			}
			return actortest.Deliver
		})
		s.await(s.mixed(rand.New(rand.NewPCG(seed, 2))))
	})
}

func TestAQuestionTellsTheSyncOfItsProposal(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m, asked := c.Member(1), 0
		c.World.Run(time.Second)
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if p, ok := e.Message.(*messages.PromiseRequest); ok && asked == 0 {
				asked++
				if age := p.GetHeader().GetAge(); age != m.Store.Age() {
					t.Errorf("proposal %d is asked for at age %d, and reserved at %d", p.GetProposal(), age, m.Store.Age())
				}
			}
			return actortest.Deliver
		})
		m.Elect()
		if asked == 0 {
			t.Error("nothing was asked")
		}
	})
}

// Each time somebody asks again there is one answer more that waits, of up to a megabyte.
func TestWhatWaitsForAHungSyncIsBounded(t *testing.T) {
	s := newSyncing(t, 1)
	const asked, most = 40, 16
	s.ask(codec.EncodeWriteRequest(s.p.Header(), codec.Write{
		By: by(1, 2), First: 1, Values: []log.Value{{Kind: log.Append, Data: make([]byte, log.MaxEntry)}},
	}))
	s.await(1)
	s.slow(time.Hour)
	for range asked {
		s.ask(codec.EncodePromiseRequest(s.p.Header(), by(2, 2), span(1, 1)))
	}
	local := s.m.Node.Probe("local")
	local.Request(s.m.PID(member.Replica), replica.Reserve{}) // which nobody repeats
	s.c.World.Run(2 * time.Hour)
	waited := len(s.m.Probe.Messages()) - 1
	if waited == 0 || waited > most {
		t.Errorf("%d answers of a megabyte waited", waited)
	}
	actortest.Await[replica.Reserved](t, local, time.Second)
	s.ask(codec.EncodePromiseRequest(s.p.Header(), by(2, 2), span(1, 1)))
	s.await(1 + waited + 1)
}

func TestAFailedSyncAnswersNothingOfItAndOfTheNext(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		s := newSyncing(t, seed)
		s.during()
		s.write(2)
		s.c.World.Run(time.Second)
		s.m.Store.FailNext(memory.Sync, errors.New("no space left"))
		s.c.World.Run(time.Minute)
		if !errors.Is(s.m.Failure(), storage.ErrFailed) || len(s.m.Probe.Messages()) > 0 {
			t.Errorf("the member reports %v, and %d answers left", s.m.Failure(), len(s.m.Probe.Messages()))
		}
	})
}

func TestADiskThatFailsDuringASyncAnswersNothing(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		s := newSyncing(t, seed)
		s.during()
		s.m.Store.FailNext(memory.Change, errors.New("no space left"))
		s.write(2)
		s.c.World.Run(time.Minute)
		for _, answer := range s.m.Probe.Messages() {
			if w := answer.(*messages.WriteResponse); w.GetAccepted() != nil {
				t.Errorf("%v left", w)
			}
		}
	})
}

func TestALearnedMarkCostsNoSync(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		s := newSyncing(t, seed)
		s.write(1)
		s.await(1)
		before := s.disk.syncs
		s.ask(codec.EncodeLearnedMessage(s.p.Header(), by(1, 2), span(1, 1)))
		s.c.World.Run(time.Second)
		if a, _, err := s.m.Store.Get(1); !a.Learned || err != nil || s.disk.syncs > before {
			t.Errorf("learned is %v, %v, after %d syncs", a.Learned, err, s.disk.syncs-before)
		}
	})
}

func TestAReplicaThatIsStoppedDuringASyncEndsAfterIt(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		s := newSyncing(t, seed)
		s.during()
		s.m.Node.Root().Poison(s.m.Node.PID(kit.Name))
		s.c.World.Run(time.Second)
		syncer := func(name string) bool { return strings.HasSuffix(name, "/"+replica.Syncer) }
		if now := s.m.Node.Actors(); !slices.ContainsFunc(now, syncer) || !slices.Contains(now, kit.Name) {
			t.Errorf("while the sync runs there are %q", now)
		}
		s.c.World.Run(time.Minute)
		if now := s.m.Node.Actors(); len(now) > 0 || s.m.Node.Timers() > 0 {
			t.Errorf("after it there are %q and %d timers", now, s.m.Node.Timers())
		}
	})
}

func TestACrashDuringASyncLosesNothingThatWasAcknowledged(t *testing.T) {
	seeds(t, 30, func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 3))
		c := kit.Voting(t, seed, 3)
		for i := range 10 {
			m := c.Members[random.IntN(3)]
			m.Elect()
			for j := range 3 {
				for _, o := range c.Members {
					o.Node.Occupy(o.PID(member.Replica).GetId()+"/"+replica.Syncer, time.Duration(random.IntN(30))*time.Millisecond)
				}
				m.Append(fmt.Sprint(i, ".", j)) // acknowledged by two, while the third may still sync
			}
			m.Probe.Request(m.PID(member.Gateway), appends(uint64(i), fmt.Sprint("in flight ", i)))
			c.World.Run(time.Duration(random.IntN(20)) * time.Millisecond)
			for _, o := range c.Members {
				o.CrashKeeping(random)
			}
			for _, o := range c.Members {
				o.Restart()
			}
			c.AwaitVoting(c.Members...)
		}
		c.Members[0].Elect()
		c.Members[0].Append("last")
		c.Agree(c.Members...)
	})
}
