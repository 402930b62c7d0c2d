package protocol

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// traffic is what a member's catch-ups ask for, and get.
type traffic struct {
	asked map[string]interval.Set // positions, by the peer's address
	twice uint64                  // positions that an answer held and one before had held, too
	bytes uint64                  // of entries
	got   interval.Set
}

// watchCopies follows the copies of one member from now on. A filter that says Hold or Drop comes first; nil for none.
func watchCopies(c *kit.Cluster, m *kit.Member, filter func(actortest.Envelope) actortest.Verdict) *traffic {
	w := &traffic{asked: map[string]interval.Set{}}
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if filter != nil {
			if v := filter(e); v != actortest.Deliver {
				return v
			}
		}
		switch q := e.Message.(type) {
		case *messages.FetchRequest:
			if f, err := codec.DecodeFetchRequest(q); err == nil && e.From == m.Node.Address() {
				set := w.asked[e.To]
				set.Add(f.Range)
				w.asked[e.To] = set
			}
		case *messages.FetchResponse:
			if _, answer, err := codec.DecodeFetchResponse(q); err == nil && e.To == m.Node.Address() {
				if f, ok := answer.(codec.Copied); ok {
					w.take(f)
				}
			}
		}
		return actortest.Deliver
	})
	return w
}

func (w *traffic) take(f codec.Copied) {
	for _, a := range f.Actions {
		if w.got.Contains(a.Position) {
			w.twice++
		}
		w.got.Add(log.Range{First: a.Position, Last: a.Position})
		w.bytes += uint64(len(a.Value.Data))
	}
}

func TestARecoveryCopiesFromAllVotingPeersAtOnceAndNothingTwice(t *testing.T) {
	both := 0
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c, want := filled(t, seed, 3, 9000)
		m := c.Member(3)
		m.Wipe()
		w := watchCopies(c, m, nil)
		c.Start()
		c.AwaitVoting(m)
		if got := m.Entries(); !slices.Equal(got, want) {
			t.Errorf("it has %d entries", len(got))
		}
		if w.twice > 0 {
			t.Errorf("%d positions came twice", w.twice)
		}
		if len(w.asked) == 2 {
			both++
		}
		c.Check()
	})
	if both < 8 { // the second peer may be heard of only when all is over
		t.Errorf("both peers were asked in %d runs of 10", both)
	}
}

func TestWhatWasCopiedBeforeAPeerDiesIsNotCopiedAgain(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c, want := filled(t, seed, 3, 9000)
		m := c.Member(3)
		m.Wipe()
		w := watchCopies(c, m, nil)
		c.Start()
		wait(t, c, "the catch-up is in the middle", func() bool { return copied(m) > 1000 })
		c.Member(1 + log.ReplicaID(seed%2)).Crash()
		c.AwaitVoting(m)
		if got := m.Entries(); !slices.Equal(got, want) {
			t.Errorf("it has %d entries", len(got))
		}
		if w.twice > 0 {
			t.Errorf("%d positions came twice", w.twice)
		}
	})
}

// A peer that is there and says nothing holds back two chunks, for as long as it takes to notice; the other one gives all.
func TestASilentPeerDoesNotStopTheOther(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c, want := filled(t, seed, 3, 9000)
		m, silent := c.Member(3), c.Member(1+log.ReplicaID(seed%2))
		m.Wipe()
		watchCopies(c, m, func(e actortest.Envelope) actortest.Verdict {
			if _, ok := e.Message.(*messages.FetchResponse); ok && e.From == silent.Node.Address() {
				return actortest.Drop
			}
			return actortest.Deliver
		})
		c.Start()
		wait(t, c, "all but two chunks are copied", func() bool { return copied(m) >= 9000-2*1024 })
		if since := c.World.Elapsed(); since > 900*time.Millisecond {
			t.Errorf("the other peer's part took %v", since)
		}
		c.AwaitVoting(m)
		if got := m.Entries(); !slices.Equal(got, want) {
			t.Errorf("it has %d entries", len(got))
		}
	})
}

