// Package board shows over HTTP how a log is: to people a page, to programs JSON, to Prometheus metrics, to whoever runs the
// process health checks. It only reads.
//
//	/                   the page: members, the log, who writes, catch-ups, what happened; it goes on by itself
//	/livez              200 while the process runs
//	/readyz             200 once the local replica votes, until the member is about to end; else 503, and why
//	/metrics            metrics, as Prometheus reads them
//	/api/status         a View: all members, as one look shows them
//	/api/log            which positions each member has learned
//	/api/events         the last events of all members that the board has seen
//	/api/events/stream  Server-Sent Events: "view" with a View each second, "happening" with each event, "points" once, with the
//	                    rates of the last minutes
//
// The log is looked at while somebody asks, at most once in half a second, however many ask. A board has no login: who may
// connect may read it. What it shows has no entries of the log.
package board

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

//go:embed page
var page embed.FS

// Board is the HTTP side of one member.
type Board struct {
	registry *prometheus.Registry
	handler  http.Handler
	member   atomic.Pointer[watched] // nil until the member is up
	draining atomic.Bool
	streams  streams

	mu   sync.Mutex
	last View // of the last look
}

// watched is the member whose board it is.
type watched struct {
	node    *cluster.Node
	id      log.ReplicaID
	watcher *Watcher
}

// New returns a board that serves metrics of these collectors, and says that there is no member yet.
func New(collectors ...prometheus.Collector) *Board {
	b := &Board{registry: prometheus.NewRegistry()}
	b.registry.MustRegister(collectors...)
	b.handler = guarded(b.routes())
	return b
}

// Show has the board tell about a member, once; its metrics are served too.
func (b *Board) Show(node *cluster.Node, id log.ReplicaID) {
	if b.member.CompareAndSwap(nil, &watched{node, id, NewWatcher(node.Client)}) {
		b.registry.MustRegister(node.Collector())
	}
}

// ServeHTTP implements http.Handler.
func (b *Board) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.handler.ServeHTTP(w, r) }

func (b *Board) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(b.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "ok") // nobody is there to be told
	})
	mux.HandleFunc("GET /readyz", b.ready)
	mux.HandleFunc("GET /api/status", b.whenUp(func(r *http.Request, m *watched) any { return b.look(r.Context(), m) }))
	mux.HandleFunc("GET /api/log", b.whenUp(func(r *http.Request, m *watched) any { return strips(b.look(r.Context(), m)) }))
	mux.HandleFunc("GET /api/events", b.whenUp(func(r *http.Request, m *watched) any {
		b.look(r.Context(), m)
		return append([]cluster.Happening{}, m.watcher.Events()...)
	}))
	mux.HandleFunc("GET /api/events/stream", b.stream)
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic("the page is not in the program: " + err.Error()) // embed has it
	}
	mux.Handle("GET /", http.FileServerFS(files))
	return mux
}

// statusPatience is how long the local member may take to say whether it votes.
const statusPatience = time.Second

// Drain has the board say that the member is not ready any more, since it is about to end: whoever sends it clients sends them
// elsewhere before it is gone.
func (b *Board) Drain() { b.draining.Store(true) }

// ready answers 200 once the replica votes, until the board is drained.
func (b *Board) ready(w http.ResponseWriter, r *http.Request) {
	if b.draining.Load() {
		http.Error(w, "the member ends", http.StatusServiceUnavailable)
		return
	}
	s, err := b.status(r.Context())
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case s.Status != "VOTING":
		http.Error(w, s.Status+" "+s.Error, http.StatusServiceUnavailable)
	default:
		_, _ = fmt.Fprintln(w, s.Status) // as for livez
	}
}

var errNotUp = errors.New("the member is not up yet")

// status asks the local member how it is.
func (b *Board) status(ctx context.Context) (cluster.Status, error) {
	m := b.member.Load()
	if m == nil {
		return cluster.Status{}, errNotUp
	}
	ctx, cancel := context.WithTimeout(ctx, statusPatience)
	defer cancel()
	return m.node.StatusOf(ctx, m.id)
}

// whenUp answers with a document, once the member is up.
func (b *Board) whenUp(document func(*http.Request, *watched) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		m := b.member.Load()
		if m == nil {
			http.Error(w, errNotUp.Error(), http.StatusServiceUnavailable)
			return
		}
		text, err := json.Marshal(document(r, m))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(text, '\n')) // as for livez
	}
}

// maxAge is how old a look may be that is shown again.
const maxAge = 500 * time.Millisecond

// look looks at the log, unless somebody just has.
func (b *Board) look(ctx context.Context, m *watched) View {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.last.At) > maxAge {
		v, fresh := m.watcher.Look(context.WithoutCancel(ctx)) // whoever waits behind gets it too
		b.last = v
		b.streams.publish(v, fresh)
	}
	return b.last
}

// Strip is which positions a member has learned.
type Strip struct {
	Member  uint16        `json:"member"`
	Begin   uint64        `json:"begin"`   // the first position that it keeps
	End     uint64        `json:"end"`     // the highest position that it knows of
	Learned uint64        `json:"learned"` // up to where it has learned everything
	Gaps    []cluster.Gap `json:"gaps"`    // not learned, from begin to end; the last of 64 holds all the rest
}

// Log is /api/log. Its JSON names are a contract.
type Log struct {
	Begin  uint64  `json:"begin"`   // the lowest begin of those who answer
	End    uint64  `json:"end"`     // the highest end of them
	Strips []Strip `json:"members"` // of those who answer
}

func strips(v View) Log {
	l := Log{Begin: v.Begin, End: v.End, Strips: []Strip{}}
	for _, m := range v.Members {
		if m.Reachable {
			gaps := append([]cluster.Gap{}, m.Gaps...)
			l.Strips = append(l.Strips, Strip{uint16(m.ID), uint64(m.Begin), uint64(m.End), uint64(m.Learned), gaps})
		}
	}
	return l
}
