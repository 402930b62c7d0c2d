package replica

import (
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
)

// written remembers what was accepted under the newest proposal and is not learned yet, so that the notice which follows
// every write need not read the values back from the disk.
type written struct {
	by          log.Proposal
	positions   interval.Set
	truncations []log.Action
}

// add remembers accepted records. Records of promises are not values, and a newer proposal replaces an older one.
func (w *written) add(stored []log.Action) {
	for _, a := range stored {
		if a.Performed > w.by && a.Performed == a.Promised {
			*w = written{by: a.Performed}
		}
		at := log.Range{First: a.Position, Last: a.Position}
		if a.Performed != w.by || a.Value.Kind == log.None {
			w.positions.Remove(at)
			continue
		}
		if a.Value.Kind == log.Truncate && !w.positions.Contains(a.Position) {
			w.truncations = append(w.truncations, a)
		}
		w.positions.Add(at)
	}
}

// covers says whether the whole run was accepted under this proposal, and what it truncates.
func (w *written) covers(by log.Proposal, run log.Range) (tos []log.Position, ok bool) {
	if by != w.by || !w.positions.Covers(run) {
		return nil, false
	}
	return truncations(w.truncations, run), true
}

// forget drops what is learned, or truncated.
func (w *written) forget(run log.Range) {
	w.positions.Remove(run)
	w.truncations = slices.DeleteFunc(w.truncations, func(a log.Action) bool { return run.Contains(a.Position) })
}