// What comes after its peer was given up is taken all the same.
func TestALateAnswerIsOfUse(t *testing.T) {
	c, want := filled(t, 1, 2, 3000)
	behind := c.Member(2)
	behind.Wipe()
	behind.Prepare(func(meta *storage.Metadata) { meta.Status, meta.Promised = status.Voting, by(1, 1) })
	asked := 0
	watchCopies(c, behind, func(e actortest.Envelope) actortest.Verdict {
		switch e.Message.(type) {
		case *messages.FetchRequest:
			asked++
		case *messages.FetchResponse:
			if asked <= 2 {
				return actortest.Hold
			}
			return actortest.Drop
		}
		return actortest.Deliver
	})
	c.Start()
	c.AwaitVoting(c.Members...)
	behind.Probe.Request(behind.PID("gateway"), &messages.CatchupRequest{Request: 1})
	wait(t, c, "it asks the peer again that it gave up", func() bool { return asked > 2 })
	c.World.Release(nil)
	wait(t, c, "it has what was late", func() bool { return learned(behind) >= 2*1024 })
	c.World.Filter(nil)
	wait(t, c, "it has the rest", func() bool { return learned(behind) == 3000 })
	if got := behind.Entries(); !slices.Equal(got, want) {
		t.Errorf("it has %d entries", len(got))
	}
}

func TestPeersThatKnowDifferentPartsGiveTheirs(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		for i, m := range c.Members[:2] { // each has accepted all, and has learned every other part
			var records []log.Action
			for at := range log.Position(4000) {
				a := kit.Accepted(at+1, by(1, 1), "entry")
				a.Learned = int(at/500%2) == i
				records = append(records, a)
			}
			m.Prepare(nil, records...)
		}
		want := slices.Repeat([]string{"entry"}, 4000)
		m := c.Member(3)
		m.Wipe()
		filling := 0
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if _, ok := e.Message.(*messages.PromiseRequest); ok {
				filling++
			}
			return actortest.Deliver
		})
		c.Start()
		c.AwaitVoting(m)
		if got := m.Entries(); !slices.Equal(got, want) {
			t.Errorf("it has %d entries", len(got))
		}
		if filling > 0 {
			t.Errorf("%d promises were asked for", filling)
		}
	})
}

// changes is a disk that counts what changes it.
type changes struct {
	storage.Store
	puts, learns, syncs, metadata int
}

func (s *changes) Put(a ...log.Action) error {
	s.puts++
	return s.Store.Put(a...)
}

func (s *changes) Learn(r log.Range) error {
	s.learns++
	return s.Store.Learn(r)
}

func (s *changes) SetMetadata(m storage.Metadata) error {
	s.metadata++
	return s.Store.SetMetadata(m)
}

func (s *changes) StartSync() (wait func() error) {
	s.syncs++
	return s.Store.StartSync()
}

func TestARecoveryCostsTheHealthyMembersNoWriteButARegistration(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c, _ := filled(t, seed, 3, 9000)
		m := c.Member(3)
		m.Wipe()
		disks := map[*kit.Member]*changes{}
		for _, peer := range c.Members[:2] {
			d := &changes{}
			disks[peer] = d
			peer.Wrap = func(s storage.Store) storage.Store { d.Store = s; return d }
			peer.Start()
		}
		c.AwaitVoting(c.Members[:2]...)
		c.World.Run(3 * time.Second)
		for _, d := range disks {
			*d = changes{Store: d.Store}
		}
		m.Start()
		c.AwaitVoting(m)
		for peer, d := range disks { // the metadata: the incarnation, and once which processes were heard
			if d.puts > 0 || d.learns > 0 || d.syncs > 2 || d.metadata > 4 {
				t.Errorf("member %d: %d puts, %d learned marks, %d syncs, %d times metadata", peer.ID, d.puts, d.learns, d.syncs, d.metadata)
			}
		}
	})
}

// The joiner itself syncs with its statuses only.
func TestARecoverySyncsWithItsStatusesOnly(t *testing.T) {
	c, _ := filled(t, 1, 3, 9000)
	m := c.Member(3)
	m.Wipe()
	d := &changes{}
	m.Wrap = func(s storage.Store) storage.Store { d.Store = s; return d }
	c.Start()
	c.AwaitVoting(m)
	if d.syncs > 6 || d.puts > 20 {
		t.Errorf("%d syncs, %d puts", d.syncs, d.puts)
	}
}

