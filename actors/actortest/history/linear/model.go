package linear

import (
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

// world is what does not change.
type world struct {
	won       map[log.Proposal]bool   // in this window
	used      map[log.Position]string // see used
	positions []log.Position          // ... in order
}

// state is a log: where it begins, the first position that is not used, what is in it from the window's first position on,
// who may write, and what may be in it behind next although nobody knows.
type state struct {
	*world
	base, begin, next log.Position
	entries           []entry
	open              []string     // in the order of the calls
	fence             log.Proposal // of the last writer that was elected
}

// entry is an entry and where.
type entry struct {
	at   log.Position
	text string
}

func model(first state) porcupine.Model {
	return porcupine.Model{
		Init:  func() any { return first },
		Step:  func(is, does, _ any) (bool, any) { return is.(state).does(does.(step)) },
		Equal: func(a, b any) bool { return a.(state).equal(b.(state)) },
		Hash:  func(a any) uint64 { return a.(state).hash() },
	}
}

func (s state) equal(o state) bool {
	return s.begin == o.begin && s.next == o.next && s.fence == o.fence && slices.Equal(s.open, o.open) &&
		slices.Equal(s.entries, o.entries)
}

// hash is the same for states that are equal.
func (s state) hash() uint64 {
	return uint64(s.next)*31 + uint64(s.begin)*17 + uint64(s.fence) + uint64(len(s.entries)) + uint64(len(s.open))
}

// does says whether a step is possible, and returns the state behind it.
func (s state) does(d step) (bool, state) {
	if d.Operation == nil {
		reached, s := s.reach(d.within.Last)
		return reached && s.shows(d), s
	}
	switch d.Kind {
	case history.Append:
		if d.entry == "" {
			s.open = append(slices.Clip(s.open), d.Entries...)
			return true, s
		}
		return s.write(d, d.entry)
	case history.Truncate:
		fits, next := s.write(d, truncation)
		next.begin = max(s.begin, d.To)
		return fits && d.Told.Len() == 1 && d.To <= d.at, next
	case history.Elect:
		reached, next := s.reach(d.at)
		next.fence = d.Fence
		return reached && d.Fence > s.fence && s.next <= d.at+1, next
	case history.Catchup:
		reached, next := s.reach(d.at)
		return reached && s.next <= d.at+1, next
	case history.Read:
		return s.reads(d)
	default:
		return false, s
	}
}

// reach has everything up to a position decided: what somebody saw there must be an entry that is open, since nothing else
// can get there any more.
func (s state) reach(last log.Position) (bool, state) {
	from, _ := slices.BinarySearch(s.positions, s.next)
	for _, at := range s.positions[from:] {
		if at > last {
			break
		}
		i := slices.Index(s.open, s.used[at])
		if i < 0 {
			return false, s
		}
		s.entries, s.open = append(slices.Clip(s.entries), entry{at, s.used[at]}), slices.Delete(slices.Clone(s.open), i, i+1)
	}
	s.next = max(s.next, last+1)
	return true, s
}

// write uses a position, for an entry or a truncation.
func (s state) write(d step, text string) (bool, state) {
	if d.at < s.next || d.at == 0 || s.used[d.at] != text || !s.admits(d.Fence) {
		return false, s
	}
	reached, s := s.reach(d.at - 1)
	if text != truncation {
		s.entries = append(slices.Clip(s.entries), entry{d.at, text})
	}
	s.next = d.at + 1
	return reached, s
}

// admits says whether a writer may write: the last one that was elected, or one of whose election nobody knows.
func (s state) admits(fence log.Proposal) bool {
	return fence == 0 || fence == s.fence || fence > s.fence && !s.won[fence]
}

// reads is a read: what it shows is decided from then on.
func (s state) reads(d step) (bool, state) {
	v := &d.View
	reached, next := s.reach(d.at)
	hidden := !v.Range().Empty() && v.First < s.begin
	current := !d.Linearizable || v.Learned == 0 || s.next <= v.Learned+1
	return reached && current && !hidden && next.shows(step{view: v, within: v.Range()}), next
}

// shows says whether a view shows the log as it is; one that may leave entries out shows none that is not in it.
func (s state) shows(d step) bool {
	within := d.within.Intersect(log.Range{First: s.base, Last: log.MaxPosition})
	var shown []entry
	for _, r := range d.view.Records {
		if r.Value.Kind == log.Append && (within.Contains(r.At) || !d.view.Range().Contains(r.At) && !d.part) {
			shown = append(shown, entry{r.At, string(r.Value.Data)})
		}
	}
	if d.part {
		return !slices.ContainsFunc(shown, func(e entry) bool { return !slices.Contains(s.entries, e) })
	}
	var is []entry
	for _, e := range s.entries {
		if within.Contains(e.at) {
			is = append(is, e)
		}
	}
	return slices.Equal(is, shown)
}
