package sessions_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/sessions"
)

func id(n int) (s log.Session) {
	s[0], s[15] = byte(n>>8), byte(n)
	s[7] = 1
	return s
}

func entry(session int, sequence uint64) log.Value {
	return log.Value{Kind: log.Append, Session: id(session), Sequence: sequence}
}

// run is so many entries of a session from a number on, at a position.
func run(session int, first uint64, at log.Position, n int) sessions.Run {
	return sessions.Run{Session: id(session), First: first, At: log.Span(at, n)}
}

func TestStandingOfNumbers(t *testing.T) {
	table := sessions.New(sessions.MaxBytes)
	table.Note(run(1, 1, 11, 10)) // 1 to 10 at 11 to 20
	table.Note(run(1, 11, 31, 5)) // 11 to 15 at 31 to 35
	for _, c := range []struct {
		claim   string
		session int
		first   uint64
		n       int
		want    string
	}{
		{"a new session begins at 1", 2, 1, 3, "{1 [] 1}"},
		{"a new session does not begin at 2", 2, 2, 3, "{3 [] 1}"},
		{"what comes next is not there", 1, 16, 4, "{1 [] 16}"},
		{"numbers are missing", 1, 17, 4, "{3 [] 16}"},
		{"all is there, in one place", 1, 2, 3, "{2 [[12, 14]] 16}"},
		{"all is there, in two places", 1, 10, 3, "{2 [[20, 20] [31, 32]] 16}"},
		{"the first ones are there", 1, 14, 4, "{1 [[34, 35]] 16}"},
	} {
		if got := fmt.Sprint(table.Find(id(c.session), c.first, c.n, 0)); got != c.want {
			t.Errorf("%s: %s, want %s", c.claim, got, c.want)
		}
	}
}

func TestForgottenSessionIsNotTakenForANewOne(t *testing.T) {
	table := sessions.New(100) // there is room for two
	for session := range 3 {
		table.Note(run(session, 1, log.Position(10+session), 1))
	}
	for _, c := range []struct {
		claim string
		since log.Position
		want  sessions.Standing
	}{
		{"nothing is known of the session", 0, sessions.Evicted},
		{"it was in the log at 10, or may have been", 9, sessions.Evicted},
		{"nothing of it is in the log where something was forgotten", 10, sessions.Next},
	} {
		if got := table.Find(id(0), 1, 1, c.since); got.Standing != c.want {
			t.Errorf("%s: %+v, want %v", c.claim, got, c.want)
		}
	}
	if table.Len() != 2 || table.Horizon() != 10 {
		t.Errorf("%d sessions, and the horizon is at %d", table.Len(), table.Horizon())
	}
}

func TestRunsThatLieTooFarBackAreForgotten(t *testing.T) {
	table := sessions.New(sessions.MaxBytes)
	for i := range sessions.MaxRuns + 1 {
		table.Note(run(1, uint64(1+i), log.Position(10*(1+i)), 1))
	}
	if got := table.Find(id(1), 1, 1, 0); got.Standing != sessions.Evicted {
		t.Errorf("the first number stands at %+v", got)
	}
	if got := table.Find(id(1), 2, 1, 0); got.Standing != sessions.Known {
		t.Errorf("the second number stands at %+v", got)
	}
}

// history is a log with sessions in which everything is remembered.
type history struct {
	*rand.Rand
	at    log.Position
	where map[int][]log.Position // of each session, by its numbers
	since map[int]log.Position
}

// step appends numbers of a session as a coordinator does, which asks the table, and checks what that says.
func (h *history) step(table *sessions.Table) error {
	session := h.IntN(12)
	if _, found := h.since[session]; !found {
		h.since[session] = h.at
	}
	first, n := uint64(max(1, len(h.where[session])-2+h.IntN(5))), 1+h.IntN(3)
	found := table.Find(id(session), first, n, h.since[session])
	var places []log.Position
	for _, r := range found.Places {
		for at := r.First; at <= r.Last; at++ {
			places = append(places, at)
		}
	}
	there := h.where[session]
	there = there[min(int(first-1), len(there)):min(int(first)-1+n, len(there))]
	gap := first > uint64(len(h.where[session]))+1
	switch found.Standing {
	case sessions.Evicted:
	case sessions.Gap:
		if !gap {
			return fmt.Errorf("numbers are missing before %d of %d", first, session)
		}
	case sessions.Next, sessions.Known:
		if gap || !slices.Equal(places, there) || (found.Standing == sessions.Known) != (len(there) == n) {
			return fmt.Errorf("%d from %d of %d are at %v, and the table says %+v", n, first, session, there, found)
		}
		h.append(table, session, first+uint64(len(there)), n-len(there))
	}
	return nil
}

func (h *history) append(table *sessions.Table, session int, first uint64, n int) {
	h.at += log.Position(h.IntN(3))
	if n == 0 {
		return
	}
	table.Note(run(session, first, h.at+1, n))
	for range n {
		h.at++
		h.where[session] = append(h.where[session], h.at)
	}
}

func TestTableSaysWhatIsInTheLogOrThatItCannotTell(t *testing.T) {
	for seed := range uint64(300) {
		h := &history{
			Rand: rand.New(rand.NewPCG(seed, 1)), where: map[int][]log.Position{}, since: map[int]log.Position{},
		}
		table := sessions.New(100 + h.IntN(600))
		for range 400 {
			if err := h.step(table); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if h.IntN(20) == 0 {
				decoded, err := sessions.Decode(table.Encode(), 100+h.IntN(600))
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if string(decoded.Encode()) != string(table.Encode()) || string(table.Clone().Encode()) != string(table.Encode()) {
					t.Fatalf("seed %d: what is decoded, or cloned, is another table", seed)
				}
				table = table.Clone()
			}
		}
	}
}

func TestTableKeepsItsLimit(t *testing.T) {
	const limit = 5000
	table := sessions.New(limit)
	random := rand.New(rand.NewPCG(1, 1))
	next := map[int]uint64{}
	for at := log.Position(1); at < 20_000; at += 2 {
		session := random.IntN(300)
		table.Note(run(session, next[session]+1, at, 1))
		next[session]++
		if n := len(table.Encode()); n > limit {
			t.Fatalf("the table has %d bytes, more than %d", n, limit)
		}
	}
}

func TestDamagedTableIsRefused(t *testing.T) {
	table := sessions.New(sessions.MaxBytes)
	table.Note(run(1, 1, 11, 10))
	table.Note(run(2, 1, 21, 10))
	whole := table.Encode()
	for n := 1; n < len(whole); n++ {
		if n == 8 || n == 8+(len(whole)-8)/2 { // a table with fewer sessions
			continue
		}
		if _, err := sessions.Decode(whole[:n], sessions.MaxBytes); err == nil {
			t.Errorf("the first %d of %d bytes are a table", n, len(whole))
		}
	}
	if _, err := sessions.Decode(append(slices.Clone(whole), whole[8:]...), sessions.MaxBytes); err == nil {
		t.Error("a session is twice in a table")
	}
}

func FuzzDecode(f *testing.F) {
	table := sessions.New(sessions.MaxBytes)
	table.Note(run(1, 1, 11, 10))
	table.Note(run(1, 11, 31, 10))
	f.Add(table.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		table, err := sessions.Decode(b, sessions.MaxBytes)
		if err != nil {
			return
		}
		if again := table.Encode(); len(b) > 8 && string(again) != string(b) {
			t.Errorf("%x is written as %x", b, again)
		}
		table.Find(id(1), 1, 5, 0)
	})
}
