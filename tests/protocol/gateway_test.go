package protocol

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/gateway"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// elect has a member elected as a client does, which must succeed.
func elect(t *testing.T, m *kit.Member) *messages.Elected {
	t.Helper()
	e := ask[*messages.ElectResponse](t, m, &messages.ElectRequest{Request: 3})
	if e.GetElected() == nil {
		t.Fatalf("member %d: %v", m.ID, e)
	}
	return e.GetElected()
}

// appended has a member append entries as a client does, which must succeed.
func appended(t *testing.T, c *kit.Cluster, m *kit.Member, writer uint64, entries ...string) {
	t.Helper()
	a := ask[*messages.AppendResponse](t, m, appends(writer, entries...))
	if a.GetRange() == nil {
		t.Fatalf("member %d: %v", m.ID, a)
	}
	for i, e := range entries {
		c.Acknowledge(log.Position(a.GetRange().GetFirst())+log.Position(i), kit.Entry(e))
	}
}

func expectCode(t *testing.T, what string, f *messages.Failure, code messages.Code) {
	t.Helper()
	if f.GetCode() != code || f.GetDetail() == "" {
		t.Errorf("%s: %v, want %s and what to do", what, f, code)
	}
}

func TestAnyMemberAppendsWhileNobodyWrites(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1 + log.ReplicaID(seed%3))
		appended(t, c, m, 0, "a")
		appended(t, c, m, 0, "b")
		if got := writers(c); !slices.Equal(got, []log.ReplicaID{m.ID}) {
			t.Errorf("%v write", got)
		}
		c.Agree(c.Members...)
	})
}

// The replica loses its vote while the gateway asks who writes.
func TestAnAppendIsAnsweredWhereTheVoteIsLostMeanwhile(t *testing.T) {
	turned := 0
	seeds(t, 60, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		m.Probe.Request(m.PID(member.Gateway), appends(0, "a"))
		for range seed % 20 {
			c.World.Step()
		}
		m.Probe.Send(m.PID(member.Gateway), gateway.Serve{})
		if f := actortest.Await[*messages.AppendResponse](t, m.Probe, time.Minute).GetFailure(); f != nil {
			expectCode(t, "an append to a member that lost its vote", f, messages.Code_CODE_NOT_VOTING)
			turned++
		}
	})
	if turned == 0 {
		t.Error("the vote was never lost in time")
	}
}

func TestAMemberThatDoesNotWriteNamesTheOneThatDoes(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		elect(t, c.Member(2))
		c.World.Run(time.Second) // until the others have heard of it
		for _, id := range []log.ReplicaID{1, 3} {
			f := ask[*messages.AppendResponse](t, c.Member(id), appends(0, "a")).GetFailure()
			expectCode(t, "append", f, messages.Code_CODE_NOT_ELECTED)
			if f.GetWriter() != 2 {
				t.Errorf("member %d names %d", id, f.GetWriter())
			}
		}
		appended(t, c, c.Member(2), 0, "b")
		if got := c.Member(2).Entries(); !slices.Equal(got, []string{"b"}) {
			t.Errorf("the log is %q", got)
		}
		c.Agree(c.Members...)
	})
}

func TestAnotherMemberTakesOverOnceTheWriterIsGone(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		elect(t, c.Member(2))
		appended(t, c, c.Member(2), 0, "a")
		c.Member(2).Crash()
		c.World.Run(3 * time.Second) // until it counts as absent
		appended(t, c, c.Member(3), 0, "b")
		if got := c.Member(3).Entries(); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("the log is %q", got)
		}
		c.Check()
	})
}

