package replica

import (
	"cmp"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/sessions"
)

// written remembers what was accepted under the newest proposal and is not learned yet, so that the notice which follows
// every write need not read the values back from the disk.
type written struct {
	by          log.Proposal
	positions   interval.Set
	truncations []log.Action
	runs        []sessions.Run // of positions that rise
}

// add remembers accepted records. Records of promises are not values, and a newer proposal replaces an older one.
func (w *written) add(stored []log.Action) {
	for i := range stored {
		a := &stored[i]
		if a.Performed > w.by && a.Performed == a.Promised {
			*w = written{by: a.Performed}
		}
		at := log.Range{First: a.Position, Last: a.Position}
		if a.Performed != w.by || a.Value.Kind == log.None || a.Value.Kind == log.Config { // a CONFIG is rare: it is read back
			w.positions.Remove(at)
			continue
		}
		if a.Value.Kind == log.Truncate && !w.positions.Contains(a.Position) {
			w.truncations = append(w.truncations, *a)
		}
		if !w.number(a) {
			continue
		}
		w.positions.Add(at)
	}
}

// number remembers the number of an entry in its session, and says whether it could: one that is not above the others, and that
// is not there already, is left to the disk.
func (w *written) number(a *log.Action) bool {
	if n := len(w.runs); a.Value.Sequence == 0 || n == 0 || w.runs[n-1].At.Last < a.Position {
		w.runs = sessions.Extend(w.runs, a.Position, &a.Value)
		return true
	}
	return w.positions.Contains(a.Position)
}

// covers says whether the whole run was accepted under this proposal, and what it holds that matters.
func (w *written) covers(by log.Proposal, run log.Range) (lesson, bool) {
	if by != w.by || !w.positions.Covers(run) {
		return lesson{}, false
	}
	l := lesson{piece: sessions.Piece{Range: run, Runs: w.runs}.Within(run)}
	for _, a := range w.truncations {
		if run.Contains(a.Position) {
			l.add(a)
		}
	}
	slices.SortFunc(l.piece.Cuts, func(a, b sessions.Cut) int { return cmp.Compare(a.At, b.At) })
	return l, true
}

// forget drops what is learned, or truncated.
func (w *written) forget(run log.Range) {
	w.positions.Remove(run)
	w.truncations = slices.DeleteFunc(w.truncations, func(a log.Action) bool { return run.Contains(a.Position) })
	w.runs = slices.DeleteFunc(w.runs, func(r sessions.Run) bool { return run.Contains(r.At.First) && run.Contains(r.At.Last) })
	for i := range w.runs {
		switch r := &w.runs[i]; {
		case run.Contains(r.At.First):
			r.First += uint64(run.Last + 1 - r.At.First)
			r.At.First = run.Last + 1
		case run.Contains(r.At.Last):
			r.At.Last = run.First - 1
		}
	}
}
