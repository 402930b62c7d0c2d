package protocol

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// numbered is an AppendRequest of a session.
func numbered(session byte, first uint64, entries ...string) *messages.AppendRequest {
	r := appends(0, entries...)
	r.Session, r.Sequence = make([]byte, 16), first
	r.Session[3] = session
	return r
}

// placed sends an append of a session, which must succeed, and returns where its entries are.
func placed(t *testing.T, m *kit.Member, r *messages.AppendRequest) string {
	t.Helper()
	a := ask[*messages.AppendResponse](t, m, r)
	if a.GetFailure() != nil {
		t.Fatalf("member %d: %v", m.ID, a.GetFailure())
	}
	var places []string
	for _, p := range append([]*messages.Range{a.GetRange()}, a.GetMore()...) {
		places = append(places, fmt.Sprintf("%d-%d", p.GetFirst(), p.GetLast()))
	}
	return fmt.Sprint(places)
}

// takeOver crashes the member that writes, and has another one elected.
func takeOver(t *testing.T, from, to *kit.Member) {
	t.Helper()
	from.Crash()
	for {
		to.Probe.Request(to.PID(member.Gateway), &messages.ElectRequest{Request: 3})
		if actortest.Await[*messages.ElectResponse](t, to.Probe, patience).GetElected() != nil {
			return
		}
	}
}

func TestAnAppendThatIsSentAgainHasThePositionThatItHas(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer, next := c.Member(1), c.Member(2)
		elect(t, writer)
		placed(t, writer, numbered(1, 1, "a", "b"))
		placed(t, writer, numbered(2, 1, "x"))
		if got := placed(t, writer, numbered(1, 1, "a", "b")); got != "[1-2]" {
			t.Errorf("by the same writer: it is at %s", got)
		}
		takeOver(t, writer, next)
		if got := placed(t, next, numbered(1, 1, "a", "b")); got != "[1-2]" {
			t.Errorf("by the next writer: it is at %s", got)
		}
		if got := placed(t, next, numbered(1, 2, "b", "c")); got != "[2-2 4-4]" {
			t.Errorf("the first entry of an append is there, and it is at %s", got)
		}
		if got := next.Entries(); !slices.Equal(got, []string{"a", "b", "x", "c"}) {
			t.Errorf("the log is %q", got)
		}
	})
}

// Two clients of one session, or one that is impatient, send an append again while it is on its way.
func TestAnAppendThatIsSentAgainWhileItIsOnItsWayIsAcknowledgedWithIt(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(1)
		elect(t, m)
		for request := range uint64(4) {
			r := numbered(1, 1, "a", "b")
			r.Request = 10 + request
			m.Probe.Request(m.PID(member.Gateway), r)
		}
		for range 4 {
			a := actortest.Await[*messages.AppendResponse](t, m.Probe, patience)
			if a.GetRange().GetFirst() != 1 || a.GetRange().GetLast() != 2 {
				t.Errorf("answer %v", a)
			}
		}
		if got := m.Entries(); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("the log is %q", got)
		}
	})
}

func TestNumbersThatAreMissingAreNotSkipped(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	placed(t, m, numbered(1, 1, "a"))
	f := ask[*messages.AppendResponse](t, m, numbered(1, 3, "c")).GetFailure()
	expectCode(t, "an append behind a gap", f, messages.Code_CODE_SEQUENCE_GAP)
	if f.GetNext() != 2 {
		t.Errorf("number %d comes next", f.GetNext())
	}
	f = ask[*messages.AppendResponse](t, m, numbered(2, 2, "c")).GetFailure()
	expectCode(t, "a session that does not begin at 1", f, messages.Code_CODE_SEQUENCE_GAP)
	placed(t, m, numbered(1, 2, "b"))
	if got := m.Entries(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the log is %q", got)
	}
}

