package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/quorumlog/quorumlog/log"
)

// company is several members in this process, which end with the test.
type company struct {
	t     *testing.T
	list  []Member
	data  string
	nodes map[log.ReplicaID]*Node
	alter func(*Config)
}

// startMembers starts n members with these logs.
func startMembers(t *testing.T, n int, alter func(*Config), logs ...string) *company {
	t.Helper()
	m := &company{t: t, data: t.TempDir(), nodes: make(map[log.ReplicaID]*Node), alter: alter}
	for i := range n {
		m.list = append(m.list, Member{log.ReplicaID(i + 1), free(t)})
	}
	t.Cleanup(func() {
		for id := range m.nodes {
			m.stop(id)
		}
	})
	for _, one := range m.list {
		m.start(one.ID, logs...)
	}
	for _, one := range m.list {
		m.await(one.ID, append([]string{""}, logs...)...)
	}
	return m
}

func (m *company) start(id log.ReplicaID, logs ...string) {
	m.t.Helper()
	c := Config{ID: id, Data: m.dir(id), Members: m.list, AutoInitialize: true, AutoElect: true, Logs: logs}
	if m.alter != nil {
		m.alter(&c)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	n, err := Start(ctx, c)
	if err != nil {
		m.t.Fatalf("start member %d: %v", id, err)
	}
	m.nodes[id] = n
}

func (m *company) dir(id log.ReplicaID) string { return filepath.Join(m.data, fmt.Sprint(id)) }

func (m *company) stop(id log.ReplicaID) {
	m.t.Helper()
	n := m.nodes[id]
	delete(m.nodes, id)
	if err := n.Close(); err != nil {
		m.t.Errorf("close member %d: %v", id, err)
	}
}

// on is a member's node of a log.
func (m *company) on(id log.ReplicaID, name string) *Node {
	m.t.Helper()
	all := m.nodes[id].Logs()
	i := slices.IndexFunc(all, func(n *Node) bool { return n.Name() == name })
	if i < 0 {
		m.t.Fatalf("member %d has no log %q", id, name)
	}
	return all[i]
}

// await waits until a member votes in these logs.
func (m *company) await(id log.ReplicaID, logs ...string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, name := range logs {
		if err := m.on(id, name).Recovered(ctx); err != nil {
			m.t.Fatalf("member %d in log %q: %v", id, name, err)
		}
	}
}

// append appends entries through a member.
func (m *company) append(id log.ReplicaID, name string, entries ...string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, e := range entries {
		if _, err := m.on(id, name).Append(ctx, []byte(e)); err != nil {
			m.t.Fatalf("append %s to log %q: %v", e, name, err)
		}
	}
}

// holds requires that a member's replica of a log has exactly these entries.
func (m *company) holds(id log.ReplicaID, name string, want ...string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	reader := m.on(id, name).Reader()
	if _, err := reader.Barrier(ctx); err != nil {
		m.t.Fatalf("member %d, log %q: %v", id, name, err)
	}
	var got []string
	for e, err := range reader.Read(ctx, 0, 0) {
		if err != nil {
			m.t.Fatalf("member %d, log %q: %v", id, name, err)
		}
		got = append(got, string(e.Data))
	}
	if !slices.Equal(got, want) {
		m.t.Errorf("member %d holds %v in log %q, want %v", id, got, name, want)
	}
}

func TestEachLogHasItsOwnEntries(t *testing.T) {
	if !alone(t) {
		return
	}
	m := startMembers(t, 2, nil, "orders", "users")
	m.append(1, "orders", "o1", "o2")
	m.append(2, "users", "u1")
	m.append(1, "", "one")
	m.append(2, "orders", "o3")
	for id := range m.nodes {
		m.holds(id, "orders", "o1", "o2", "o3")
		m.holds(id, "users", "u1")
		m.holds(id, "", "one")
	}
}

func TestALostDiskIsRecoveredInAllLogsUnderTheSameID(t *testing.T) {
	if !alone(t) {
		return
	}
	m := startMembers(t, 3, nil, "orders")
	m.append(1, "orders", "o1", "o2")
	m.append(1, "", "one")
	before := m.incarnations(3, "", "orders")
	m.stop(3)
	m.append(2, "orders", "o3")
	if err := os.RemoveAll(m.dir(3)); err != nil {
		t.Fatal(err)
	}
	m.start(3, "orders")
	m.await(3, "", "orders")
	m.holds(3, "orders", "o1", "o2", "o3")
	m.holds(3, "", "one")
	for name, was := range before {
		if now := m.incarnations(3, name)[name]; now == was {
			t.Errorf("in log %q it goes on as %s", name, was)
		}
	}
}

func (m *company) incarnations(id log.ReplicaID, names ...string) map[string]string {
	m.t.Helper()
	found := make(map[string]string)
	for _, name := range names {
		s, err := m.on(id, name).StatusOf(context.Background(), id)
		if err != nil {
			m.t.Fatal(err)
		}
		found[name] = s.Incarnation
	}
	return found
}

func TestAMemberThatIsRemovedFromOneLogGoesOnInTheOthers(t *testing.T) {
	if !alone(t) {
		return
	}
	m := startMembers(t, 3, nil, "orders")
	m.append(1, "orders", "o1")
	m.append(1, "", "one")
	removed := m.on(3, "orders")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	now, err := m.on(1, "orders").RemoveMember(ctx, 3)
	if err != nil || len(now.Members) != 2 {
		t.Fatalf("%+v, %v", now, err)
	}
	await(t, removed.Done(), "the removed replica to stop")
	if !errors.Is(removed.Err(), ErrRemoved) {
		t.Errorf("it stopped because of %v", removed.Err())
	}
	m.append(3, "", "two") // through the same process
	m.holds(3, "", "one", "two")
	if all, err := m.on(3, "").Membership(ctx); err != nil || len(all.Members) != 3 {
		t.Errorf("the members of the other log are %+v, %v", all, err)
	}
	if len(m.nodes[3].Logs()) != 1 {
		t.Errorf("%d logs are left", len(m.nodes[3].Logs()))
	}
	other, err := m.nodes[3].Log("orders") // it may still write to the log, as a client of the others
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Append(ctx, []byte("o2")); err != nil {
		t.Error(err)
	}
	m.holds(1, "orders", "o1", "o2")
}

func TestALogIsClosedAloneAndGoesOnWhereItWas(t *testing.T) {
	if !alone(t) {
		return
	}
	m := startMembers(t, 2, nil, "orders")
	m.append(1, "orders", "o1")
	again := LogConfig{Name: "orders", AutoInitialize: true, AutoElect: true}
	if _, err := m.nodes[1].OpenLog(t.Context(), again); !errors.Is(err, ErrLogOpen) {
		t.Errorf("it was opened twice: %v", err)
	}
	if err := m.on(1, "orders").Close(); err != nil {
		t.Fatal(err)
	}
	m.append(1, "", "one")
	if _, err := m.nodes[1].OpenLog(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	m.await(1, "orders")
	m.append(1, "orders", "o2")
	m.holds(1, "orders", "o1", "o2")
	m.holds(2, "orders", "o1", "o2")
}

// Between the end of the last log's actors and that of its disk the connections are gone.
func TestNoLogIsOpenedOnceTheConnectionsEnd(t *testing.T) {
	if !alone(t) {
		return
	}
	m := startMembers(t, 1, nil)
	h := m.nodes[1].host
	h.silence(m.nodes[1])
	if _, err := m.nodes[1].OpenLog(t.Context(), LogConfig{Name: "orders"}); !errors.Is(err, ErrClosed) {
		t.Errorf("it is opened: %v", err)
	}
}

func TestAMemberWithoutALogSaysSo(t *testing.T) {
	if !alone(t) {
		return
	}
	m := startMembers(t, 3, nil)
	for _, id := range []log.ReplicaID{1, 3} {
		if _, err := m.nodes[id].OpenLog(t.Context(), LogConfig{Name: "orders"}); err != nil {
			t.Fatal(err)
		}
	}
	const want = "member 2 does not have a log named orders: add it to its --logs"
	_, err := m.on(1, "orders").StatusOf(t.Context(), 2)
	if !errors.Is(err, ErrNoLog) || !strings.Contains(err.Error(), want) {
		t.Errorf("member 2 says %v", err)
	}
	nowhere, err := m.nodes[1].Log("nowhere")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := nowhere.Append(ctx, []byte("x")); !errors.Is(err, ErrNoLog) || ctx.Err() != nil {
		t.Errorf("a log that nobody has takes an append, or lets it wait: %v", err)
	}
	for _, err := range nowhere.ReaderOf(3).Read(ctx, 0, 0) {
		if !errors.Is(err, ErrNoLog) {
			t.Errorf("a log that nobody has can be read: %v", err)
		}
	}
}

func TestLogsShareTheConnections(t *testing.T) {
	if !alone(t) {
		return
	}
	m := startMembers(t, 3, nil, "a", "b", "c", "d", "e")
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		m.append(1, name, "x")
		m.append(2, name, "y")
		m.holds(3, name, "x", "y")
	}
	for id, n := range m.nodes {
		if links := len(n.host.transport.links.list()); links != 2 {
			t.Errorf("member %d has %d links to its two peers", id, links)
		}
		if open := n.host.transport.shakes.crowd.all.open; open != 2 {
			t.Errorf("%d connections lead to member %d from its two peers", open, id)
		}
	}
}

func TestMetricsOfLogsGoIntoOneRegistry(t *testing.T) {
	if !alone(t) {
		return
	}
	m := startMembers(t, 2, nil, "orders", "users")
	m.append(1, "orders", "o1", "o2", "o3")
	registry := prometheus.NewPedanticRegistry()
	for _, n := range m.nodes[1].Logs() {
		registry.MustRegister(n.Collector())
	}
	found, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, family := range found {
		for _, one := range family.GetMetric() {
			values[family.GetName()+labels(one)] = one.GetGauge().GetValue() + one.GetCounter().GetValue()
		}
	}
	for name, want := range map[string]float64{
		`quorumlog_end_position`: 0, `quorumlog_end_position{log="orders"}`: 3, `quorumlog_end_position{log="users"}`: 0,
		`quorumlog_recovered`: 1, `quorumlog_recovered{log="orders"}`: 1, `quorumlog_queue_bytes{log="orders",queue="appends"}`: 0,
	} {
		if got, served := values[name]; !served || got != want {
			t.Errorf("%s is %v (served: %v), want %v", name, got, served, want)
		}
	}
	for _, shared := range []string{`quorumlog_store_disk_bytes{log="orders"}`, `quorumlog_queue_bytes{log="orders",queue="peers"}`} {
		if _, served := values[shared]; served {
			t.Errorf("%s is told twice", shared)
		}
	}
}
