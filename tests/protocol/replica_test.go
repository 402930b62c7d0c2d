package protocol

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// alone starts member 1 of three, VOTING with these records, and a peer that plays member 2.
func alone(t *testing.T, seed uint64, records ...log.Action) (*kit.Cluster, *kit.Member, *kit.Peer) {
	t.Helper()
	c := kit.Initialized(t, seed, 3)
	c.Member(1).Prepare(nil, records...)
	c.Member(1).Start()
	c.AwaitVoting(c.Member(1))
	p := c.Peer(2)
	c.World.Run(time.Second) // nobody objects to the member's disk
	return c, c.Member(1), p
}

// again crashes a member and starts it on what was synced.
func again(c *kit.Cluster, m *kit.Member) {
	m.Crash()
	m.Restart()
	c.AwaitVoting(m)
}

func expectRejected(t *testing.T, answer paxos.Answer, by log.Proposal) {
	t.Helper()
	if r, ok := answer.(paxos.Rejected); !ok || r.By != by {
		t.Errorf("got %#v, want a rejection for %s", answer, by)
	}
}

func expectPromised(t *testing.T, answer paxos.Answer, end log.Position, actions ...log.Action) {
	t.Helper()
	p, ok := answer.(paxos.Promised)
	if !ok || p.End != end || len(p.Actions) != len(actions) {
		t.Errorf("got %#v, want a promise, end %d and %v", answer, end, actions)
		return
	}
	for i, a := range actions {
		got := p.Actions[i]
		if got.Position != a.Position || got.Performed != a.Performed || got.Learned != a.Learned || !got.Value.Equal(a.Value) {
			t.Errorf("promised with %v, want %v", got, a)
		}
	}
}

func expectAccepted(t *testing.T, answer paxos.Answer, r log.Range) {
	t.Helper()
	if a, ok := answer.(paxos.Accepted); !ok || a.Range != r {
		t.Errorf("got %#v, want %s accepted", answer, r)
	}
}

func TestAnImplicitPromiseIsKeptAgainstLowerProposalsAcrossACrash(t *testing.T) {
	c, m, p := alone(t, 1)
	expectPromised(t, p.Promise(m, by(5, 2), log.Range{}), 0)
	for range 2 {
		expectRejected(t, p.Promise(m, by(4, 2), log.Range{}), by(5, 2))
		expectRejected(t, p.Promise(m, by(5, 1), span(7, 7)), by(5, 2))
		expectRejected(t, p.Write(m, by(4, 2), 1, kit.Entry("late")), by(5, 2))
		expectPromised(t, p.Promise(m, by(5, 2), log.Range{}), 0) // granted again
		again(c, m)
	}
	expectPromised(t, p.Promise(m, by(5, 3), log.Range{}), 0)
}

func TestAnExplicitPromiseIsKeptForItsPositionsOnly(t *testing.T) {
	c, m, p := alone(t, 1)
	expectPromised(t, p.Promise(m, by(5, 2), span(3, 4)), 4)
	for range 2 {
		expectRejected(t, p.Promise(m, by(4, 2), span(4, 6)), by(5, 2))
		expectRejected(t, p.Write(m, by(4, 2), 3, kit.Entry("late")), by(5, 2))
		expectPromised(t, p.Promise(m, by(5, 2), span(3, 4)), 4) // granted again
		again(c, m)
	}
	expectPromised(t, p.Promise(m, by(4, 2), span(1, 2)), 4)
	expectPromised(t, p.Promise(m, by(3, 2), log.Range{}), 4)
}

func TestAPromiseForPositionsHeedsTheImplicitOneWhereARecordIsOlder(t *testing.T) {
	_, m, p := alone(t, 1, kit.Accepted(1, by(1, 3), "old"))
	expectPromised(t, p.Promise(m, by(9, 2), log.Range{}), 1)
	expectRejected(t, p.Promise(m, by(5, 2), span(1, 1)), by(9, 2))
	expectRejected(t, p.Write(m, by(5, 2), 1, kit.Entry("late")), by(9, 2))
	expectPromised(t, p.Promise(m, by(9, 2), span(1, 1)), 1, kit.Accepted(1, by(1, 3), "old"))
}