// What is truncated is remembered by the TRUNCATE, also by a replica that never had it.
func TestSessionsSurviveTruncationsAndLostDisks(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer, wiped := c.Member(1), c.Member(3)
		elect(t, writer)
		placed(t, writer, numbered(1, 1, "a", "b"))
		placed(t, writer, numbered(2, 1, "x"))
		wiped.Crash()
		if p := ask[*messages.TruncateResponse](t, writer, &messages.TruncateRequest{To: 4}); p.GetPosition() != 4 {
			t.Fatalf("truncate: %v", p)
		}
		wiped.Wipe()
		wiped.Restart()
		wait(t, c, "the member recovers", func() bool { return wiped.Member.Status() == status.Voting })
		takeOver(t, writer, wiped)
		if got := placed(t, wiped, numbered(1, 2, "b", "c")); got != "[2-2 5-5]" {
			t.Errorf("an entry that is truncated is at %s", got)
		}
		if got := placed(t, wiped, numbered(2, 1, "x")); got != "[3-3]" {
			t.Errorf("an entry that is truncated is at %s", got)
		}
	})
}

// The table is stored now and then, and the rest is read from the disk.
func TestSessionsSurviveRestartsOfAllMembers(t *testing.T) {
	for _, every := range []int{0, 1, 7} {
		t.Run(fmt.Sprint("a checkpoint every ", every), func(t *testing.T) {
			c := kit.Initialized(t, 1, 3)
			c.Memory = replica.Memory{Every: every}
			c.Start()
			c.AwaitVoting(c.Members...)
			m := c.Member(1)
			for i := range uint64(20) {
				placed(t, m, numbered(1, 1+i, fmt.Sprint(i)))
			}
			c.World.Run(3 * time.Second)
			for _, m := range c.Members {
				m.Crash()
			}
			for _, m := range c.Members {
				m.Restart()
			}
			c.AwaitVoting(c.Members...)
			if got := placed(t, c.Member(2), numbered(1, 20, "19", "20")); got != "[20-20 21-21]" {
				t.Errorf("entries are at %s", got)
			}
		})
	}
}

// A portion that is read from the disk ends before the last of them.
func TestSessionsOfLargeEntriesSurviveRestartsOfAllMembers(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	large := strings.Repeat("*", 600<<10)
	for i := range uint64(4) {
		placed(t, c.Member(1), numbered(1, 1+i, large+fmt.Sprint(i)))
	}
	restart(c)
	if got := placed(t, c.Member(2), numbered(1, 4, large+"3", "4")); got != "[4-4 5-5]" {
		t.Errorf("entries are at %s", got)
	}
}

// damagedCheckpoint is a disk whose checkpoint cannot be read, or reads as something else.
type damagedCheckpoint struct {
	storage.Store
	table []byte
	err   error
}

// Checkpoint implements storage.Store.
func (d damagedCheckpoint) Checkpoint() (storage.Checkpoint, error) {
	return storage.Checkpoint{UpTo: 1, Table: d.table}, d.err
}

func TestAMemberWhoseCheckpointIsDamagedEnds(t *testing.T) {
	for claim, damage := range map[string]damagedCheckpoint{
		"it cannot be read":       {err: fmt.Errorf("%w: a test", storage.ErrCorrupt)},
		"it is no table":          {table: []byte("\xff\xff\xff")},
		"it is a part of a table": {table: []byte{1}},
	} {
		t.Run(claim, func(t *testing.T) {
			c := kit.Voting(t, 1, 3)
			for i := range uint64(3) { // so that the disk knows the first to be learned
				placed(t, c.Member(1), numbered(1, 1+i, "a"))
				c.World.Run(time.Second)
			}
			m := c.Member(3)
			m.Crash()
			m.Wrap = func(s storage.Store) storage.Store { return damagedCheckpoint{s, damage.table, damage.err} }
			m.Restart()
			wait(t, c, "the member reports it", func() bool { return errors.Is(m.Failure(), storage.ErrCorrupt) })
		})
	}
}