func TestManyAppendsThatFindNoWriterElectOnce(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		entries := []string{"a", "b", "c", "d", "e"}
		for _, e := range entries {
			m.Probe.Request(m.PID(member.Gateway), appends(0, e))
		}
		for i := range entries {
			a := actortest.Await[*messages.AppendResponse](t, m.Probe, patience)
			if a.GetRange().GetFirst() != uint64(i+1) {
				t.Errorf("answer %d: %v", i, a)
			}
		}
		if got := m.Entries(); !slices.Equal(got, entries) {
			t.Errorf("the log is %q", got)
		}
		if got := m.Inspect().Promised.Round(); got != 1 {
			t.Errorf("it took %d rounds", got)
		}
	})
}

func TestTheFenceOfAnOlderWriterIsFenced(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		older := elect(t, m).GetWriter()
		appended(t, c, m, older, "a")
		newer := elect(t, m).GetWriter() // another client of the same member
		if newer <= older {
			t.Errorf("fence %d, then %d", older, newer)
		}
		expectCode(t, "append", ask[*messages.AppendResponse](t, m, appends(older, "late")).GetFailure(), messages.Code_CODE_FENCED)
		cut := &messages.TruncateRequest{To: 1, Writer: older}
		expectCode(t, "truncate", ask[*messages.TruncateResponse](t, m, cut).GetFailure(), messages.Code_CODE_FENCED)
		appended(t, c, m, newer, "b")
		elect(t, c.Member(2)) // another member
		c.World.Run(time.Second)
		expectCode(t, "append", ask[*messages.AppendResponse](t, m, appends(newer, "late too")).GetFailure(), messages.Code_CODE_FENCED)
		appended(t, c, c.Member(2), 0, "c")
		if got := c.Member(2).Entries(); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("the log is %q", got)
		}
		c.Agree(c.Members...)
	})
}

func TestAMemberThatDoesNotVoteServesNoClient(t *testing.T) {
	c := kit.New(t, 1, 3, false)
	c.Start()
	c.World.Run(time.Second)
	m := c.Member(1)
	const code = messages.Code_CODE_NOT_VOTING
	expectCode(t, "append", ask[*messages.AppendResponse](t, m, appends(0, "a")).GetFailure(), code)
	expectCode(t, "fenced append", ask[*messages.AppendResponse](t, m, appends(65537, "a")).GetFailure(), code)
	expectCode(t, "truncate", ask[*messages.TruncateResponse](t, m, &messages.TruncateRequest{To: 1}).GetFailure(), code)
	expectCode(t, "elect", ask[*messages.ElectResponse](t, m, &messages.ElectRequest{}).GetFailure(), code)
	expectCode(t, "read", read(t, m, 0, 0).GetFailure(), code)
	expectCode(t, "catch-up", ask[*messages.CatchupResponse](t, m, &messages.CatchupRequest{}).GetFailure(), code)
	digest := &messages.DigestRequest{Range: &messages.Range{First: 1, Last: 1}}
	expectCode(t, "digest", ask[*messages.DigestResponse](t, m, digest).GetFailure(), code)
	if s := ask[*messages.StatusResponse](t, m, &messages.StatusRequest{}); s.GetStatus() != messages.Status_STATUS_EMPTY {
		t.Errorf("status: %v", s)
	}
}

func TestAppendsThatBreakALimitAreRefusedAndChangeNothing(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	elect(t, m)
	large := bytes.Repeat([]byte("x"), log.MaxEntry)
	for what, row := range map[string]struct {
		entries [][]byte
		want    messages.Code
	}{
		"no entry":           {nil, messages.Code_CODE_MALFORMED},
		"too many entries":   {make([][]byte, log.MaxRun+1), messages.Code_CODE_MALFORMED},
		"too large an entry": {[][]byte{append(large, 'x')}, messages.Code_CODE_TOO_LARGE},
		"too large a batch":  {[][]byte{large, []byte("x")}, messages.Code_CODE_TOO_LARGE},
	} {
		f := ask[*messages.AppendResponse](t, m, &messages.AppendRequest{Entries: row.entries}).GetFailure()
		expectCode(t, what, f, row.want)
	}
	if got := m.Inspect().End; got != 0 {
		t.Errorf("the log ends at %d", got)
	}
	appended(t, c, m, 0, string(large))
	many := slices.Repeat([][]byte{nil}, log.MaxRun)
	if a := ask[*messages.AppendResponse](t, m, &messages.AppendRequest{Entries: many}); a.GetRange().GetLast() != log.MaxRun+1 {
		t.Errorf("as many as may be: %v", a)
	}
	restart(c)
	c.Member(2).Elect()
	if got := c.Member(2).Entries(); len(got) != log.MaxRun+1 || got[0] != string(large) {
		t.Errorf("%d entries", len(got))
	}
}

