package protocol

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// fetches counts the FetchRequests of a member's catch-ups from now on, in *n.
func fetches(c *kit.Cluster, m *kit.Member, n *int) {
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if _, ok := e.Message.(*messages.FetchRequest); ok && e.From == m.Node.Address() {
			*n++
		}
		return actortest.Deliver
	})
}

// copied is how many positions a member's catch-up has learned so far.
func copied(m *kit.Member) uint64 {
	var done uint64
	for _, e := range m.Events {
		if p, ok := e.(catchup.Progress); ok {
			done = p.Done
		}
	}
	return done
}

// filled is a cluster of n voting members that have learned so many entries.
func filled(t *testing.T, seed uint64, n, entries int) (*kit.Cluster, []string) {
	t.Helper()
	c := kit.Initialized(t, seed, n)
	var records []log.Action
	var want []string
	for i := range entries {
		want = append(want, fmt.Sprint(i))
		records = append(records, kit.Chosen(log.Position(i+1), by(1, 1), want[i]))
	}
	for _, m := range c.Members {
		m.Prepare(func(meta *storage.Metadata) { meta.Promised = by(1, 1) }, records...)
	}
	return c, want
}

func TestTwoReplicasCatchUpAtOnce(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c, want := filled(t, seed, 5, 2500)
		c.Member(4).Wipe()
		c.Member(5).Wipe()
		c.Start()
		c.AwaitVoting(c.Members...)
		for _, m := range c.Members[3:] {
			if got := m.Entries(); !slices.Equal(got, want) {
				t.Errorf("member %d has %d entries", m.ID, len(got))
			}
		}
		c.Agree(c.Members...)
	})
}

// Both lack what the other lacks, and what nobody has learned: both fill it, and outbid each other.
func TestTwoReplicasFillTheSamePositionsAtOnce(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		for _, m := range c.Members {
			m.Prepare(nil, kit.Accepted(2, by(1, 1), "two"), kit.Accepted(5, by(1, 1), "five"))
		}
		c.Start()
		c.AwaitVoting(c.Members...)
		for _, m := range c.Members[1:] {
			m.Probe.Request(m.PID("gateway"), &messages.CatchupRequest{Request: 1})
		}
		for _, m := range c.Members[1:] {
			if r := actortest.Await[*messages.CatchupResponse](t, m.Probe, patience); r.GetLearned() != 5 {
				t.Errorf("got %v", r)
			}
			if got := m.Entries(); !slices.Equal(got, []string{"two", "five"}) {
				t.Errorf("member %d has %q", m.ID, got)
			}
		}
		c.Agree(c.Members...)
	})
}

func TestACatchUpGoesOnWithAnotherPeerWhereOneDies(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c, want := filled(t, seed, 3, 5000)
		m := c.Member(3)
		m.Wipe()
		n := 0
		fetches(c, m, &n)
		c.Start()
		wait(t, c, "the catch-up is in the middle", func() bool { return n >= 3 })
		c.Member(1 + log.ReplicaID(seed%2)).Crash()
		c.AwaitVoting(m)
		if got := m.Entries(); !slices.Equal(got, want) {
			t.Errorf("it has %d entries", len(got))
		}
		m.Elect()
		m.Append("with two of three")
		c.Check()
	})
}

func TestACatchUpOutlivesAllItsPeersForAWhile(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c, want := filled(t, seed, 3, 3000)
		m := c.Member(3)
		m.Wipe()
		n := 0
		fetches(c, m, &n)
		c.Start()
		wait(t, c, "the catch-up is in the middle", func() bool { return n >= 2 })
		c.World.Net.Isolate(m.Node.Address())
		c.World.Run(20 * time.Second)
		if got := m.Status(); got != status.Recovering {
			t.Errorf("it is %s", got)
		}
		c.World.Net.HealAll()
		c.AwaitVoting(m)
		if got := m.Entries(); !slices.Equal(got, want) {
			t.Errorf("it has %d entries", len(got))
		}
		c.Agree(c.Members...)
	})
}

func TestACrashInTheMiddleOfACatchUpTakesItUpAgain(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c, want := filled(t, seed, 3, 3000)
		m := c.Member(3)
		m.Wipe()
		n := 0
		fetches(c, m, &n)
		c.Start()
		wait(t, c, "the catch-up is in the middle", func() bool { return n == 3 })
		before := m.Store.Metadata().Incarnation
		m.Crash()
		m.Restart()
		c.AwaitVoting(m)
		if got := m.Entries(); !slices.Equal(got, want) {
			t.Errorf("it has %d entries", len(got))
		}
		if got := m.Inspect().Identity.Incarnation; got != before {
			t.Errorf("it became %s of %s though its disk lived", got, before)
		}
		c.Agree(c.Members...)
	})
}

