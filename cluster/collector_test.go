package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/quorumlog/quorumlog/actors/measure"
)

// The names are a contract: dashboards and alerts ask for them. What each has when a member has appended and was asked for
// everything else is what it must have at least. What cannot be had here is 0.
func TestEveryMetricIsServedAndMoves(t *testing.T) {
	if !alone(t) {
		return
	}
	first, second := twoMembers(t)
	w, err := first.Writer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AppendBatch(t.Context(), [][]byte{[]byte("one"), []byte("two"), []byte("three")}); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Writer(t.Context()); err != nil { // it learns what the first one wrote, and fences it
		t.Fatal(err)
	}
	if _, err := w.Append(t.Context(), []byte("four")); !errors.Is(err, ErrFenced) {
		t.Fatalf("the first writer appended after the second was elected: %v", err)
	}
	for _, m := range wanted(gather(t, first), gather(t, second)) {
		if value, served := m.from[m.name]; !served || value < m.least {
			t.Errorf("%s is %v (served: %v), expected at least %v", m.name, value, served, m.least)
		}
	}
}

// wantedMetric is one that a member must serve, and how much it must be at least.
type wantedMetric struct {
	from  map[string]float64
	name  string
	least float64
}

func wanted(one, two map[string]float64) []wantedMetric {
	return []wantedMetric{
		{one, `quorumlog_replica_status{status="VOTING"}`, 1},
		{one, `quorumlog_replica_status{status="EMPTY"}`, 0},
		{one, `quorumlog_recovered`, 1},
		{one, `quorumlog_voter`, 1},
		{one, `quorumlog_voters`, 2},
		{one, `quorumlog_ensemble_size`, 2},
		{one, `quorumlog_begin_position`, 1},
		{one, `quorumlog_end_position`, 3},
		{one, `quorumlog_learned_position`, 3},
		{one, `quorumlog_holes`, 0},
		{one, `quorumlog_promised_round`, 1},
		{one, `quorumlog_catchup_remaining_positions`, 0},
		{one, `quorumlog_catchup_bytes_total`, 0},
		{one, `quorumlog_catchup_duration_seconds`, 0},
		{one, `quorumlog_append_duration_seconds`, 1},
		{one, `quorumlog_append_batch_entries`, 1},
		{one, `quorumlog_appends_total{result="appended"}`, 3},
		{one, `quorumlog_appends_total{result="fenced"}`, 1},
		{one, `quorumlog_appends_total{result="indeterminate"}`, 0},
		{one, `quorumlog_writer_elections_total{result="won"}`, 1},
		{one, `quorumlog_writer_elections_total{result="lost"}`, 0},
		{one, `quorumlog_writer_elections_total{result="no_quorum"}`, 0},
		{one, `quorumlog_writer_canvasses_total{result="minded"}`, 0},
		{one, `quorumlog_writer_elected`, 0},
		{two, `quorumlog_writer_elected`, 1},
		{two, `quorumlog_writer_elections_total{result="won"}`, 1},
		{one, `quorumlog_promise_requests_total{kind="implicit",result="granted"}`, 2},
		{one, `quorumlog_promise_requests_total{kind="reign",result="granted"}`, 2},
		{one, `quorumlog_promise_requests_total{kind="explicit",result="rejected"}`, 0},
		{two, `quorumlog_write_requests_total{result="granted"}`, 1},
		{one, `quorumlog_store_sync_duration_seconds`, 2},
		{one, `quorumlog_store_disk_bytes`, 1},
		{one, `quorumlog_store_live_bytes`, 0},
		{one, `quorumlog_store_corruptions_total`, 0},
		{one, `quorumlog_peer_connected{peer="2"}`, 1},
		{one, `quorumlog_peer_rtt_seconds{peer="2"}`, 1e-6},
		{one, `quorumlog_queue_bytes{queue="appends"}`, 0},
		{one, `quorumlog_queue_bytes{queue="elections"}`, 0},
		{one, `quorumlog_queue_bytes{queue="answers"}`, 0},
		{one, `quorumlog_queue_bytes{queue="peers"}`, 0},
		{one, `quorumlog_queue_rejected_total{queue="appends"}`, 0},
		{one, `quorumlog_digest_mismatches_total`, 0},
	}
}

func TestCorruptionsAreCounted(t *testing.T) {
	n := &Node{failed: make(chan error, 1), measures: measure.New(time.Now())}
	n.fail(fmt.Errorf("read: %w", ErrCorrupt))
	n.fail(errors.New("another fault"))
	if n.corruptions.Value() != 1 {
		t.Errorf("%d corruptions were counted", n.corruptions.Value())
	}
}

func TestHistoryTellsElectionsAndFencingInOrder(t *testing.T) {
	if !alone(t) {
		return
	}
	first, second := twoMembers(t)
	for _, n := range []*Node{first, second} {
		if _, err := n.Writer(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h, err := second.HistoryOf(t.Context(), 1, Bookmark{})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for i, e := range h.Events {
		if e.Kind != "peer_present" && e.Kind != "peer_absent" {
			kinds = append(kinds, e.Kind+" "+e.To)
		}
		if e.Sequence != uint64(i+1) || e.Member != 1 || e.At.IsZero() {
			t.Errorf("event %d is %+v", i+1, e)
		}
	}
	if got := strings.Join(kinds, ", "); !strings.Contains(got, "status VOTING, recovered , elected ") || !strings.Contains(got, ", fenced ") {
		t.Errorf("it tells of %s", got)
	}
	if rest, err := second.HistoryOf(t.Context(), 1, h.Next); err != nil || len(rest.Events) > 1 {
		t.Errorf("the rest is %v, %v", rest, err)
	}
}

// twoMembers starts a log of two members in this process, which end with the test.
func twoMembers(t *testing.T) (first, second *Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	members := []Member{{1, free(t)}, {2, free(t)}}
	nodes := make([]*Node, 2)
	for i, m := range members {
		n, err := Start(ctx, Config{ID: m.ID, Data: t.TempDir(), Members: members, AutoInitialize: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
		nodes[i] = n
	}
	for _, n := range nodes {
		if err := n.Recovered(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return nodes[0], nodes[1]
}

// gather returns the metrics of a node, by name and labels; of a histogram, how much it counted.
func gather(t *testing.T, n *Node) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(n.Collector())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			values[family.GetName()+labels(m)] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return values
}

func labels(m *dto.Metric) string {
	var pairs []string
	for _, l := range m.GetLabel() {
		pairs = append(pairs, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
	}
	if len(pairs) == 0 {
		return ""
	}
	return "{" + strings.Join(pairs, ",") + "}"
}
