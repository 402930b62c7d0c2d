package replica

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
)

// promise answers a PromiseRequest. Store, sync, then answer.
func (r *replica) promise(ctx actor.Context, m *messages.PromiseRequest) {
	p, err := codec.DecodePromiseRequest(m)
	var answer paxos.Answer
	if refusal, ok := r.admit(ctx, p.Envelope, err); !ok {
		answer = paxos.Refused{Refusal: refusal}
	} else {
		answer = r.decide(ctx, p.By, r.promiseVerdict(ctx, p))
	}
	r.Measures.Promises[kindOf(p)].Add(int(measure.AnswerOf(answer)), 1)
	r.answer(ctx, codec.EncodePromiseResponse(r.header(m.GetHeader()), answer))
}

// kindOf is how a request for a promise counts.
func kindOf(p codec.Promise) measure.Kind {
	switch {
	case p.First > 0:
		return measure.Reigns
	case p.Range.Empty():
		return measure.Implicit
	}
	return measure.Explicit
}

func (r *replica) promiseVerdict(ctx actor.Context, p codec.Promise) paxos.Verdict {
	if !r.voting() {
		return paxos.Verdict{Answer: paxos.NotVoting{Status: r.meta.Status}}
	}
	if p.First > 0 {
		return r.reignVerdict(ctx, log.Reign{By: p.By, First: p.First})
	}
	if p.Polite && r.writer() > 0 && r.writer().Replica() != p.By.Replica() {
		return paxos.Verdict{Answer: paxos.Rejected{By: max(r.writer(), r.meta.Promised)}}
	}
	if p.Range.Empty() {
		return paxos.Promise(r.acceptor(), p.By)
	}
	held, covered, err := r.hold(p.Range)
	if !r.stored(ctx, err) {
		return paxos.Verdict{Answer: paxos.Refused{Refusal: r.broken()}}
	}
	return paxos.PromiseRange(r.acceptor(), held, p.By, covered)
}

// reignVerdict looks at what is held where a writer's reign would begin: at most times nothing.
func (r *replica) reignVerdict(ctx actor.Context, reign log.Reign) paxos.Verdict {
	v := paxos.BeginReign(r.acceptor(), nil, reign)
	from := log.Range{First: reign.First, Last: r.ledger.End()}
	for !from.Empty() && v.Reign == reign && r.fault == nil {
		held, covered, err := r.hold(from)
		if !r.stored(ctx, err) {
			return paxos.Verdict{Answer: paxos.Refused{Refusal: r.broken()}}
		}
		v = paxos.BeginReign(r.acceptor(), held, reign)
		from.First = covered.Last + 1
	}
	return v
}

// write answers a WriteRequest, unless the one below it is missing. Store, sync, then answer.
func (r *replica) write(ctx actor.Context, m *messages.WriteRequest) {
	w, err := codec.DecodeWriteRequest(m)
	var answer paxos.Answer
	if refusal, ok := r.admit(ctx, w.Envelope, err); !ok {
		answer = paxos.Refused{Refusal: refusal}
	} else {
		r.hearWrites(w.By)
		r.mark(ctx, w.By, w.Learned)
		if r.admission.Self.Epoch != w.From.Epoch { // what it says is chosen is a CONFIG: it is of members that were
			return
		}
		r.settled.hear(w.By, w.Settled)
		verdict := r.writeVerdict(ctx, w)
		if len(verdict.Store) > 0 && !paxos.Ready(w.Values, w.First, r.ledger.Learned()) {
			r.holdConfig(ctx, m, w.First)
			return
		}
		if r.postponed(ctx, m, w, verdict) {
			r.catchUp(ctx, w.By, w.Settled) // what this one waits for may be chosen by what others wait for
			return
		}
		answer = r.decide(ctx, w.By, verdict)
	}
	r.Measures.Writes.Add(int(measure.AnswerOf(answer)), 1)
	r.answer(ctx, codec.EncodeWriteResponse(r.header(m.GetHeader()), answer))
	if a, ok := answer.(paxos.Accepted); ok {
		r.catchUp(ctx, w.By, a.Range.Last)
	}
}

