package cluster

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/quorumlog/quorumlog/log"
)

// A call of Append has a span, below that of its context; what a message to a member has, one below the first call whose entries it
// holds, with a link to each of the others (docs/observability.md):
//
//	quorumlog.append ─▶ quorumlog.request ─▶ (another one, where the first got no certain answer)
//
// The first waits for room and for others to go with; the second for a round of the member that writes, and so for a quorum's disks.

// scope is who makes the spans.
const scope = "github.com/quorumlog/quorumlog/cluster"

// The names of spans and of their attributes are a contract.
const (
	spanAppend   = "quorumlog.append"
	spanRequest  = "quorumlog.request"
	spanRecovery = "quorumlog.recovery"
	spanCatchup  = "quorumlog.catchup"

	keyLog       = "quorumlog.log" // where it has a name
	keyEntries   = "quorumlog.entries"
	keyBytes     = "quorumlog.bytes"
	keyFence     = "quorumlog.fence"    // of a Writer
	keyPosition  = "quorumlog.position" // of the first entry
	keyOutcome   = "quorumlog.outcome"
	keyMember    = "quorumlog.member"
	keyAddress   = "server.address"
	keyAppends   = "quorumlog.appends"   // calls of Append whose entries a message holds
	keyUncertain = "quorumlog.uncertain" // it was sent before, and may be in the log
	keyCluster   = "quorumlog.cluster"
	keyFrom      = "quorumlog.from"
	keyTo        = "quorumlog.to"
	keyAdvice    = "quorumlog.advice"
	keyTotal     = "quorumlog.positions" // of a catch-up
	keyDone      = "quorumlog.done"      // of these
	keyRate      = "quorumlog.bytes_per_second"
	keyLeft      = "quorumlog.seconds_left"
)

// maxLinks is how many calls of Append a span of a message links to at most.
const maxLinks = 128

// tracerOf returns who makes spans for a provider; nil where there is none.
func tracerOf(provider trace.TracerProvider) trace.Tracer {
	if provider == nil {
		return nil
	}
	return provider.Tracer(scope)
}

// trace has the client trace what it does from now on, unless the tracer is nil; before anybody uses it.
func (c *Client) trace(tracer trace.Tracer) {
	c.tracer, c.gathering.traced = tracer, tracer != nil
}

// span begins a span of a client. That of a log with a name says it.
func (c *Client) span(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	ctx, span := c.tracer.Start(ctx, name, append(options, trace.WithSpanKind(trace.SpanKindClient))...)
	if c.name != "" {
		span.SetAttributes(attribute.String(keyLog, c.name))
	}
	return ctx, span
}

// append is gather with a span.
func (c *Client) append(ctx context.Context, g *gathering, entries [][]byte, try bool) (log.Position, error) {
	if c.tracer == nil {
		return c.gather(ctx, g, entries, try)
	}
	bytes := 0
	for _, entry := range entries {
		bytes += len(entry)
	}
	ctx, span := c.span(ctx, spanAppend,
		trace.WithAttributes(attribute.Int(keyEntries, len(entries)), attribute.Int(keyBytes, bytes)))
	defer span.End()
	if g.fence > 0 {
		span.SetAttributes(attribute.Stringer(keyFence, g.fence))
	}
	at, err := c.gather(ctx, g, entries, try)
	conclude(span, at, err)
	return at, err
}

// writeTo is writeOnce with a span.
func (c *Client) writeTo(ctx context.Context, m Member, w write) ([]log.Range, error) {
	if c.tracer == nil {
		return c.writeOnce(ctx, m, w)
	}
	ctx, span := c.span(ctx, spanRequest, trace.WithLinks(w.links()...),
		trace.WithAttributes(attribute.Int(keyMember, int(m.ID)), attribute.String(keyAddress, m.Address)))
	defer span.End()
	if w.batch != nil {
		span.SetAttributes(attribute.Int(keyEntries, w.batch.entries()), attribute.Int(keyAppends, len(w.batch.appends)),
			attribute.Bool(keyUncertain, w.unclear()))
	}
	places, err := c.writeOnce(ctx, m, w)
	at, _ := first(places, err)
	conclude(span, at, err)
	return places, err
}

// conclude says what became of an append.
func conclude(span trace.Span, at log.Position, err error) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attribute.String(keyOutcome, outcomeOf(err)))
	if err == nil {
		span.SetAttributes(attribute.Int64(keyPosition, int64(at)))
		return
	}
	span.RecordError(err)
	span.SetStatus(otelcodes.Error, err.Error())
}

// outcomeOf names what became of an append in a word, as the metric quorumlog_appends_total does where it has one.
func outcomeOf(err error) string {
	if err == nil {
		return "appended"
	}
	for _, known := range []struct {
		err  error
		name string
	}{
		{ErrSplit, "split"}, {ErrSessionEvicted, "session_evicted"}, {ErrIndeterminate, "indeterminate"}, {ErrFenced, "fenced"}, {ErrNotElected, "not_elected"}, {ErrBusy, "busy"},
		{ErrNoQuorum, "no_quorum"}, {ErrNotVoting, "not_voting"}, {ErrTooLarge, "too_large"}, {ErrDenied, "denied"},
		{ErrNoLog, "no_log"}, {ErrClosed, "closed"},
	} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	return "failed"
}

// links are the spans of the calls that a message is for, but the first, below which it is.
func (w write) links() (links []trace.Link) {
	if w.batch == nil {
		return nil
	}
	for _, a := range w.batch.appends[1:] {
		if len(links) == maxLinks {
			break
		}
		links = append(links, trace.Link{SpanContext: trace.SpanContextFromContext(a.ctx)})
	}
	return links
}

// base is what the context of a batch begins with: nothing of its callers' but the span of the first.
func (g *gathering) base(appends []*appending) context.Context {
	if !g.traced {
		return context.Background()
	}
	return trace.ContextWithSpan(context.Background(), trace.SpanFromContext(appends[0].ctx))
}
