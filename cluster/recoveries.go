package cluster

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// recoveries makes spans of events: one from where a replica does not vote, that is the start of the member too, until it does, with a
// child for each catch-up.
//
//	quorumlog.recovery   events: status, advice   ─▶ quorumlog.catchup   events: progress
type recoveries struct {
	tracer trace.Tracer
	common []attribute.KeyValue

	ctx     context.Context // of the recovery that goes on
	span    trace.Span      // nil while there is none
	copying trace.Span      // its catch-up; nil while there is none
	failure error           // why the member is done for
}

// traceRecoveries begins with the start of the member, below the span of the context that Start was given.
func (n *Node) traceRecoveries(ctx context.Context) {
	if n.config.TracerProvider == nil {
		return
	}
	r := &recoveries{tracer: tracerOf(n.config.TracerProvider), common: []attribute.KeyValue{
		attribute.Int(keyMember, int(n.config.ID)), attribute.String(keyCluster, n.config.cluster()),
	}}
	if n.name != "" {
		r.common = append(r.common, attribute.String(keyLog, n.name))
	}
	r.begin(trace.ContextWithSpan(context.Background(), trace.SpanFromContext(ctx)), n.store.Metadata().Status.String(), time.Now())
	n.tellers.begin(func() {
		n.tell(context.Background(), 0, func(e Event) bool {
			r.take(e)
			return true
		})
	})
}

func (r *recoveries) begin(parent context.Context, status string, at time.Time) {
	r.ctx, r.span = r.tracer.Start(parent, spanRecovery, trace.WithTimestamp(at), trace.WithAttributes(r.common...),
		trace.WithAttributes(attribute.String(keyFrom, status)))
}

// take follows what happens. A voting replica that learns something, since it was elected for instance, does not recover.
func (r *recoveries) take(e Event) {
	at := e.Where().At
	if s, ok := e.(StatusChanged); ok && r.span == nil {
		r.begin(context.Background(), s.From, at)
	}
	if r.span == nil {
		return
	}
	switch e := e.(type) {
	case StatusChanged:
		r.span.AddEvent("status", trace.WithTimestamp(at), trace.WithAttributes(attribute.String(keyFrom, e.From), attribute.String(keyTo, e.To)))
	case Advice:
		r.span.AddEvent("advice", trace.WithTimestamp(at), trace.WithAttributes(attribute.String(keyAdvice, e.Text)))
	case CatchingUp:
		r.catchUp(at.Add(-e.Elapsed))
		r.copying.AddEvent("progress", trace.WithTimestamp(at), trace.WithAttributes(attributesOf(e.CatchupProgress)...))
	case CaughtUp:
		r.catchUp(at.Add(-e.Elapsed))
		r.copying.SetAttributes(attributesOf(e.CatchupProgress)...)
		r.endCatchup(at)
	case Recovered:
		r.end(at, nil)
	case Failed:
		r.failure = e.Err
	case Stopped:
		r.end(at, r.failure)
	}
}

func (r *recoveries) catchUp(began time.Time) {
	if r.copying == nil {
		_, r.copying = r.tracer.Start(r.ctx, spanCatchup, trace.WithTimestamp(began), trace.WithAttributes(r.common...))
	}
}

func (r *recoveries) endCatchup(at time.Time) {
	if r.copying != nil {
		r.copying.End(trace.WithTimestamp(at))
		r.copying = nil
	}
}

func (r *recoveries) end(at time.Time, err error) {
	r.endCatchup(at)
	if err != nil {
		r.span.RecordError(err, trace.WithTimestamp(at))
		r.span.SetStatus(otelcodes.Error, err.Error())
	}
	r.span.End(trace.WithTimestamp(at))
	r.span = nil
}

func attributesOf(p CatchupProgress) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.Int64(keyTotal, int64(p.Total)), attribute.Int64(keyDone, int64(p.Done)), attribute.Int64(keyBytes, int64(p.Bytes)),
		attribute.Int64(keyRate, int64(p.Rate)), attribute.Float64(keyLeft, p.Left.Seconds()),
	}
}
