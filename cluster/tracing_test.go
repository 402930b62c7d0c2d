package cluster

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	otelcodes "go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/semaphore"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// recorder keeps all spans that have ended.
type recorder struct {
	*tracetest.SpanRecorder
	provider *sdktrace.TracerProvider
}

func newRecorder() recorder {
	r := tracetest.NewSpanRecorder()
	return recorder{r, sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r))}
}

// called returns the ended spans of a name, in the order in which they ended.
func (r recorder) called(name string) []sdktrace.ReadOnlySpan {
	return slices.DeleteFunc(r.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() != name })
}

// says returns a span's attributes.
func says(s sdktrace.ReadOnlySpan) map[string]string {
	attributes := make(map[string]string)
	for _, a := range s.Attributes() {
		attributes[string(a.Key)] = a.Value.String()
	}
	return attributes
}

// single starts a log of one member that is traced.
func single(t testing.TB, provider trace.TracerProvider) *Node {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	n, err := Start(ctx, Config{
		ID: 1, Data: t.TempDir(), Members: []Member{{1, free(t)}}, AutoInitialize: true, TracerProvider: provider,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() }) // some tests have closed it
	if err := n.Recovered(ctx); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSpanOfAnAppendSaysWhatIsWhereInTheLog(t *testing.T) {
	if !alone(t) {
		return
	}
	r := newRecorder()
	n := single(t, r.provider)
	ctx, above := r.provider.Tracer("program").Start(t.Context(), "above")
	w, err := n.Writer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AppendBatch(ctx, [][]byte{[]byte("one"), []byte("three")}); err != nil {
		t.Fatal(err)
	}
	appends, requests := r.called("quorumlog.append"), r.called("quorumlog.request")
	if len(appends) != 1 || len(requests) != 1 {
		t.Fatalf("%d spans of appends and %d of requests have ended", len(appends), len(requests))
	}
	a, q := appends[0], requests[0]
	if a.Parent().SpanID() != above.SpanContext().SpanID() || q.Parent().SpanID() != a.SpanContext().SpanID() {
		t.Errorf("the append is below %s, the request below %s", a.Parent().SpanID(), q.Parent().SpanID())
	}
	for key, want := range map[string]string{
		"quorumlog.entries": "2", "quorumlog.bytes": "8", "quorumlog.position": "1", "quorumlog.outcome": "appended", "quorumlog.fence": w.Fence().String(),
	} {
		if got := says(a)[key]; got != want {
			t.Errorf("%s of the append is %q, expected %q", key, got, want)
		}
	}
	if got := says(q); got["quorumlog.member"] != "1" || got["quorumlog.appends"] != "1" || got["quorumlog.outcome"] != "appended" {
		t.Errorf("the request says %v", got)
	}
	if a.Status().Code == otelcodes.Error || a.SpanKind() != trace.SpanKindClient {
		t.Errorf("the append is a %s, and its status %v", a.SpanKind(), a.Status())
	}
}

func TestSpanOfAFencedAppendIsAnError(t *testing.T) {
	if !alone(t) {
		return
	}
	r := newRecorder()
	n := single(t, r.provider)
	fenced, err := n.Writer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Writer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := fenced.Append(t.Context(), []byte("late")); !errors.Is(err, ErrFenced) {
		t.Fatalf("it was appended: %v", err)
	}
	appends := r.called("quorumlog.append")
	if len(appends) != 1 || appends[0].Status().Code != otelcodes.Error || says(appends[0])["quorumlog.outcome"] != "fenced" {
		t.Fatalf("the spans are %v", appends)
	}
	if events := appends[0].Events(); len(events) != 1 || events[0].Name != "exception" {
		t.Errorf("its events are %v", events)
	}
}

func TestMessageForManyAppendsIsBelowOneAndLinkedToTheOthers(t *testing.T) {
	r := newRecorder()
	c, release := &Client{gathering: &gathering{}, flight: semaphore.NewWeighted(maxFlight)}, make(chan struct{})
	next := log.Position(1)
	c.gathering.write = func(ctx context.Context, w write) ([]log.Range, error) {
		w.sent()
		<-release
		ctx, span := c.tracer.Start(ctx, spanRequest, trace.WithLinks(w.links()...))
		defer span.End()
		at := next
		next += log.Position(w.batch.entries())
		return []log.Range{log.Span(at, w.batch.entries())}, ctx.Err()
	}
	c.trace(tracerOf(r.provider))
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := c.Append(t.Context(), []byte("x")); err != nil {
				t.Error(err)
			}
		})
	}
	for open := 0; open < 20; { // each has begun
		runtime.Gosched()
		open = len(r.Started())
	}
	close(release)
	group.Wait()
	reached := make(map[trace.SpanID]int)
	for _, q := range r.called(spanRequest) {
		reached[q.Parent().SpanID()]++
		for _, l := range q.Links() {
			reached[l.SpanContext.SpanID()]++
		}
	}
	for _, a := range r.called(spanAppend) {
		if reached[a.SpanContext().SpanID()] != 1 {
			t.Errorf("%d messages are for the append %s", reached[a.SpanContext().SpanID()], a.SpanContext().SpanID())
		}
	}
	if len(reached) != 20 {
		t.Errorf("messages are for %d appends", len(reached))
	}
}

