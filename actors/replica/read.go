package replica

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
)

func (r *replica) inspect() Inspected {
	return Inspected{
		Identity: r.admission.Self, Known: r.meta.Known, Status: r.meta.Status, Since: r.since,
		Begin: r.ledger.Begin(), End: r.ledger.End(), Learned: r.ledger.Learned(), NotLearned: r.ledger.NotLearned(), Settled: r.settled.upTo,
		Promised: r.meta.Promised, Highest: r.meta.Highest, Writer: r.lead.by, Candidacy: r.candidacy(), Cluster: r.meta.Cluster, Syncs: r.Store.Age(),
		Heard: r.writer(), Sync: r.pace.most(r.Clock.Now()), Damaged: r.damaged,
		Founders: r.meta.Founders,
	}
}

// maxGaps is how many ranges of positions that are not learned are told.
const maxGaps = 64

// gaps are the positions that are not learned.
func (r *replica) gaps() []log.Range {
	if r.ledger.NotLearned() == 0 {
		return nil
	}
	runs := r.ledger.Missing(log.Range{First: r.ledger.Begin(), Last: r.ledger.End()}).Runs()
	if len(runs) > maxGaps {
		runs[maxGaps-1].Last = runs[len(runs)-1].Last
		runs = runs[:maxGaps]
	}
	return runs
}

// reserve hands out a proposal that was never used before: it is durable before anybody hears of it. Whoever proposes tells
// the age of the disk that holds it, so that the disk of before is found, which would hand it out once more.
func (r *replica) reserve(ctx actor.Context, m Reserve) {
	meta := r.meta
	by := max(meta.Highest, meta.Promised, m.Above).Next(meta.Replica)
	meta.Highest = max(meta.Highest, by)
	if r.setMetadata(ctx, meta) {
		r.answer(ctx, Reserved{By: by, Identity: r.answering()})
	}
}

func (r *replica) missing(m Missing) Missed {
	return Missed{
		Set: r.ledger.Missing(m.Range).Union(r.damaged.Intersect(m.Range)), Begin: r.ledger.Begin(), End: r.ledger.End(), Learned: r.ledger.Learned(),
		Identity: r.admission.Self,
	}
}

// read serves learned records, without a gap: never more than the run that is learned from the begin of the log on (hole
// S14: Mesos skips trailing holes without a word).
func (r *replica) read(ctx actor.Context, m Read) {
	begin, learned := r.ledger.Begin(), r.ledger.Learned()
	page := Page{Tag: m.Tag, Begin: begin, Learned: learned}
	within := m.Range
	if within.First == 0 {
		within.First = begin
	}
	if within.Last == 0 {
		within.Last = learned
	}
	switch {
	case within.First < begin:
		page.Fault = Truncated
	case m.Range.Last > 0 && within.Last < within.First:
		page.Fault = Backwards
	case within.Last > learned:
		page.Fault = NotLearned
	case !within.Empty():
		page = r.page(ctx, within, page)
	}
	if r.fault != nil {
		page = Page{Tag: m.Tag, Fault: DiskFailure}
	}
	ctx.Respond(page)
}

// page reads the first part of a learned range, at most log.MaxRun records and log.MaxRunBytes bytes, or one record, and nothing
// from a damaged one on. Damage that it is the first to meet is known when it is asked again.
func (r *replica) page(ctx actor.Context, within log.Range, page Page) Page {
	within.Last = min(within.Last, within.First+log.MaxRun-1)
	within = r.clear(within)
	actions, covered, err := r.hold(within)
	switch stored := r.stored(ctx, err); {
	case r.damaged.Contains(within.First) || isDamage(err):
		page.Fault = Mending
	case !stored:
	case uint64(len(actions)) != covered.Len():
		r.fail(ctx, corruptGap(covered, len(actions)))
	default:
		page.Actions, page.Range = actions, covered
	}
	return page
}