// The peers' logs begin at a million: nobody walks there.
func TestACatchUpAfterATruncationJumps(t *testing.T) {
	for name, wiped := range map[string]bool{"wiped": true, "behind": false} {
		t.Run(name, func(t *testing.T) {
			seeds(t, 5, func(t *testing.T, seed uint64) {
				const begin = 1_000_000
				c := kit.Initialized(t, seed, 3)
				for _, m := range c.Members[:2] {
					m.Prepare(func(meta *storage.Metadata) { meta.Begin = begin },
						kit.Chosen(begin, by(1, 1), "a"), kit.Chosen(begin+1, by(1, 1), "b"))
				}
				m := c.Member(3)
				if wiped {
					m.Wipe()
				} else {
					m.Prepare(nil, kit.Chosen(1, by(1, 1), "long"), kit.Chosen(2, by(1, 1), "gone"))
				}
				n := 0
				fetches(c, m, &n)
				c.Start()
				c.AwaitVoting(c.Members...)
				m.Catchup()
				if got := m.Inspect(); got.Begin != begin || got.Learned != begin+1 {
					t.Errorf("begins at %d, learned up to %d", got.Begin, got.Learned)
				}
				if n > 5 {
					t.Errorf("%d fetches", n)
				}
				m.Elect()
				m.Append("after")
				if got := m.Entries(); !slices.Equal(got, []string{"a", "b", "after"}) {
					t.Errorf("the log is %q", got)
				}
				c.Agree(c.Members...)
			})
		})
	}
}

func TestALogThatIsTruncatedDuringACatchUpIsCaughtUpWith(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c, want := filled(t, seed, 3, 5000)
		m, writer := c.Member(3), c.Member(1)
		m.Wipe()
		n := 0
		fetches(c, m, &n)
		c.Start()
		c.AwaitVoting(writer, c.Member(2))
		writer.Elect()
		wait(t, c, "the catch-up is in the middle", func() bool { return n >= 2 })
		truncate(t, writer, 4500)
		c.AwaitVoting(m)
		m.Catchup()
		if got := m.Entries(); !slices.Equal(got, want[4499:]) {
			t.Errorf("it has %d entries", len(got))
		}
		c.Agree(c.Members...)
	})
}

func TestAVotingReplicaThatLagsCatchesUpByItself(t *testing.T) {
	for name, n := range map[string]int{"by one position": 1, "by many": 2500} {
		t.Run(name, func(t *testing.T) {
			seeds(t, 5, func(t *testing.T, seed uint64) {
				c := kit.Voting(t, seed, 3)
				writer, behind := c.Member(1), c.Member(3)
				e := writer.Elect()
				c.World.Net.Isolate(behind.Node.Address())
				var values []log.Value
				for i := range n {
					values = append(values, kit.Entry(fmt.Sprint(i)))
				}
				for batch := range slices.Chunk(values, log.MaxRun) {
					if _, ok := writer.Write(0, batch...).(coordinator.Appended); !ok {
						t.Fatal("not appended")
					}
				}
				c.World.Net.HealAll()
				wait(t, c, "it has caught up", func() bool {
					return behind.Store.Metadata().Status == status.Voting && learned(behind) == log.Position(n)
				})
				if got := writer.Inspect().Writer; got != e.By {
					t.Errorf("it cost the writer its election: %s, then %s", e.By, got)
				}
				c.Agree(c.Members...)
			})
		})
	}
}

// learned is up to where a member has learned everything, without asking it.
func learned(m *kit.Member) log.Position {
	summary, err := m.Store.Summary()
	if err != nil {
		return 0
	}
	run, _ := summary.Learned.Run(m.Store.Metadata().Begin)
	return run.Last
}

