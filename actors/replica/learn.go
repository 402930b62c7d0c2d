package replica

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/sessions"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

// learned handles a notice that what was written under a proposal is chosen. Nobody waits for an answer.
func (r *replica) learned(ctx actor.Context, m *messages.LearnedMessage) {
	n, err := codec.DecodeLearnedMessage(m)
	if _, ok := r.admit(ctx, n.Envelope, err); ok {
		r.hearWrites(n.By)
		r.mark(ctx, n.By, n.Range)
		r.settled.hear(n.By, n.Range.Last)
		r.catchUp(ctx, n.By, n.Range.Last)
	}
}

// mark marks what this replica holds of the proposal's own values in the range. A notice carries no value, so it can
// change none (hole S10): what the replica does not hold of that proposal stays missing until it is copied.
func (r *replica) mark(ctx actor.Context, by log.Proposal, within log.Range) {
	runs := r.ledger.Missing(within.Intersect(log.Range{First: r.ledger.Begin(), Last: r.ledger.End()})).Runs()
	for _, run := range runs {
		if l, ok := r.written.covers(by, run); ok {
			r.settle(ctx, l)
			continue
		}
		r.markFromDisk(ctx, by, run)
	}
}

// markFromDisk is mark for what was written before this process started, or out of order.
func (r *replica) markFromDisk(ctx actor.Context, by log.Proposal, run log.Range) {
	for !run.Empty() && r.fault == nil {
		held, covered, err := r.hold(run)
		if !r.stored(ctx, err) {
			return
		}
		for _, chosen := range paxos.Chosen(held, by) {
			r.settle(ctx, lessonOf(held, chosen))
		}
		run.First = covered.Last + 1
	}
}

// learn stores values that were copied from a peer that knows them as chosen.
func (r *replica) learn(ctx actor.Context, m Learn) {
	fresh, rotten, ok := r.fresh(ctx, m.Actions)
	if !ok {
		return
	}
	r.mend(ctx, rotten)
	if len(fresh) > 0 && r.fault == nil && r.stored(ctx, r.Store.Put(fresh...)) {
		for _, a := range fresh {
			r.folding.bytes += len(a.Value.Data)
		}
		for _, run := range runs(fresh) {
			r.settle(ctx, lessonOf(fresh, run))
		}
	}
	if r.fault == nil {
		ctx.Respond(Taught{})
		r.catchUp(ctx, r.early.by, r.ledger.Learned())
	}
}

// fresh returns the records that are not learned here, nor truncated, and those that are learned and damaged. It is not ok where
// one that is learned differs.
func (r *replica) fresh(ctx actor.Context, actions []log.Action) (fresh, rotten []log.Action, ok bool) {
	if r.allMissing(actions) {
		return actions, nil, true
	}
	for _, a := range actions {
		switch {
		case a.Position < r.ledger.Begin():
		case r.ledger.IsLearned(a.Position):
			if agrees := !r.damaged.Contains(a.Position) && r.agrees(ctx, a); r.fault != nil {
				return nil, nil, false
			} else if !agrees && r.damaged.Contains(a.Position) {
				rotten = append(rotten, a)
			}
		default:
			fresh = append(fresh, a)
		}
	}
	return fresh, rotten, true
}

// allMissing says whether none of the records is learned, or truncated, without a look at each of them.
func (r *replica) allMissing(actions []log.Action) bool {
	if len(actions) == 0 || actions[0].Position < r.ledger.Begin() {
		return false
	}
	spanned := log.Range{First: actions[0].Position, Last: actions[len(actions)-1].Position}
	return r.ledger.LearnedIn(spanned).Empty()
}

// runs returns the runs of positions of records, which are in order.
func runs(actions []log.Action) []log.Range {
	var all []log.Range
	for _, a := range actions {
		if n := len(all); n > 0 && all[n-1].Last+1 == a.Position {
			all[n-1].Last = a.Position
			continue
		}
		all = append(all, log.Range{First: a.Position, Last: a.Position})
	}
	return all
}

// agrees compares a copy with what was learned before. Two chosen values at one position mean that some disk lied:
// nothing that this replica says can be trusted.
func (r *replica) agrees(ctx actor.Context, a log.Action) bool {
	known, found, err := r.Store.Get(a.Position)
	if !r.stored(ctx, err) {
		return false
	}
	if !found || !known.Value.Equal(a.Value) {
		r.fail(ctx, fmt.Errorf("%w: the value learned at position %d differs from a peer's", storage.ErrCorrupt, a.Position))
		return false
	}
	return true
}

// lesson is a run of positions that are chosen, and what they hold that matters: truncations, configurations, and entries of
// sessions.
type lesson struct {
	truncations []log.Position
	configs     [][]byte       // the data of each CONFIG
	piece       sessions.Piece // its range is the run
}

// add takes in a record, behind those before it.
func (l *lesson) add(a log.Action) {
	if a.Value.Kind == log.Truncate {
		l.truncations = append(l.truncations, a.Value.To)
	}
	if a.Value.Kind == log.Config {
		l.configs = append(l.configs, a.Value.Data)
	}
	l.piece.Add(a.Position, &a.Value)
}

// lessonOf is the run of some of the records, which are in order.
func lessonOf(actions []log.Action, run log.Range) lesson {
	l := lesson{piece: sessions.Piece{Range: run}}
	for i := range actions {
		if run.Contains(actions[i].Position) {
			l.add(actions[i])
		}
	}
	return l
}

// settle marks a run as learned. What it truncates goes first: a mark that a crash leaves without its truncation would
// keep the log's begin back for ever, while a truncation without its mark is only learned again. So does a configuration: a
// mark without it would leave the replica with members that are none any more.
func (r *replica) settle(ctx actor.Context, l lesson) {
	for _, data := range l.configs {
		r.installChosen(ctx, data)
	}
	for _, to := range l.truncations {
		r.truncate(ctx, to)
	}
	run := l.piece.Range.Intersect(log.Range{First: r.ledger.Begin(), Last: log.MaxPosition})
	if run.Empty() || r.fault != nil {
		return
	}
	if r.stored(ctx, r.Store.Learn(run)) {
		r.ledger.Learn(run)
		r.written.forget(run)
		r.fold(ctx, l.piece.Within(run))
		r.releaseConfig(ctx)
		r.tellReached(ctx)
	}
}

// truncate moves the begin of the log forward. It never moves back, and never above what a chosen TRUNCATE names, which
// is at most its own position (hole S11: checked by the codec).
func (r *replica) truncate(ctx actor.Context, begin log.Position) {
	if r.fault != nil || begin <= r.ledger.Begin() || !r.stored(ctx, r.Store.Truncate(begin)) {
		return
	}
	r.meta.Begin = begin
	r.ledger.Truncate(begin)
	r.written.forget(log.Range{First: 1, Last: begin - 1})
	r.sessions.Truncate(begin)
	if !r.damaged.Empty() {
		r.examine(ctx) // what was truncated need not be mended
	}
	r.tellReached(ctx)
}

// jump adopts the begin of a peer's log: positions below it were truncated by a TRUNCATE that was chosen, and are never
// asked for again.
func (r *replica) jump(ctx actor.Context, m Jump) {
	r.truncate(ctx, m.Begin)
	if r.fault == nil {
		ctx.Respond(Jumped{r.ledger.Begin()})
		r.foldOn(ctx)
	}
}
