// Package linear gives a second opinion on a history: it has Porcupine (github.com/anishathalye/porcupine) search for an
// order of the operations that agrees with real time and with a model of the log, which knows nothing of package history's
// rules. That takes exponential time where the history is bad, and much more than history.Check where it is good; so long
// histories are cut into windows, and there is a limit.
//
// What the model does not know: sessions, readers that go back, how far a reader could have read, what begin a reader or a
// member was told of, holes and other ends of members' logs, truncations whose outcome is unknown, and that the entries of an
// append belong together. Only tests import it.
package linear

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

var (
	// ErrIllegal: no order of the operations explains what the clients were told.
	ErrIllegal = errors.New("no order explains it")
	// ErrUndecided: the time was up.
	ErrUndecided = errors.New("not decided in time")
)

// Check looks for an order, window by window. Each window holds about so many operations, where an append of n entries
// counts as n, and gets so much time; operations whose outcome is unknown are resolved first: they took effect where
// somebody saw their entries, or not at all. It returns nil, ErrIllegal or ErrUndecided, wrapped with the window.
func Check(h *history.History, logs []history.Log, window int, limit time.Duration) error {
	r := resolve(h, logs)
	begun := state{next: 1}
	for _, w := range r.windows(window) {
		if err := w.check(begun, limit); err != nil {
			return fmt.Errorf("positions from %d to %d, %d operations: %w", w.First, w.Last, len(w.steps), err)
		}
		begun = w.after(begun)
	}
	return nil
}

// CheckUnresolved looks for an order of the whole history, and leaves it to the search what became of the appends whose
// outcome is unknown: once one is called, any of its entries may be in the log at any position that nothing else uses.
func CheckUnresolved(h *history.History, logs []history.Log, limit time.Duration) error {
	return whole(h, logs).check(state{next: 1}, limit)
}

// check asks Porcupine.
func (w window) check(begun state, limit time.Duration) error {
	first := state{base: w.First, begin: begun.begin, next: w.First, fence: begun.fence, world: &world{won: w.won(), used: w.of.used}}
	first.positions = slices.Sorted(maps.Keys(w.of.used))
	var operations []porcupine.Operation
	for _, s := range append(slices.Clone(w.steps), w.dumps()...) {
		operations = append(operations, porcupine.Operation{Input: s, Call: int64(s.call), Return: int64(s.answer)})
	}
	switch porcupine.CheckOperationsTimeout(model(first), operations, limit) {
	case porcupine.Ok:
		return nil
	case porcupine.Illegal:
		return ErrIllegal
	default:
		return ErrUndecided
	}
}

// step is an operation of the model: one entry of an append, a truncation, an election, a read, a catch-up, or a dump.
type step struct {
	*history.Operation // nil for a dump
	call, answer       time.Duration
	entry              string
	at                 log.Position  // where it takes effect, or behind what; 0 where that is open
	view               *history.View // of a dump
	part               bool          // ... that may leave entries out
	within             log.Range     // ... which shows so much
}

// order puts steps in the order in which they take effect: a write at its position, and everything else behind it.
func order(a, b step) int {
	if a.at != b.at {
		return int(int64(a.at) - int64(b.at))
	}
	return int(b.changes()) - int(a.changes())
}

// changes is 1 for what needs a position of its own.
func (s step) changes() int64 {
	if s.Operation != nil && (s.Kind == history.Append || s.Kind == history.Truncate) {
		return 1
	}
	return 0
}

// steps are those of a whole history, and who else saw the log.
type steps struct {
	all  []step
	logs []history.Log
	rest []history.Record        // what is known besides
	used map[log.Position]string // what somebody saw, or was told, to be at each position
}

// resolve finds out where every operation took effect.
func resolve(h *history.History, logs []history.Log) steps {
	r := steps{logs: logs, rest: h.Known, used: used(h, logs)}
	at := map[string]log.Position{}
	for p, e := range r.used {
		at[e] = p
	}
	called := map[string]time.Duration{}
	for _, o := range h.Operations {
		for _, e := range o.Entries {
			called[e] = o.Call
		}
	}
	for _, o := range h.Operations {
		s := step{Operation: o, call: o.Call, answer: o.Return, at: o.Told.Last}
		switch {
		case o.Outcome == history.Rejected, o.Outcome != history.Succeeded && o.Kind != history.Append:
			continue
		case o.Kind == history.Append:
			r.all = append(r.all, entries(s, at)...)
			continue
		case o.Kind == history.Read && o.Linearizable:
			s.at = max(o.View.Last, o.View.Learned)
		case o.Kind == history.Read: // of the log at any time before
			s.at, s.call = o.View.Last, min(s.call, shown(o.View, called))
		}
		r.all = append(r.all, s)
	}
	slices.SortStableFunc(r.all, order)
	return r
}