func TestReadsOfAClientSayWhyTheyFail(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	elect(t, m)
	appended(t, c, m, 0, "a", "b", "c", "d")
	if p := ask[*messages.TruncateResponse](t, m, &messages.TruncateRequest{To: 3}); p.GetPosition() != 5 {
		t.Errorf("truncate: %v", p)
	}
	below := read(t, m, 2, 4).GetFailure()
	expectCode(t, "below", below, messages.Code_CODE_TRUNCATED)
	above := read(t, m, 3, 6).GetFailure()
	expectCode(t, "above", above, messages.Code_CODE_NOT_LEARNED)
	if below.GetBegin() != 3 || above.GetLearned() != 5 {
		t.Errorf("begin %d, learned %d", below.GetBegin(), above.GetLearned())
	}
	expectCode(t, "backwards", read(t, m, 4, 3).GetFailure(), messages.Code_CODE_MALFORMED)
	expectCode(t, "truncate below", ask[*messages.TruncateResponse](t, m, &messages.TruncateRequest{To: 2}).GetFailure(), messages.Code_CODE_BAD_RANGE)
	expectCode(t, "truncate above", ask[*messages.TruncateResponse](t, m, &messages.TruncateRequest{To: 7}).GetFailure(), messages.Code_CODE_BAD_RANGE)
	if p := read(t, m, 3, 3).GetPage(); len(p.GetActions()) != 1 || string(p.GetActions()[0].GetValue().GetData()) != "c" {
		t.Errorf("read %v", p)
	}
	if p := read(t, m, 6, 0); p.GetPage() == nil || p.GetPage().GetRange() != nil || p.GetPage().GetBegin() != 3 {
		t.Errorf("from the next position on: %v", p)
	}
}

func TestABadRangeTellsTheBoundsOfTheLog(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	elect(t, m)
	appended(t, c, m, 0, "a", "b", "c")
	f := ask[*messages.TruncateResponse](t, m, &messages.TruncateRequest{To: 9}).GetFailure()
	if f.GetBegin() != 1 || f.GetLearned() != 3 {
		t.Errorf("got %v", f)
	}
}

func TestWithoutQuorumAClientIsToldInTimeWhoIsMissing(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	fence := elect(t, m).GetWriter()
	c.World.Net.Isolate(m.Node.Address())
	for what, request := range map[string]*messages.AppendRequest{"fenced": appends(fence, "a"), "for any": appends(0, "b")} {
		before := c.World.Elapsed()
		f := ask[*messages.AppendResponse](t, m, request).GetFailure()
		if passed := c.World.Elapsed() - before; passed > 16*time.Second {
			t.Errorf("%s: it took %v", what, passed)
		}
		switch f.GetCode() {
		case messages.Code_CODE_INDETERMINATE, messages.Code_CODE_NO_QUORUM, messages.Code_CODE_FENCED, messages.Code_CODE_NOT_ELECTED:
		default:
			t.Errorf("%s: %v", what, f)
		}
	}
	c.World.Run(3 * time.Second)
	f := ask[*messages.ElectResponse](t, m, &messages.ElectRequest{}).GetFailure()
	expectCode(t, "elect", f, messages.Code_CODE_NO_QUORUM)
	c.World.Net.HealAll()
	appended(t, c, m, 0, "c")
	c.Agree(c.Members...)
}
