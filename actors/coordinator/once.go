package coordinator

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/sessions"
)

// once looks up which values of a request are in the log, or on their way into it. It returns the request with those that are to
// be written; or false where it was answered, or will be with the batch that has its last value.
func (c *coordinator) once(ctx actor.Context, r request) (fresh request, ok bool) {
	if r.values[0].Sequence == 0 {
		return r, true
	}
	first := r.values[0]
	found := c.table.Find(first.Session, first.Sequence, len(r.values), r.since)
	fenced := r.fence > 0 && r.fence != c.by
	switch {
	case found.Standing == sessions.Evicted:
		c.refuse(ctx, r, Failed{Why: Evicted, Seen: c.by, Since: c.settled})
	case found.Standing == sessions.Known:
		r.places = found.Places
		c.repeat(ctx, r)
	case fenced && (r.fence > c.by || !c.areChosen(found.Places)): // whoever was elected under that fence knows more of the log
		c.refuse(ctx, r, Failed{Why: NotElected, Seen: c.by})
	case fenced:
		c.refuse(ctx, r, Failed{Why: Fenced, Seen: c.by, Found: found.Places})
	case found.Standing == sessions.Gap:
		c.refuse(ctx, r, Failed{Why: Gap, Seen: c.by, Next: found.Expected})
	default:
		r.places, r.values = found.Places, r.values[found.Count():]
		return r, true
	}
	return r, false
}

func (c *coordinator) refuse(ctx actor.Context, r request, why Failed) {
	why.Tag = r.client.tag
	ctx.Send(r.client.pid, why)
}

// repeat acknowledges values that were written before, as soon as they are chosen.
func (c *coordinator) repeat(ctx actor.Context, r request) {
	last := r.places[len(r.places)-1].Last
	if last >= c.next {
		c.repeats = append(c.repeats, r)
		return
	}
	for _, b := range c.flight {
		if b.run.Contains(last) {
			b.repeats = append(b.repeats, r)
			return
		}
	}
	r.acknowledge(ctx, log.Range{})
}

func (c *coordinator) areChosen(places []log.Range) bool {
	return len(places) == 0 || places[len(places)-1].Last <= c.settled
}

// number takes values into the table that are about to be written.
func (c *coordinator) number(r request, at log.Position) {
	var runs []sessions.Run
	for i := range r.values {
		runs = sessions.Extend(runs, at+log.Position(i), &r.values[i])
	}
	for _, run := range runs {
		c.table.Note(run)
	}
}

// cut returns the values of a request as they are written: a TRUNCATE carries the table before it. Nothing is on its way then,
// and nothing of a session goes with it.
func (c *coordinator) cut(r request) []log.Value {
	if !r.cuts {
		return r.values
	}
	values := make([]log.Value, len(r.values))
	for i, v := range r.values {
		if v.Kind == log.Truncate {
			v.Data = c.table.Encode()
		}
		values[i] = v
	}
	return values
}
