package board

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// watched is one log of the member whose board it is.
type watched struct {
	node    *cluster.Node
	id      log.ReplicaID
	watcher *Watcher
	streams *streams

	mu   sync.Mutex
	last View // of the last look
}

// Show has the board tell about a member's log, and serves its metrics. A program whose member has several logs (cluster.Node.Logs)
// shows each; a log that was closed and opened again is shown again.
func (b *Board) Show(node *cluster.Node, id log.ReplicaID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.logs[node.Name()] = &watched{node: node, id: id, watcher: NewWatcher(node.Client), streams: &streams{places: b.places}}
}

var (
	errNotUp = errors.New("the member is not up yet")
	errNoLog = errors.New("this member has no such log")
)

// asked is the log that a request is about: ?log=NAME, or the first one, which has no name.
func (b *Board) asked(r *http.Request) (*watched, error) {
	all := b.all()
	if len(all) == 0 {
		return nil, errNotUp
	}
	if !r.URL.Query().Has("log") {
		return all[0], nil
	}
	name := r.URL.Query().Get("log")
	i := slices.IndexFunc(all, func(m *watched) bool { return m.node.Name() == name })
	if i < 0 {
		return nil, fmt.Errorf("%w: %q: /api/logs has their names", errNoLog, name)
	}
	return all[i], nil
}

// all are the logs that are shown, in the order of their names.
func (b *Board) all() []*watched {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]*watched, 0, len(b.logs))
	for _, name := range slices.Sorted(maps.Keys(b.logs)) {
		all = append(all, b.logs[name])
	}
	return all
}

// refuse answers a request about a log that is not shown.
func refuse(w http.ResponseWriter, err error) {
	code := http.StatusServiceUnavailable
	if errors.Is(err, errNoLog) {
		code = http.StatusNotFound
	}
	http.Error(w, err.Error(), code)
}

// ready says whether the replicas vote: that of the log which is asked for, or those of all logs but those that the member was removed from.
func (b *Board) ready(r *http.Request) error {
	m, err := b.asked(r)
	if err != nil {
		return err
	}
	list := []*watched{m}
	if !r.URL.Query().Has("log") {
		list = slices.DeleteFunc(b.all(), func(m *watched) bool { return errors.Is(m.node.Err(), cluster.ErrRemoved) })
		if len(list) == 0 {
			return cluster.ErrRemoved
		}
	}
	var faults []error
	for _, m := range list {
		faults = append(faults, m.ready(r.Context()))
	}
	return errors.Join(faults...)
}

// ready asks the local replica of the log.
func (m *watched) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, statusPatience)
	defer cancel()
	s, err := m.node.StatusOf(ctx, m.id)
	if err == nil && s.Status != voting {
		err = errors.New(s.Status + " " + s.Error)
	}
	if err != nil && m.node.Name() != "" {
		err = fmt.Errorf("log %s: %w", m.node.Name(), err)
	}
	return err
}

// look looks at the log, unless somebody just has.
func (m *watched) look(ctx context.Context) View {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.last.At) > maxAge {
		v, fresh := m.watcher.Look(context.WithoutCancel(ctx)) // whoever waits behind gets it too
		m.last = v
		m.streams.publish(v, fresh)
	}
	return m.last
}

// Logs is /api/logs. Its JSON names are a contract.
type Logs struct {
	Names []string `json:"logs"` // in order; the log without a name is the empty one
}

func (b *Board) names() Logs {
	var l Logs
	for _, m := range b.all() {
		l.Names = append(l.Names, m.node.Name())
	}
	return l
}

// metrics are those of the logs that are shown at the time.
func (b *Board) metrics() prometheus.Collector { return shown{b} }

type shown struct{ board *Board }

// Describe implements prometheus.Collector. A collector that describes nothing is not checked.
func (shown) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s shown) Collect(to chan<- prometheus.Metric) {
	for _, m := range s.board.all() {
		m.node.Collector().Collect(to)
	}
}
