package replica

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

func (r *replica) inspect() Inspected {
	return Inspected{
		Identity: r.admission.Self, Known: r.meta.Known, Status: r.meta.Status, Since: r.since,
		Begin: r.ledger.Begin(), End: r.ledger.End(), Learned: r.ledger.Learned(), NotLearned: r.ledger.NotLearned(),
		Promised: r.meta.Promised, Highest: r.meta.Highest, Writer: r.lead.by,
	}
}

// reserve hands out a proposal that was never used before: it is durable before anybody hears of it.
func (r *replica) reserve(ctx actor.Context, m Reserve) {
	meta := r.meta
	by := max(meta.Highest, meta.Promised, m.Above).Next(meta.Replica)
	meta.Highest = max(meta.Highest, by)
	if r.setMetadata(ctx, meta) {
		r.answer(ctx, Reserved{By: by, Identity: r.admission.Self})
	}
}

func (r *replica) missing(m Missing) Missed {
	within := m.Range
	if within.Last == 0 {
		within.Last = r.ledger.End()
	}
	return Missed{
		Set: r.ledger.Missing(within), Begin: r.ledger.Begin(), End: r.ledger.End(), Learned: r.ledger.Learned(),
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
		page.Actions, page.Range = r.page(ctx, within)
	}
	if r.fault != nil {
		page = Page{Tag: m.Tag, Fault: DiskFailure}
	}
	ctx.Respond(page)
}

// page reads the first part of a learned range, at most log.MaxRun records and log.MaxRunBytes bytes, or one record.
func (r *replica) page(ctx actor.Context, within log.Range) ([]log.Action, log.Range) {
	within.Last = min(within.Last, within.First+log.MaxRun-1)
	actions, covered, err := r.hold(within)
	if !r.stored(ctx, err) {
		return nil, log.Range{}
	}
	if uint64(len(actions)) != covered.Len() {
		r.fail(ctx, corruptGap(covered, len(actions)))
		return nil, log.Range{}
	}
	return actions, covered
}

// fetch answers a FetchRequest with what this replica knows as learned.
func (r *replica) fetch(ctx actor.Context, m *messages.FetchRequest) {
	f, err := codec.DecodeFetchRequest(m)
	var answer codec.Fetched
	if refusal, ok := r.admit(ctx, f.Envelope, err); !ok {
		answer = codec.Denied{Refusal: refusal}
	} else {
		answer = r.copies(ctx, f.Range)
	}
	r.answer(ctx, codec.EncodeFetchResponse(r.header(m.GetHeader()), answer))
}

func (r *replica) copies(ctx actor.Context, within log.Range) codec.Fetched {
	switch {
	case r.meta.Status == status.Empty || r.meta.Status == status.Starting:
		return codec.Unable{Status: r.meta.Status}
	case within.First < r.ledger.Begin():
		return codec.Gone{Begin: r.ledger.Begin()}
	}
	copied := codec.Copied{Range: within}
	for _, run := range r.ledger.LearnedIn(within).Runs() {
		run.Last = min(run.Last, run.First+log.Position(log.MaxRun-len(copied.Actions))-1)
		if !r.copyRun(ctx, &copied, run) {
			break
		}
	}
	if r.fault != nil {
		return codec.Denied{Refusal: r.broken()}
	}
	return copied
}

// copyRun adds the records of one learned run, until the answer is full; copied.Range then ends with what is in it.
func (r *replica) copyRun(ctx actor.Context, copied *codec.Copied, run log.Range) (room bool) {
	size, before := 0, len(copied.Actions)
	for _, a := range copied.Actions {
		size += len(a.Value.Data)
	}
	err := r.scan(run, func(a log.Action) bool {
		if size += len(a.Value.Data); size > log.MaxRunBytes && len(copied.Actions) > 0 {
			return false
		}
		copied.Actions = append(copied.Actions, a)
		return true
	})
	full := size > log.MaxRunBytes || len(copied.Actions) >= log.MaxRun
	if err == nil && !full && uint64(len(copied.Actions)-before) != run.Len() {
		err = corruptGap(run, len(copied.Actions)-before)
	}
	if !r.stored(ctx, err) {
		return false
	}
	if full {
		copied.Range.Last = copied.Actions[len(copied.Actions)-1].Position
	}
	return !full
}