func TestAcceptingAWriteIsAPromise(t *testing.T) {
	c, m, p := alone(t, 1)
	expectAccepted(t, p.Write(m, by(6, 2), 1, kit.Entry("v")), span(1, 1))
	for range 2 {
		expectRejected(t, p.Promise(m, by(4, 3), span(1, 1)), by(6, 2))
		expectRejected(t, p.Write(m, by(4, 3), 1, kit.Entry("u")), by(6, 2))
		again(c, m)
	}
}

func TestAWriteIsAcceptedHeldAndLearnedAcrossACrash(t *testing.T) {
	seeds(t, 5, func(t *testing.T, seed uint64) {
		c, m, p := alone(t, seed)
		p.Promise(m, by(5, 2), log.Range{})
		expectAccepted(t, p.Write(m, by(5, 2), 1, kit.Entry("a"), kit.Entry("b")), span(1, 2))
		if got := m.Inspect(); got.End != 2 || got.Learned != 0 || got.NotLearned != 2 {
			t.Errorf("ends at %d, learned up to %d, %d not learned", got.End, got.Learned, got.NotLearned)
		}
		again(c, m)
		expectPromised(t, p.Promise(m, by(7, 2), span(1, 2)), 2, kit.Accepted(1, by(5, 2), "a"), kit.Accepted(2, by(5, 2), "b"))
		p.Notice(m, by(5, 2), span(1, 2))
		if got := m.Entries(); len(got) != 2 || got[0] != "a" || got[1] != "b" {
			t.Errorf("learned %q", got)
		}
		expectPromised(t, p.Promise(m, by(9, 2), span(1, 2)), 2, kit.Chosen(1, by(5, 2), "a"), kit.Chosen(2, by(5, 2), "b"))
	})
}

func TestTheSameWriteIsAcknowledgedAgain(t *testing.T) {
	c, m, p := alone(t, 1)
	expectAccepted(t, p.Write(m, by(5, 2), 1, kit.Entry("a")), span(1, 1))
	expectAccepted(t, p.Write(m, by(5, 2), 1, kit.Entry("a")), span(1, 1))
	p.Promise(m, by(8, 3), log.Range{})
	expectAccepted(t, p.Write(m, by(5, 2), 1, kit.Entry("a")), span(1, 1)) // it stays true
	again(c, m)
	expectAccepted(t, p.Write(m, by(5, 2), 1, kit.Entry("a")), span(1, 1))
	if refused, ok := p.Write(m, by(5, 2), 1, kit.Entry("b")).(paxos.Refused); !ok {
		t.Errorf("another value under the same proposal: %#v", refused)
	}
}

func TestALearnedPositionIsFinal(t *testing.T) {
	c, m, p := alone(t, 1, kit.Chosen(1, by(2, 3), "v"))
	for range 2 {
		expectAccepted(t, p.Write(m, by(5, 2), 1, kit.Entry("v")), span(1, 1))
		if l, ok := p.Write(m, by(6, 2), 1, kit.Entry("u")).(paxos.Learned); !ok || len(l.Actions) != 1 || string(l.Actions[0].Value.Data) != "v" {
			t.Errorf("another value: %#v", l)
		}
		p.Notice(m, by(6, 2), span(1, 1))
		if got := m.Entries(); len(got) != 1 || got[0] != "v" {
			t.Errorf("learned %q", got)
		}
		again(c, m)
	}
}

func TestANoticeTeachesOnlyWhatItsProposalWroteHere(t *testing.T) {
	_, m, p := alone(t, 1, kit.Accepted(1, by(2, 3), "old"), kit.Accepted(2, by(3, 3), "new"))
	p.Notice(m, by(3, 3), span(1, 4))
	if got := m.Inspect(); got.Learned != 0 || got.NotLearned != 1 || got.End != 2 {
		t.Errorf("learned up to %d, %d not learned, ends at %d", got.Learned, got.NotLearned, got.End)
	}
	p.Notice(m, by(2, 3), span(1, 1))
	if got := m.Entries(); len(got) != 2 {
		t.Errorf("learned %q", got)
	}
}

func TestWhatIsBelowTheLogIsAnsweredWithItsBegin(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	m := c.Member(1)
	m.Prepare(func(meta *storage.Metadata) { meta.Begin = 10 })
	m.Start()
	c.AwaitVoting(m)
	p := c.Peer(2)
	want := paxos.Truncated{Begin: 10}
	if got := p.Promise(m, by(1, 2), span(9, 11)); got != want {
		t.Errorf("promise: %#v", got)
	}
	if got := p.Write(m, by(1, 2), 9, kit.Entry("late")); got != want {
		t.Errorf("write: %#v", got)
	}
	if got := p.Fetch(m, span(1, 20)); got != (codec.Gone{Begin: 10}) {
		t.Errorf("fetch: %#v", got)
	}
}