func TestASessionThatIsForgottenIsToldSo(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	c.Memory = replica.Memory{Bytes: 100} // two sessions
	c.Start()
	c.AwaitVoting(c.Members...)
	m := c.Member(1)
	for session := range byte(3) {
		placed(t, m, numbered(1+session, 1, fmt.Sprint(session)))
	}
	f := ask[*messages.AppendResponse](t, m, numbered(1, 1, "0")).GetFailure()
	expectCode(t, "an append of a session that is forgotten", f, messages.Code_CODE_SESSION_EVICTED)
	fresh := numbered(9, 1, "fresh")
	expectCode(t, "one that may be forgotten", ask[*messages.AppendResponse](t, m, fresh).GetFailure(), messages.Code_CODE_SESSION_EVICTED)
	if fresh.Since = f.GetSince(); placed(t, m, fresh) != "[4-4]" {
		t.Error("a session that cannot be forgotten is refused")
	}
	if got := m.Entries(); !slices.Equal(got, []string{"0", "1", "2", "fresh"}) {
		t.Errorf("the log is %q", got)
	}
}

// A writer that is fenced asks what became of its appends.
func TestAFencedWriterLearnsWhatIsInTheLogAndAddsNothing(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		old, next := c.Member(1), c.Member(2)
		fence := elect(t, old).GetWriter()
		first := numbered(1, 1, "a", "b")
		first.Writer = fence
		placed(t, old, first)
		old.Crash()
		resolve := func(first uint64, entries ...string) *messages.AppendRequest {
			r := numbered(1, first, entries...)
			r.Writer, r.Resolve = fence, true
			return r
		}
		c.World.Run(3 * time.Second)
		if got := placed(t, next, resolve(1, "a", "b")); got != "[1-2]" {
			t.Errorf("what is in the log is at %s", got)
		}
		a := ask[*messages.AppendResponse](t, next, resolve(2, "b", "c"))
		expectCode(t, "an append of which a part is there", a.GetFailure(), messages.Code_CODE_FENCED)
		if len(a.GetMore()) != 1 || a.GetMore()[0].GetFirst() != 2 || a.GetMore()[0].GetLast() != 2 {
			t.Errorf("the part is at %v", a.GetMore())
		}
		expectCode(t, "an append that is not there", ask[*messages.AppendResponse](t, next, resolve(3, "c")).GetFailure(), messages.Code_CODE_FENCED)
		if got := next.Entries(); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("the log is %q", got)
		}
	})
}

// Its fence is of a later election than this writer has heard of, or of none at all.
func TestAnAppendWithAFenceAboveItsWriterIsAnswered(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := led(t, seed, 3)
		writer := awaitWriter(t, c, 2*time.Second)
		r := numbered(1, 1, "a")
		r.Writer, r.Resolve = uint64(log.Proposal(elect(t, writer).GetWriter()).Next(2)), true
		expectCode(t, "an append under a later fence", ask[*messages.AppendResponse](t, writer, r).GetFailure(), messages.Code_CODE_NOT_ELECTED)
		placed(t, writer, numbered(1, 1, "a")) // it still writes
	})
}

func TestARequestWithHalfASessionIsMalformed(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	for claim, change := range map[string]func(*messages.AppendRequest){
		"no number":       func(r *messages.AppendRequest) { r.Sequence = 0 },
		"no session":      func(r *messages.AppendRequest) { r.Session = nil },
		"a short session": func(r *messages.AppendRequest) { r.Session = r.Session[1:] },
		"a zero session":  func(r *messages.AppendRequest) { clear(r.Session) },
		"a high number":   func(r *messages.AppendRequest) { r.Sequence = 1<<64 - 1 },
	} {
		r := numbered(1, 1, "a", "b")
		change(r)
		expectCode(t, claim, ask[*messages.AppendResponse](t, c.Member(1), r).GetFailure(), messages.Code_CODE_MALFORMED)
	}
}
