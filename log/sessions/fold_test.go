package sessions_test

import (
	"math/rand/v2"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/sessions"
)

// lived is a log as coordinators write it, and the table at each of its positions.
type lived struct {
	values []log.Value // of position 1 first
	tables [][]byte    // after each position; that of position 0 first
	begins []log.Position
}

const small = 160 // bytes of a table: sessions are forgotten all the time

func live(random *rand.Rand, n int) *lived {
	table, next := sessions.New(small), map[int]uint64{}
	l := &lived{tables: [][]byte{nil}, begins: []log.Position{1}}
	session, begin := 0, log.Position(1)
	for at := log.Position(1); int(at) <= n; at++ {
		var v log.Value
		switch random.IntN(12) {
		case 0:
			v = log.Value{Kind: log.NOP}
		case 1:
			begin += log.Position(random.IntN(int(at-begin) + 1))
			v = log.Value{Kind: log.Truncate, To: begin, Data: table.Encode()}
		case 2:
			v = log.Value{Kind: log.Append}
		case 3, 4, 5:
			session = random.IntN(6)
			fallthrough
		default:
			next[session]++
			v = entry(session, next[session])
			table.Note(sessions.Run{Session: v.Session, First: v.Sequence, At: log.Span(at, 1)})
		}
		l.values, l.tables, l.begins = append(l.values, v), append(l.tables, table.Encode()), append(l.begins, begin)
	}
	return l
}

func (l *lived) piece(r log.Range) sessions.Piece {
	p := sessions.Piece{Range: r}
	for at := r.First; at <= r.Last; at++ {
		p.Add(at, &l.values[at-1])
	}
	return p
}

// learner is a replica that learns a log in any order.
type learner struct {
	*lived
	*rand.Rand
	fold    *sessions.Fold
	learned map[log.Position]bool
	begin   log.Position
}

// upTo is up to where everything is learned.
func (w *learner) upTo() log.Position {
	at := w.begin
	for w.learned[at] {
		at++
	}
	return at - 1
}

func (w *learner) learn(r log.Range) error {
	for at := r.First; at <= r.Last; at++ {
		if v := w.values[at-1]; v.Kind == log.Truncate && v.To > w.begin {
			w.begin = v.To
			w.fold.Truncate(w.begin)
		}
	}
	r = r.Intersect(log.Range{First: w.begin, Last: log.MaxPosition})
	for at := r.First; !r.Empty() && at <= r.Last; at++ {
		w.learned[at] = true
	}
	return w.fold.Learn(w.piece(log.Range{First: 1, Last: log.Position(len(w.values))}).Within(r))
}

// step learns something, reads something from the disk, starts again, or jumps over what a peer has truncated.
func (w *learner) step() error {
	switch end := len(w.values); w.IntN(12) {
	case 0:
		missing := w.fold.Missing(w.upTo())
		if missing.Empty() {
			return nil
		}
		missing.Last = min(missing.Last, missing.First+log.Position(w.IntN(50)))
		return w.fold.Learn(w.piece(missing))
	case 1:
		at := w.fold.UpTo()
		again := sessions.NewFold(small, w.begin)
		if table, known := w.fold.Table(); known && at > 0 && w.IntN(10) > 0 {
			if err := again.Restore(at, table.Encode()); err != nil {
				return err
			}
		}
		w.fold = again
		return nil
	case 2:
		if w.IntN(8) == 0 {
			w.begin = max(w.begin, w.begins[w.IntN(end)])
			w.fold.Truncate(w.begin)
		}
		return nil
	default:
		first := w.upTo() + 1 + log.Position(w.IntN(3)*w.IntN(10))
		r := log.Range{First: first, Last: min(first+log.Position(w.IntN(8)), log.Position(end))}
		for at := r.First; at <= r.Last; at++ {
			if w.learned[at] {
				r.Last = at - 1
			}
		}
		if r.Empty() {
			return nil
		}
		return w.learn(r)
	}
}

func TestFoldIsTheTableOfTheLogInWhateverOrderItIsLearned(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 2))
		l := live(random, 200)
		w := &learner{lived: l, Rand: random, fold: sessions.NewFold(small, 1), learned: map[log.Position]bool{}, begin: 1}
		for step := 0; step < 2000 && w.fold.UpTo() < 200; step++ {
			if err := w.step(); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
			at := w.fold.UpTo()
			if table, known := w.fold.Table(); known && string(table.Encode()) != string(l.tables[at]) {
				t.Fatalf("seed %d, step %d: at %d the table is %x, not %x", seed, step, at, table.Encode(), l.tables[at])
			}
		}
		_, known := w.fold.Table()
		if end := log.Position(len(l.values)); w.fold.UpTo() != end || !known && l.begins[end] > 1 {
			t.Fatalf("seed %d: the fold came to %d of %d, and knows the table: %t; learned is %d, missing %s",
				seed, w.fold.UpTo(), end, known, w.upTo(), w.fold.Missing(w.upTo()))
		}
	}
}

func TestUnknownTableRefusesWhatItCouldHaveKnown(t *testing.T) {
	fold := sessions.NewFold(sessions.MaxBytes, 100)
	if err := fold.Learn(sessions.Piece{Range: log.Range{First: 100, Last: 120}}); err != nil {
		t.Fatal(err)
	}
	if got := fold.Hand().Find(id(1), 1, 1, 99).Standing; got != sessions.Evicted {
		t.Errorf("a session that may have been below stands at %v", got)
	}
	if got := fold.Hand().Find(id(1), 1, 1, 120).Standing; got != sessions.Next {
		t.Errorf("a session of which nothing is below stands at %v", got)
	}
}
