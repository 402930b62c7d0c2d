// Package board shows over HTTP how a log is: to people a page, to programs JSON, to Prometheus metrics, to whoever runs the
// process health checks. It only reads.
//
//	/                   the page: members, the log, who writes, catch-ups, what happened; it goes on by itself
//	/livez              200 while the process runs
//	/readyz             200 once the local replica votes, in all logs, until the member is about to end; else 503, and why
//	/metrics            metrics, as Prometheus reads them
//	/api/logs           the names of the logs that the member has; the others below /api/, the page and /readyz take ?log=NAME
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
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/quorumlog/quorumlog/cluster"
)

//go:embed page
var page embed.FS

// Board is the HTTP side of one member.
type Board struct {
	registry *prometheus.Registry
	handler  http.Handler
	draining atomic.Bool
	places   chan struct{} // taken by those who stream

	mu   sync.Mutex
	logs map[string]*watched // by their names; none until the member is up
}

// New returns a board that serves metrics of these collectors, and says that there is no member yet.
func New(collectors ...prometheus.Collector) *Board {
	b := &Board{registry: prometheus.NewRegistry(), places: make(chan struct{}, maxStreams), logs: make(map[string]*watched)}
	b.registry.MustRegister(append(collectors, b.metrics())...)
	b.handler = guarded(b.routes())
	return b
}

// ServeHTTP implements http.Handler.
func (b *Board) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.handler.ServeHTTP(w, r) }

func (b *Board) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(b.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "ok") // nobody is there to be told
	})
	mux.HandleFunc("GET /readyz", b.serveReady)
	mux.HandleFunc("GET /api/status", b.whenUp(func(r *http.Request, m *watched) any { return m.look(r.Context()) }))
	mux.HandleFunc("GET /api/log", b.whenUp(func(r *http.Request, m *watched) any { return strips(m.look(r.Context())) }))
	mux.HandleFunc("GET /api/events", b.whenUp(func(r *http.Request, m *watched) any {
		m.look(r.Context())
		return append([]cluster.Happening{}, m.watcher.Events()...)
	}))
	mux.HandleFunc("GET /api/events/stream", b.stream)
	mux.HandleFunc("GET /api/logs", b.whenUp(func(*http.Request, *watched) any { return b.names() }))
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

// serveReady answers 200 once the replicas vote, until the board is drained.
func (b *Board) serveReady(w http.ResponseWriter, r *http.Request) {
	if b.draining.Load() {
		http.Error(w, "the member ends", http.StatusServiceUnavailable)
		return
	}
	if err := b.ready(r); err != nil {
		refuse(w, err)
		return
	}
	_, _ = fmt.Fprintln(w, voting) // as for livez
}

// voting is the status of a replica that is fully there.
const voting = "VOTING"

// whenUp answers with a document, once the member is up.
func (b *Board) whenUp(document func(*http.Request, *watched) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		m, err := b.asked(r)
		if err != nil {
			refuse(w, err)
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

// Strip is which positions a member has learned.
type Strip struct {
	Member  uint16        `json:"member"`  // its id
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