func TestAReplicaThatDoesNotVoteSaysWhatItIsInstead(t *testing.T) {
	for _, s := range []status.Status{status.Empty, status.Starting, status.Recovering} {
		t.Run(s.String(), func(t *testing.T) {
			c := kit.New(t, 1, 3, false)
			m := c.Member(1)
			m.Prepare(func(meta *storage.Metadata) { meta.Status = s })
			m.Start()
			awaitReady(t, c, m)
			p := c.Peer(2)
			for name, answer := range map[string]paxos.Answer{
				"implicit promise": p.Promise(m, by(1, 2), log.Range{}),
				"explicit promise": p.Promise(m, by(1, 2), span(1, 1)),
				"write":            p.Write(m, by(1, 2), 1, kit.Entry("v")),
			} {
				if n, ok := answer.(paxos.NotVoting); !ok || n.Status != s {
					t.Errorf("%s: %#v", name, answer)
				}
			}
			if standing, err := p.Recover(m); err != nil || !reflect.DeepEqual(standing, codec.Standing{Status: s}) {
				t.Errorf("recover: %+v, %v", standing, err)
			}
			if got := m.Inspect(); got.Promised != 0 || got.End != 0 || got.Status != s {
				t.Errorf("it took part all the same: %+v", got)
			}
		})
	}
}

// vote is what a replica answered, and must stand by for ever.
type vote struct {
	by       log.Proposal
	at       log.Position // 0 for an implicit promise
	accepted bool
}

// voteAtRandom asks for promises and writes, and crashes the replica in the middle of them; it returns what was answered.
func voteAtRandom(c *kit.Cluster, m *kit.Member, p *kit.Peer, chance *rand.Rand) []vote {
	asked := map[uint64]vote{}
	for i := range uint64(20) {
		v := vote{by: by(1+chance.Uint64N(30), 2), at: log.Position(chance.IntN(4))}
		switch {
		case v.at > 0 && chance.IntN(2) == 0:
			v.accepted = true
			p.AskWrite(m, v.by, v.at, kit.Entry(v.by.String()))
		case v.at > 0:
			p.AskPromise(m, v.by, span(v.at, v.at))
		default:
			p.AskPromise(m, v.by, log.Range{})
		}
		asked[p.Asked()] = v
		for range chance.IntN(8) {
			c.World.Step()
		}
		if i == 12 {
			m.CrashKeeping(chance)
			m.Restart()
			c.AwaitVoting(m)
			c.World.Run(time.Second) // its disk is trusted again
		}
	}
	m.CrashKeeping(chance)
	var granted []vote
	for _, request := range p.Granted() {
		granted = append(granted, asked[request])
	}
	return granted
}

func TestEveryVoteThatWasAnsweredSurvivesACrash(t *testing.T) {
	votes := 0
	seeds(t, 40, func(t *testing.T, seed uint64) {
		c, m, p := alone(t, seed)
		c.World.Net.Delay(0, 0)
		granted := voteAtRandom(c, m, p, rand.New(rand.NewPCG(seed, 99)))
		votes += len(granted)
		m.Restart()
		c.AwaitVoting(m)
		implicit := m.Inspect().Promised
		final, ok := p.Promise(m, by(1000, 2), span(1, 3)).(paxos.Promised)
		if !ok {
			t.Fatalf("no promise: %#v", final)
		}
		for _, v := range granted {
			switch {
			case v.at == 0 && v.by > implicit:
				t.Errorf("promised %s, and after the crash %s", v.by, implicit)
			case v.accepted && !holds(final.Actions, v):
				t.Errorf("accepted %s at %d, and after the crash it holds %v", v.by, v.at, final.Actions)
			}
		}
	})
	if votes < 100 {
		t.Errorf("only %d votes", votes)
	}
}

// holds says whether the accepted value, or that of a later proposal, is there.
func holds(actions []log.Action, v vote) bool {
	for _, a := range actions {
		if a.Position == v.at {
			return a.Performed >= v.by
		}
	}
	return false
}