// The request and the truncation come right after each other, and the server reads before the truncation or after it.
func TestALogThatIsTruncatedWhileItIsReadIsAnsweredWholeOrGone(t *testing.T) {
	outcomes := map[string]int{}
	seeds(t, 40, func(t *testing.T, seed uint64) {
		c, m, p := alone(t, seed)
		p.Promise(m, by(1, 2), log.Range{})
		p.Write(m, by(1, 2), 1, kit.Entry("a"), kit.Entry("b"), log.Value{Kind: log.Truncate, To: 2})
		p.Notice(m, by(1, 2), span(1, 2))
		wait(t, c, "both are learned", func() bool { return learned(m) == 2 })
		at := m.PID("replica")
		m.Probe.Request(at, codec.EncodeFetchRequest(p.Header(), span(1, 2)))
		m.Probe.Request(at, codec.EncodeLearnedMessage(p.Header(), by(1, 2), span(3, 3)))
		_, answer, err := codec.DecodeFetchResponse(actortest.Await[*messages.FetchResponse](t, m.Probe, patience))
		switch f := answer.(type) {
		case codec.Gone:
			outcomes["gone"]++
			if f.Begin != 2 {
				t.Errorf("it begins at %d", f.Begin)
			}
		case codec.Copied:
			outcomes["copied"]++
			if len(f.Actions) != 2 || f.Range != span(1, 2) {
				t.Errorf("a gap: %+v", f)
			}
		case codec.Unable, codec.Denied, nil:
			t.Errorf("got %#v, %v", answer, err)
		}
		if m.Failure() != nil {
			t.Errorf("the member took it for damage: %v", m.Failure())
		}
	})
	if outcomes["gone"] == 0 || outcomes["copied"] == 0 {
		t.Errorf("got %v", outcomes)
	}
}

func TestARecordThatAPeerHasLearnedAndLostEndsThePeer(t *testing.T) {
	c, m, p := alone(t, 1)
	p.Promise(m, by(1, 2), log.Range{})
	p.Write(m, by(1, 2), 1, kit.Entry("a"), kit.Entry("b"))
	p.Notice(m, by(1, 2), span(1, 2))
	wait(t, c, "both are learned", func() bool { return learned(m) == 2 })
	m.Store.FailNext(memory.Read, errors.New("bad checksum"))
	if refused, ok := p.Fetch(m, span(1, 2)).(codec.Denied); !ok {
		t.Errorf("it answers %#v", refused)
	}
	wait(t, c, "the member reports it", func() bool { return errors.Is(m.Failure(), storage.ErrCorrupt) })
}

// large is a cluster whose third member is empty, and the others have learned entries of 100 KiB.
func large(t *testing.T, seed uint64, entries int) *kit.Cluster {
	t.Helper()
	c := kit.Initialized(t, seed, 3)
	var records []log.Action
	for at := range log.Position(entries) {
		records = append(records, kit.Chosen(at+1, by(1, 1), strings.Repeat("x", 100<<10)))
	}
	for _, m := range c.Members[:2] {
		m.Prepare(nil, records...)
	}
	c.Member(3).Wipe()
	return c
}

func TestALimitHoldsAndChangesWhileACatchUpRuns(t *testing.T) {
	seeds(t, 3, func(t *testing.T, seed uint64) {
		const rate = 1 << 20
		c := large(t, seed, 200)
		m := c.Member(3)
		limit := catchup.NewLimit(rate)
		m.CopyLimit = limit
		w := watchCopies(c, m, nil)
		c.Start()
		began := c.World.Elapsed()
		for range 8 {
			c.World.Run(time.Second)
			spent := (c.World.Elapsed() - began).Seconds()
			if most := 3<<20 + spent*rate; float64(w.bytes) > most || float64(w.bytes) < (spent-1)*rate*0.8 {
				t.Fatalf("%d bytes in %.1f s", w.bytes, spent)
			}
		}
		catchup.SetLimit(limit, m.Node.Clock().Now(), 0)
		c.World.Run(2 * time.Second)
		if got := copied(m); got != 200 {
			t.Errorf("without a limit it has only %d entries", got)
		}
		c.AwaitVoting(m)
	})
}
