package sessions

import (
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/log"
)

// Piece is what a range of learned positions holds for the table: the runs, and the tables that TRUNCATEs carry.
type Piece struct {
	Range log.Range
	Runs  []Run // in the order of their positions
	Cuts  []Cut // the same
}

// Cut is the table before a TRUNCATE.
type Cut struct {
	At    log.Position
	Table []byte // as Encode wrote it
}

// Add takes the value of a position, behind those before it, into the piece. Its range is for the caller to set.
func (p *Piece) Add(at log.Position, v *log.Value) {
	if v.Kind == log.Truncate {
		p.Cuts = append(p.Cuts, Cut{at, v.Data})
		return
	}
	p.Runs = Extend(p.Runs, at, v)
}

// Within returns what of the piece lies in a range.
func (p Piece) Within(r log.Range) Piece {
	cut := Piece{Range: p.Range.Intersect(r)}
	for _, run := range p.Runs {
		if at := run.At.Intersect(r); !at.Empty() {
			run.First += uint64(at.First - run.At.First)
			run.At = at
			cut.Runs = append(cut.Runs, run)
		}
	}
	for _, c := range p.Cuts {
		if r.Contains(c.At) {
			cut.Cuts = append(cut.Cuts, c)
		}
	}
	return cut
}

// Fold keeps the table of a log while that is learned, in any order.
//
// The table is that of the learned run from the begin of the log on. Where the begin moves over what the fold has not come to,
// the table is unknown until the TRUNCATE that moved it, which carries the table before itself, and which the log keeps.
type Fold struct {
	limit   int
	table   *Table
	known   bool
	upTo    log.Position
	waiting []Piece // learned further up, in the order of their positions
	runs    int     // of those
}

// How much is kept that lies further up. What does not fit is read from the disk when its turn comes.
const (
	maxWaiting     = 64
	maxWaitingRuns = 1 << 13
)

// NewFold returns the fold of a log that begins there, with a table of at most so many bytes. Of one that was never truncated
// the table before its first position is known: it is empty.
func NewFold(limit int, begin log.Position) *Fold {
	return &Fold{limit: limit, table: New(limit), known: begin <= 1, upTo: max(begin, 1) - 1}
}

// Restore takes over a table as it was at a position, unless the log begins above what follows it. It returns an error where
// the bytes are no table.
func (f *Fold) Restore(upTo log.Position, table []byte) error {
	if upTo < f.upTo {
		return nil
	}
	t, err := Decode(table, f.limit)
	if err != nil {
		return err
	}
	f.table, f.known, f.upTo = t, true, upTo
	return nil
}

// UpTo is the position up to which everything is taken in.
func (f *Fold) UpTo() log.Position { return f.upTo }

// Table is the table at UpTo, which is the fold's own; false while it is unknown.
func (f *Fold) Table() (*Table, bool) { return f.table, f.known }

// Hand returns a table at UpTo for somebody else. Of a log that begins above 1 and has no TRUNCATE, which nobody writes, it is
// one that has forgotten everything, and so refuses what it could know.
func (f *Fold) Hand() *Table {
	if f.known {
		return f.table.Clone()
	}
	t := New(f.limit)
	t.horizon = f.upTo
	return t
}

// Learn takes in a piece, once everything below it is. It returns an error where a TRUNCATE carries no table.
func (f *Fold) Learn(p Piece) error {
	switch {
	case p.Range.Empty(), p.Range.First <= f.upTo:
		return nil // the rest of it is read from the disk
	case p.Range.First > f.upTo+1:
		f.keep(p)
		return nil
	}
	if err := f.apply(p); err != nil {
		return err
	}
	for len(f.waiting) > 0 && f.waiting[0].Range.First <= f.upTo+1 {
		next := f.waiting[0]
		f.drop(1)
		if next.Range.First == f.upTo+1 {
			if err := f.apply(next); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *Fold) keep(p Piece) {
	if len(f.waiting) >= maxWaiting || f.runs+len(p.Runs) > maxWaitingRuns {
		return
	}
	at, found := slices.BinarySearchFunc(f.waiting, p.Range.First, func(o Piece, first log.Position) int {
		switch {
		case o.Range.First < first:
			return -1
		case o.Range.First > first:
			return 1
		}
		return 0
	})
	if !found {
		f.waiting = slices.Insert(f.waiting, at, p)
		f.runs += len(p.Runs)
	}
}

// drop takes the first pieces away that wait.
func (f *Fold) drop(n int) {
	for _, p := range f.waiting[:n] {
		f.runs -= len(p.Runs)
	}
	f.waiting = slices.Delete(f.waiting, 0, n)
}

// apply takes in a piece that lies directly above.
func (f *Fold) apply(p Piece) error {
	f.upTo = p.Range.Last
	runs := p.Runs
	for _, c := range p.Cuts {
		for len(runs) > 0 && runs[0].At.First < c.At {
			f.note(runs[0])
			runs = runs[1:]
		}
		if f.known {
			continue // the coordinator that truncated had the same table
		}
		t, err := Decode(c.Table, f.limit)
		if err != nil {
			return fmt.Errorf("the TRUNCATE at position %d: %w", c.At, err)
		}
		f.table, f.known = t, true
	}
	for _, r := range runs {
		f.note(r)
	}
	return nil
}

func (f *Fold) note(r Run) {
	if f.known {
		f.table.Note(r)
	}
}

// Truncate moves the begin of the log to a higher position.
func (f *Fold) Truncate(begin log.Position) {
	if begin <= f.upTo+1 {
		return
	}
	f.table, f.known, f.upTo = New(f.limit), false, begin-1
	n := 0
	for n < len(f.waiting) && f.waiting[n].Range.First <= begin { // what begins there is read from the disk
		n++
	}
	f.drop(n)
}

// Missing is what is to be read from the disk next, in a log that is learned up to a position: all of it is learned. It is empty
// where nothing is.
func (f *Fold) Missing(learned log.Position) log.Range {
	if len(f.waiting) > 0 {
		learned = min(learned, f.waiting[0].Range.First-1)
	}
	if learned <= f.upTo {
		return log.Range{}
	}
	return log.Range{First: f.upTo + 1, Last: learned}
}