// shown is the earliest time at which a log can have been what a view shows: when the last of its entries was appended.
func shown(v history.View, called map[string]time.Duration) time.Duration {
	latest := time.Duration(0)
	for _, r := range v.Records {
		latest = max(latest, called[string(r.Value.Data)])
	}
	return latest
}

// entries are the steps of an append: one for each entry that is in the log, as far as is known.
func entries(s step, at map[string]log.Position) []step {
	var all []step
	for i, e := range s.Entries {
		s.entry, s.at = e, at[e]
		if s.Outcome == history.Succeeded {
			s.at = 0 // nowhere is right
			if places := s.Places(); len(places) == len(s.Entries) {
				s.at = places[i]
			}
		} else {
			s.answer = history.Never
			if s.at == 0 {
				continue
			}
		}
		all = append(all, s)
	}
	return all
}

// used is what somebody saw, or was told, to be at each position. Where they contradict each other, one of them will find that
// no order explains it.
func used(h *history.History, logs []history.Log) map[log.Position]string {
	is := map[log.Position]string{}
	see := func(at log.Position, text string) {
		if _, found := is[at]; !found {
			is[at] = text
		}
	}
	look := func(records []history.Record) {
		for _, r := range records {
			if r.Value.Kind == log.Append {
				see(r.At, string(r.Value.Data))
			}
		}
	}
	for _, l := range logs {
		look(l.View.Records)
	}
	look(h.Known)
	for _, o := range h.Operations {
		if o.Outcome != history.Succeeded {
			continue
		}
		look(o.View.Records)
		if o.Kind == history.Truncate {
			see(o.Told.First, truncation)
		}
		for i, at := range o.Places() {
			if i < len(o.Entries) {
				see(at, o.Entries[i])
			}
		}
	}
	return is
}

// truncation is what a truncation writes; no entry of a test is like that.
const truncation = "\x00truncation"

// whole is the history in one window, with every append whose outcome is unknown left open.
func whole(h *history.History, logs []history.Log) window {
	r := resolve(h, logs)
	w := window{steps: slices.DeleteFunc(r.all, func(s step) bool {
		return s.Kind == history.Append && s.Outcome != history.Succeeded
	}), of: r, Range: log.Range{First: 1, Last: log.MaxPosition}}
	for _, o := range h.Operations {
		if o.Kind == history.Append && (o.Outcome == history.Unknown || o.Outcome == history.Pending) {
			// It opens at its call: no later moment would allow more.
			w.steps = append(w.steps, step{Operation: o, call: o.Call, answer: o.Call})
		}
	}
	return w
}

// window is a part of the log, and what happened in it.
type window struct {
	log.Range
	steps []step
	of    steps
}

// windows cuts the log before a write, where about enough has happened.
func (r steps) windows(size int) []window {
	var all []window
	w := window{of: r, Range: log.Range{First: 1}}
	for _, s := range r.all {
		if full := len(w.steps) >= size; full && s.changes() > 0 && s.at > w.First {
			w.Last = s.at - 1
			all = append(all, w)
			w = window{of: r, Range: log.Range{First: s.at}}
		}
		w.steps = append(w.steps, s)
	}
	w.Last = log.MaxPosition
	return append(all, w)
}

// dumps are steps at the end that show the part of the log that somebody has.
func (w window) dumps() []step {
	const end = history.Never - 1
	var all []step
	for i := range w.of.logs {
		view := &w.of.logs[i].View
		all = append(all, step{call: end, answer: history.Never, view: view, within: w.Intersect(view.Range())})
	}
	rest := &history.View{Records: w.of.rest}
	return append(all, step{call: end, answer: history.Never, view: rest, part: true, within: w.Range})
}

// won are the fences that are won in the window.
func (w window) won() map[log.Proposal]bool {
	won := map[log.Proposal]bool{}
	for _, s := range w.steps {
		if s.Kind == history.Elect {
			won[s.Fence] = true
		}
	}
	return won
}

// after is the state behind a window.
func (w window) after(s state) state {
	for _, o := range w.steps {
		switch o.Kind {
		case history.Truncate:
			s.begin = max(s.begin, o.To)
		case history.Elect:
			s.fence = max(s.fence, o.Fence)
		default:
		}
	}
	return s
}
