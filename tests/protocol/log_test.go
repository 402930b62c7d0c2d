package protocol

import (
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// read asks a member for positions, as a client does.
func read(t *testing.T, m *kit.Member, from, to uint64) *messages.ReadResponse {
	t.Helper()
	return ask[*messages.ReadResponse](t, m, &messages.ReadRequest{Request: 9, From: from, To: to})
}

func TestALogIsWrittenAndReadByClients(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		a := ask[*messages.AppendResponse](t, m, appends(0, "a", "b", "c"))
		if a.GetRequest() != 1 || a.GetRange().GetFirst() != 1 || a.GetRange().GetLast() != 3 {
			t.Errorf("append: %v", a)
		}
		c.Acknowledge(1, kit.Entry("a"), kit.Entry("b"), kit.Entry("c"))
		p := read(t, m, 0, 0)
		var got []string
		for i, r := range p.GetPage().GetActions() {
			if r.GetPosition() != uint64(i+1) || !r.GetLearned() || r.GetValue().GetKind() != messages.Kind_KIND_APPEND {
				t.Errorf("read %v", r)
			}
			got = append(got, string(r.GetValue().GetData()))
		}
		if !slices.Equal(got, []string{"a", "b", "c"}) || p.GetRequest() != 9 || p.GetPage().GetLearned() != 3 {
			t.Errorf("read %v", p)
		}
		c.Agree(c.Members...)
	})
}

func TestTheBoundsOfALogMoveAsEntriesAndTruncationsCome(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	m.Elect()
	for _, step := range []struct {
		what                string
		do                  func()
		begin, end, learned log.Position
	}{
		{"a new log", func() {}, 1, 0, 0},
		{"one entry", func() { m.Append("a") }, 1, 1, 1},
		{"a batch", func() { m.Write(0, kit.Entry("b"), kit.Entry("c")) }, 1, 3, 3},
		{"a truncation", func() { truncate(t, m, 3) }, 3, 4, 4},
		{"a truncation to nowhere new", func() { truncate(t, m, 3) }, 3, 5, 5},
		{"a truncation of everything", func() { truncate(t, m, 6) }, 6, 6, 6},
		{"an entry after it", func() { m.Append("d") }, 6, 7, 7},
		{"another election", func() { m.Elect() }, 6, 7, 7},
	} {
		step.do()
		if got := m.Inspect(); got.Begin != step.begin || got.End != step.end || got.Learned != step.learned || got.NotLearned != 0 {
			t.Errorf("%s: begin %d, end %d, learned %d, want %d, %d, %d", step.what, got.Begin, got.End, got.Learned, step.begin, step.end, step.learned)
		}
	}
	c.World.Run(5 * time.Second)
	for _, m := range c.Members {
		if s := ask[*messages.StatusResponse](t, m, &messages.StatusRequest{}); s.GetBegin() != 6 || s.GetEnd() != 7 || s.GetLearned() != 7 {
			t.Errorf("member %d: %v", m.ID, s)
		}
	}
	c.Agree(c.Members...)
}

func TestAStatusSaysHowAMemberIs(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	c.Member(1).Prepare(nil, kit.Chosen(1, by(1, 2), "a"), kit.Accepted(2, by(1, 2), "b"), kit.Chosen(5, by(1, 2), "c"))
	c.Member(1).Start()
	c.AwaitVoting(c.Member(1))
	s := ask[*messages.StatusResponse](t, c.Member(1), &messages.StatusRequest{Request: 77})
	switch {
	case s.GetRequest() != 77, s.GetReplica() != 1, s.GetStatus() != messages.Status_STATUS_VOTING, s.GetSinceUnixMicros() == 0:
		t.Errorf("who and what: %v", s)
	case s.GetBegin() != 1, s.GetEnd() != 5, s.GetLearned() != 1, s.GetHoles() != 3:
		t.Errorf("the log: %v", s)
	case s.GetWriter() != 0, s.GetIncarnation().GetGeneration() != 1, !slices.Equal(s.GetPresent(), []uint32{1}):
		t.Errorf("writer, incarnation, present members: %v", s)
	}
	c.Member(2).Start()
	c.Member(3).Start()
	c.AwaitVoting(c.Members...)
	e := c.Member(1).Elect()
	c.World.Run(time.Second)
	s = ask[*messages.StatusResponse](t, c.Member(1), &messages.StatusRequest{})
	if s.GetWriter() != uint64(e.By) || s.GetPromised() != uint64(e.By) || s.GetHoles() != 0 || !slices.Equal(s.GetPresent(), []uint32{1, 2, 3}) {
		t.Errorf("after the election: %v", s)
	}
}

func TestAStatusShowsARecoveryOnItsWay(t *testing.T) {
	c, _ := filled(t, 1, 3, 8000)
	m := c.Member(3)
	m.Wipe()
	c.Start()
	wait(t, c, "the catch-up is in the middle", func() bool { return copied(m) > 1000 })
	s := ask[*messages.StatusResponse](t, m, &messages.StatusRequest{})
	if s.GetStatus() != messages.Status_STATUS_RECOVERING || s.GetCatchup().GetTotal() != 8000 || s.GetCatchup().GetDone() >= 8000 {
		t.Errorf("in the middle: %v", s)
	}
	if p := s.GetCatchup(); p.GetRate() < p.GetBytes() || p.GetLeftMicros() == 0 {
		t.Errorf("in the middle: the rate and the time left: %v", p)
	}
	c.AwaitVoting(m)
	s = ask[*messages.StatusResponse](t, m, &messages.StatusRequest{})
	if s.GetStatus() != messages.Status_STATUS_VOTING || s.GetCatchup().GetDone() != 8000 || s.GetCatchup().GetLeftMicros() != 0 || s.GetAdvice() != "" {
		t.Errorf("at the end: %v", s)
	}
}

func TestOneMemberAloneIsALog(t *testing.T) {
	c := kit.Voting(t, 1, 1)
	m := c.Member(1)
	m.Elect()
	want := appendAll(m, "", 5)
	truncate(t, m, 3)
	again(c, m)
	m.Elect()
	if got := m.Entries(); !slices.Equal(got, want[2:]) {
		t.Errorf("the log is %q", got)
	}
	c.Agree(m)
}

func TestFiveMembersGoOnWithoutTwo(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 5)
		c.Member(1).Elect()
		want := appendAll(c.Member(1), "five", 3)
		c.Member(1).Crash()
		c.Member(2).Crash()
		c.Member(3).Elect()
		want = append(want, appendAll(c.Member(3), "three", 3)...)
		c.Member(1).Restart()
		c.Member(2).Restart()
		c.AwaitVoting(c.Members[:2]...)
		c.Member(3).Crash()
		c.Member(1).Elect()
		if got := c.Member(1).Entries(); !slices.Equal(got, want) {
			t.Errorf("the log is %q", got)
		}
		c.Check()
	})
}