// It holds the log but for a gap, or but for one position in the middle.
func TestAVotingReplicaWithAGapCatchesUp(t *testing.T) {
	for name, gap := range map[string]log.Range{"a gap": span(20, 80), "one position": span(50, 50), "the last": span(100, 100)} {
		t.Run(name, func(t *testing.T) {
			seeds(t, 5, func(t *testing.T, seed uint64) {
				c, want := filled(t, seed, 3, 100)
				m := c.Member(2)
				m.Wipe()
				var held []log.Action
				for i, e := range want {
					if p := log.Position(i + 1); !gap.Contains(p) {
						held = append(held, kit.Chosen(p, by(1, 1), e))
					}
				}
				m.Prepare(func(meta *storage.Metadata) { meta.Status, meta.Promised = status.Voting, by(1, 1) }, held...)
				c.Start()
				c.AwaitVoting(c.Members...)
				if r := m.Catchup(); r.GetLearned() != 100 {
					t.Errorf("got %v", r)
				}
				if got := m.Entries(); !slices.Equal(got, want) {
					t.Errorf("it has %d entries", len(got))
				}
				c.Agree(c.Members...)
			})
		})
	}
}

func TestACatchUpTellsHowFarItIs(t *testing.T) {
	c, _ := filled(t, 1, 3, 3000)
	m := c.Member(3)
	m.Wipe()
	c.Start()
	c.AwaitVoting(c.Members...)
	var last catchup.Progress
	n := 0
	for _, e := range m.Events {
		if p, ok := e.(catchup.Progress); ok {
			if p.Total != 3000 || p.Done < last.Done || p.Bytes < last.Bytes || p.Elapsed < last.Elapsed {
				t.Errorf("%+v after %+v", p, last)
			}
			last = p
			n++
		}
	}
	if last.Done != 3000 || last.Bytes == 0 || last.Elapsed == 0 || n < 3 {
		t.Errorf("%d reports, the last %+v", n, last)
	}
	p := ask[*messages.StatusResponse](t, m, &messages.StatusRequest{}).GetCatchup()
	if p.GetTotal() != 3000 || p.GetDone() != 3000 || p.GetBytes() != last.Bytes {
		t.Errorf("the status says %v", p)
	}
}

// Somebody who is no member answers the question of a catch-up: what he says must not be stored as chosen.
func TestCopyOfAStrangerIsNotLearned(t *testing.T) {
	for name, spoil := range map[string]func(*identity.Identity){
		"another cluster":     func(i *identity.Identity) { i.Cluster = identity.ClusterID{9} },
		"another member list": func(i *identity.Identity) { i.Configuration++ },
		"no member":           func(i *identity.Identity) { i.Replica = 7 },
		"not who was asked":   func(i *identity.Identity) { i.Replica = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			c, want := filled(t, 1, 3, 5)
			c.Member(2).Wipe()
			c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
				if _, ok := e.Message.(*messages.FetchRequest); ok {
					return actortest.Hold
				}
				return actortest.Deliver
			})
			c.Start()
			c.World.Must(t, patience, "the wiped member asks for copies", func() bool { return len(c.World.Held()) > 0 })
			asked := c.World.Held()[0]
			request := asked.Message.(*messages.FetchRequest)
			who := identity.Identity{
				Cluster: identity.ClusterID{1}, Configuration: 1, Replica: 1, Boot: 1, Process: 1,
				Incarnation: identity.Incarnation{Generation: 1, Disk: 1 << 32},
			}
			if asked.To == c.Member(3).Node.Address() {
				who.Replica = 3
			}
			spoil(&who)
			forged := codec.Copied{Range: log.Range{First: 1, Last: 5}, Actions: []log.Action{kit.Chosen(1, by(1, 1), "forged")}}
			stranger := c.World.Node("stranger:7000").Probe("stranger")
			stranger.Request(actor.NewPID(asked.From, asked.Sender),
				codec.EncodeFetchResponse(codec.EncodeHeader(who, request.GetHeader().GetRequest(), nil), forged))
			c.World.Run(100 * time.Millisecond)
			c.World.Filter(nil)
			c.World.Release(nil)
			c.AwaitVoting(c.Members...)
			if got := c.Member(2).Entries(); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// The answer comes right behind the deadline of the only one who waited for it.
func TestACatchupThatNobodyWaitsForAnyMoreHarmsNobody(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Elect()
	m.Append("x")
	c.World.Run(time.Second)
	m.Isolate()
	c.World.Run(3 * time.Second)
	m.Probe.Request(m.PID(member.Gateway), &messages.CatchupRequest{Request: 1})
	c.World.Run(29900 * time.Millisecond)
	m.Node.Occupy(kit.Name+"/"+member.Gateway, 900*time.Millisecond)
	c.World.Run(110 * time.Millisecond)
	m.Rejoin()
	c.World.Run(5 * time.Second)
	if !m.Node.Up() || m.Failure() != nil {
		t.Errorf("seed %d: the member ended: %v", c.World.Seed(), m.Failure())
	}
}
