package journal

import (
	"slices"

	"github.com/quorumlog/quorumlog/log"
)

// Verdict says what became of an entry.
type Verdict uint8

// The verdicts.
const (
	Counts     Verdict = iota + 1 // it is in the journal
	Fenced                        // another activation came before it
	OutOfOrder                    // another index comes next
)

// String names the verdict.
func (v Verdict) String() string {
	switch v {
	case Counts:
		return "counts"
	case Fenced:
		return "fenced"
	case OutOfOrder:
		return "out of order"
	}
	return "unknown"
}

// maxVoid is how many entries that do not count a fold remembers: whoever wrote one asks for it at once.
const maxVoid = 1 << 16

// Fold is what the log says of all journals, up to a position. It holds where the events are, and not the events: about 24 bytes
// for each entry behind the latest snapshot of its journal.
type Fold struct {
	begin  log.Position // where it began
	upTo   log.Position // the last entry that it has seen
	owners map[string]*journal
	void   []voided // in their order
	others uint64   // entries of the log that belong to no journal
}

type voided struct {
	at  log.Position
	why Verdict
}

// journal is what is known of one.
type journal struct {
	activation log.Position
	by         string
	first      log.Position // of its first activation that the fold has seen; without a snapshot that is needed
	snapshot   log.Position // 0: none
	index      uint64       // of the first event behind the snapshot's state
	next       uint64
	spans      []Span
	broken     bool // the activation has written what comes at another index: nothing of it counts any more
	open       bool // the first that the activation writes says where the journal is: what was before was truncated
}

// Span is where some events are.
type Span struct {
	At    log.Position
	First uint64 // the index of the first of them
	Count uint64 // how many there are
}

// NewFold returns a fold of a log that begins at a position.
func NewFold(begin log.Position) *Fold {
	return &Fold{begin: begin, upTo: begin - 1, owners: make(map[string]*journal)}
}

// UpTo is the last position that the fold has seen.
func (f *Fold) UpTo() log.Position { return f.upTo }

// Others is how many entries belong to no journal.
func (f *Fold) Others() uint64 { return f.others }

// Skip passes over positions without an entry, up to this one.
func (f *Fold) Skip(upTo log.Position) { f.upTo = max(f.upTo, upTo) }

// Other passes over an entry that belongs to no journal.
func (f *Fold) Other(at log.Position) {
	f.upTo = at
	f.others++
}

// Apply takes the next entry of the log, one that Check has nothing against.
func (f *Fold) Apply(at log.Position, e Entry) Verdict {
	f.upTo = at
	v := f.apply(at, e)
	if v != Counts {
		f.void = append(f.void, voided{at, v})
		if len(f.void) > 2*maxVoid {
			f.void = slices.Clone(f.void[len(f.void)-maxVoid:])
		}
	}
	return v
}

func (f *Fold) apply(at log.Position, e Entry) Verdict {
	j := f.owners[e.Owner]
	switch {
	case e.Kind == Activation:
		f.activate(at, e)
		return Counts
	case e.Kind == Snapshot && (j == nil || f.unseen(j, e)):
		j = &journal{activation: e.Activation, first: at, next: e.next()}
		f.owners[e.Owner] = j
	case j == nil || j.activation != e.Activation || j.broken: // without a snapshot that comes, what is before it does not count any more
		return Fenced
	}
	return j.apply(at, e)
}

// unseen says whether a snapshot is under an activation from before the beginning of the fold: then it comes from one who knew
// more, and what was taken for the journal until then was void.
func (f *Fold) unseen(j *journal, e Entry) bool {
	return e.Activation < f.begin && e.Activation > j.activation
}

func (f *Fold) activate(at log.Position, e Entry) {
	j := f.owners[e.Owner]
	if j == nil {
		j = &journal{first: at}
		f.owners[e.Owner] = j
	}
	j.activation, j.by, j.broken, j.open = at, e.By, false, f.begin > 1
}

// apply takes events or a snapshot under the activation of the journal.
func (j *journal) apply(at log.Position, e Entry) Verdict {
	j.trust(e)
	switch {
	case e.Kind == Events && e.Index != j.next, e.Kind == Snapshot && e.next() != j.next:
		j.broken = true
		return OutOfOrder
	case e.Kind == Events:
		j.spans = append(j.spans, Span{at, e.Index, e.Count})
		j.next = e.next()
	default:
		j.snapshot, j.index, j.spans = at, e.Index, nil
	}
	return Counts
}

// trust takes over from the first entry of an activation where the journal is. Its writer had read all of the log up to the
// activation; this fold has not, where the log was truncated: what it takes for the journal may be what never counted.
func (j *journal) trust(e Entry) {
	switch {
	case !j.open:
		return
	case e.Kind == Snapshot:
		j.next = e.next()
	case e.Index != j.next:
		j.next, j.index, j.snapshot, j.spans = e.Index, e.Index, 0, nil
	}
	j.open = false
}

// Why says what became of an entry that the fold has seen; of one long ago that it counts, whatever it was.
func (f *Fold) Why(at log.Position) Verdict {
	i, found := slices.BinarySearchFunc(f.void, at, func(v voided, at log.Position) int {
		switch {
		case v.at < at:
			return -1
		case v.at > at:
			return 1
		}
		return 0
	})
	if found {
		return f.void[i].why
	}
	return Counts
}

// View is what a fold knows of one journal.
type View struct {
	Activation log.Position // who may write; 0: nobody was ever there
	By         string       // what that one says of itself
	Snapshot   log.Position // where its latest snapshot is; 0: there is none
	Index      uint64       // how many events are in the snapshot's state
	Next       uint64       // the index that comes next
	Spans      []Span       // where the events behind the snapshot are
}

// View returns what is known of a journal. The spans are the caller's to read, and not to change.
func (f *Fold) View(owner string) View {
	j := f.owners[owner]
	if j == nil {
		return View{}
	}
	return View{
		Activation: j.activation, By: j.by, Snapshot: j.snapshot, Index: j.index, Next: j.next,
		Spans: j.spans[:len(j.spans):len(j.spans)],
	}
}

// Needed is the first position that some journal needs: whatever is before it may be truncated, once the log holds something
// behind it. In a log without journals it is the position that comes next.
func (f *Fold) Needed() log.Position {
	least := f.upTo + 1
	for _, j := range f.owners {
		least = min(least, j.needed())
	}
	return least
}

// needed is the first position that the journal needs: its snapshot, or whatever made it what it is.
func (j *journal) needed() log.Position {
	switch {
	case j.snapshot > 0:
		return j.snapshot
	case j.next == 0:
		return j.activation
	}
	return j.first
}

// Owners is how many journals there are.
func (f *Fold) Owners() int { return len(f.owners) }

// Holding returns the owner of the journal that needs the oldest position: until that has a newer snapshot, nothing from there
// on may be truncated. It is "" where there is no journal.
func (f *Fold) Holding() (owner string) {
	least := f.upTo + 1
	for name, j := range f.owners {
		if at := j.needed(); at < least {
			least, owner = at, name
		}
	}
	return owner
}