func (r *replica) writeVerdict(ctx actor.Context, w codec.Write) paxos.Verdict {
	switch {
	case r.fault != nil:
		return paxos.Verdict{Answer: paxos.Refused{Refusal: r.broken()}}
	case !r.voting():
		return paxos.Verdict{Answer: paxos.NotVoting{Status: r.meta.Status}}
	}
	held, others, err := r.records(w.First, w.Values)
	if !r.stored(ctx, err) {
		return paxos.Verdict{Answer: paxos.Refused{Refusal: r.broken()}}
	}
	v := paxos.Write(r.acceptor(), held, w.By, w.First, w.Values)
	if chosen, ok := v.Answer.(paxos.Learned); ok {
		v.Answer = paxos.Learned{Actions: chosen.Actions[:others]}
	}
	return v
}

// decide stores what a verdict needs stored, and returns its answer, or a refusal where the disk failed.
func (r *replica) decide(ctx actor.Context, by log.Proposal, v paxos.Verdict) paxos.Answer {
	if !r.grant(ctx, by, v) {
		return paxos.Refused{Refusal: r.broken()}
	}
	if len(v.Store) == 0 {
		return v.Answer
	}
	if !r.stored(ctx, r.Store.Put(v.Store...)) {
		return paxos.Refused{Refusal: r.broken()}
	}
	r.group.dirty = true
	for _, a := range v.Store {
		r.ledger.Record(log.Range{First: a.Position, Last: a.Position})
		r.folding.bytes += len(a.Value.Data)
	}
	r.written.add(v.Store)
	return v.Answer
}

// grant stores what a granted proposal raises in the metadata, and tells the local coordinator if it is outbid.
func (r *replica) grant(ctx actor.Context, by log.Proposal, v paxos.Verdict) bool {
	meta := r.meta
	if len(v.Store) > 0 || v.Promised > 0 {
		meta.Highest = max(meta.Highest, by)
	}
	meta.Promised = max(meta.Promised, v.Promised)
	meta.Reign = meta.Reign.Later(v.Reign)
	if meta.Highest == r.meta.Highest && meta.Promised == r.meta.Promised && meta.Reign == r.meta.Reign {
		return true
	}
	if !r.setMetadata(ctx, meta) {
		return false
	}
	r.hearLeader(v.Promised, wasPromised) // who is promised everything is about to write
	if r.lead.by > 0 && r.lead.by < meta.Promised {
		r.respond(ctx, r.lead.pid, Outbid{meta.Promised})
		r.lead = lead{}
	}
	r.rejectEarly(ctx)
	return r.fault == nil // those are held against the disk, which may fail; what was not synced then is never said
}

// hold reads the records of a range, or of a prefix of it where they are too large for one answer.
func (r *replica) hold(within log.Range) (held []log.Action, covered log.Range, err error) {
	covered = within
	size := 0
	err = r.scan(within, func(a log.Action) bool {
		if size += len(a.Value.Data); size > log.MaxRunBytes && len(held) > 0 {
			covered.Last = a.Position - 1
			return false
		}
		held = append(held, a)
		return true
	})
	return held, covered, err
}

// records reads the records of the positions at which values are to be written. Where a record has another value, that is
// left out, which makes it one that nobody writes: a run may lie over a thousand large entries. The first of those that are
// learned keep theirs, as the answer has room for them; others says how many.
func (r *replica) records(first log.Position, values []log.Value) (held []log.Action, others int, err error) {
	size, full := 0, false
	err = r.scan(log.Span(first, len(values)), func(a log.Action) bool {
		v := values[a.Position-first]
		switch {
		case a.Value.Equal(v):
			a.Value = v
		case a.Learned && !full:
			if size += len(a.Value.Data); size <= log.MaxRunBytes || others == 0 {
				others++
				break
			}
			full = true
			fallthrough
		default:
			a.Value = log.Value{}
		}
		held = append(held, a)
		return true
	})
	return held, others, err
}

// scan visits the records of a range, and tells which are learned.
func (r *replica) scan(within log.Range, visit func(log.Action) bool) error {
	within = within.Intersect(log.Range{First: r.ledger.Begin(), Last: r.ledger.End()})
	if within.Empty() {
		return nil
	}
	return r.Store.Scan(within, func(a log.Action) bool {
		a.Learned = r.ledger.IsLearned(a.Position)
		return visit(a)
	})
}