func TestSpanOfARecoveryHasItsStatusesAndItsCatchup(t *testing.T) {
	if !alone(t) {
		return
	}
	r := newRecorder()
	three := rebuild{TB: t, dir: t.TempDir(), members: localMembers(t)}
	for _, m := range three.members[:2] {
		three.must(fill(three.options(m.ID), 3000, 100))
		n := three.start(m.ID)
		defer func() { three.must(n.Close()) }()
		three.must(n.Recovered(t.Context()))
	}
	ctx, above := r.provider.Tracer("program").Start(t.Context(), "above")
	n, err := Start(ctx, Config{ID: 3, Data: three.data(3), Members: three.members, TracerProvider: r.provider})
	three.must(err)
	three.must(n.Recovered(t.Context()))
	three.must(n.Close())
	recoveries, catchups := r.called("quorumlog.recovery"), r.called("quorumlog.catchup")
	if len(recoveries) != 1 || len(catchups) == 0 {
		t.Fatalf("%d spans of recoveries and %d of catch-ups have ended", len(recoveries), len(catchups))
	}
	var to []string
	for _, e := range recoveries[0].Events() {
		for _, a := range e.Attributes {
			if e.Name == "status" && a.Key == keyTo {
				to = append(to, a.Value.AsString())
			}
		}
	}
	if want := []string{"RECOVERING", "VOTING"}; !slices.Equal(to, want) {
		t.Errorf("it tells of the statuses %v, expected %v", to, want)
	}
	if got := says(recoveries[0]); got["quorumlog.from"] != "EMPTY" || got["quorumlog.member"] != "3" || recoveries[0].Parent().SpanID() != above.SpanContext().SpanID() {
		t.Errorf("it says %v, and is below %s", got, recoveries[0].Parent().SpanID())
	}
	c := catchups[0]
	if got := says(c); got["quorumlog.positions"] != "3000" || got["quorumlog.done"] != "3000" || got["quorumlog.bytes"] == "0" {
		t.Errorf("the catch-up says %v", got)
	}
	if c.Parent().SpanID() != recoveries[0].SpanContext().SpanID() || c.StartTime().Before(recoveries[0].StartTime()) || c.EndTime().After(recoveries[0].EndTime()) {
		t.Errorf("the catch-up from %s to %s is not within the recovery from %s to %s", c.StartTime(), c.EndTime(), recoveries[0].StartTime(), recoveries[0].EndTime())
	}
}

func TestSpanOfARecoveryThatFailsIsAnError(t *testing.T) {
	r, at, why := newRecorder(), time.Now(), fmt.Errorf("read: %w", ErrDiskFull)
	spans := &recoveries{tracer: r.provider.Tracer(scope)}
	spans.begin(t.Context(), "EMPTY", at)
	for _, e := range []Event{StatusChanged{Origin{At: at}, "EMPTY", "RECOVERING"}, CatchingUp{Origin: Origin{At: at}}, Failed{Origin{At: at}, why}, Stopped{Origin{At: at}, why}} {
		spans.take(e)
	}
	for _, s := range r.called(spanRecovery) {
		if s.Status().Code != otelcodes.Error || s.Status().Description != why.Error() {
			t.Errorf("its status is %v", s.Status())
		}
	}
	if len(r.called(spanRecovery)) != 1 || len(r.called(spanCatchup)) != 1 || len(r.Started()) != 2 {
		t.Errorf("%d spans began, and %d ended", len(r.Started()), len(r.Ended()))
	}
}

func TestAppendsAreNotTracedForNothing(t *testing.T) {
	c := instant()
	entries := [][]byte{[]byte("an entry")}
	cost := func(call func(context.Context, *gathering, [][]byte, bool) (log.Position, error)) float64 {
		return testing.AllocsPerRun(1000, func() {
			if _, err := call(t.Context(), c.gathering, entries, false); err != nil {
				t.Error(err)
			}
		})
	}
	without, with := cost(c.gather), cost(c.append)
	if with > without {
		t.Errorf("an append that is not traced allocates %v times, and %v without the code for it", with, without)
	}
}

// instant is a client whose appends are in the log at once.
func instant() *Client {
	c := &Client{flight: semaphore.NewWeighted(maxFlight)}
	var mu sync.Mutex
	next := log.Position(1)
	c.gathering = &gathering{write: func(ctx context.Context, w write) ([]log.Range, error) {
		if m, ok := w.build(1).(*messages.AppendRequest); !ok || len(m.GetEntries()) == 0 {
			return nil, ErrBadRange
		}
		w.sent()
		mu.Lock()
		defer mu.Unlock()
		at := next
		next += log.Position(w.batch.entries())
		return []log.Range{log.Span(at, w.batch.entries())}, ctx.Err()
	}}
	return c
}

// What it costs an append to be traced, without the member: go test -run '^$' -bench Tracing ./cluster
func BenchmarkTracingAnAppend(b *testing.B) {
	for _, c := range []struct {
		name     string
		provider trace.TracerProvider
	}{{"none", nil}, {"recorded", sdktrace.NewTracerProvider()}} {
		b.Run(c.name, func(b *testing.B) {
			client := instant()
			client.trace(tracerOf(c.provider))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.Append(b.Context(), []byte("an entry")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestSpansOfALogWithANameSayIt(t *testing.T) {
	if !alone(t) {
		return
	}
	r := newRecorder()
	n := single(t, r.provider)
	orders, err := n.OpenLog(t.Context(), LogConfig{Name: "orders", AutoInitialize: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.Recovered(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := n.Log("orders") // that of a client, which the node is one of
	if err != nil {
		t.Fatal(err)
	}
	for _, appender := range []*Client{orders.Client, c} {
		if _, err := appender.Append(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	for name, spans := range map[string]int{spanAppend: 2, spanRecovery: 1} {
		named := slices.DeleteFunc(r.called(name), func(s sdktrace.ReadOnlySpan) bool { return says(s)["quorumlog.log"] != "orders" })
		if len(named) != spans {
			t.Errorf("%d spans %s say that they are of the log", len(named), name)
		}
	}
}
