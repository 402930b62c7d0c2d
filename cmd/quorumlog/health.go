package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// health answers who asks over HTTP how the member is. A nil health has no port.
type health struct {
	server *http.Server
	member atomic.Pointer[watched] // nil until the member is up
}

// watched is the member that health tells about.
type watched struct {
	node *cluster.Node
	id   log.ReplicaID
}

// How long a question may take, to the member and over HTTP.
const (
	statusPatience = time.Second
	httpPatience   = 10 * time.Second
)

// serveHTTP listens on --http.
func (p *program) serveHTTP(logger zerolog.Logger) (*health, error) {
	if p.http == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", p.http)
	if err != nil {
		return nil, fmt.Errorf("--http %s: %w: %w", p.http, cluster.ErrAddress, err)
	}
	h := &health{}
	h.server = &http.Server{Handler: h.handler(), ReadHeaderTimeout: httpPatience, WriteTimeout: httpPatience}
	go func() {
		if err := h.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			logger.Error().Err(err).Msg("health and metrics are not served any more")
		}
	}()
	logger.Info().Stringer("address", listener.Addr()).Msg("health and metrics are served")
	return h, nil
}

func (h *health) handler() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&metrics{health: h})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "ok") // nobody is there to be told
	})
	mux.HandleFunc("GET /readyz", h.ready)
	return mux
}

// ready answers 200 once the replica votes.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	s, err := h.status(r.Context())
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case s.Status != voting:
		http.Error(w, s.Status+" "+s.Error, http.StatusServiceUnavailable)
	default:
		_, _ = fmt.Fprintln(w, s.Status) // as for livez
	}
}

// watch tells health about a member.
func (h *health) watch(node *cluster.Node, id log.ReplicaID) {
	if h != nil {
		h.member.Store(&watched{node, id})
	}
}

// status asks the member how it is.
func (h *health) status(ctx context.Context) (cluster.Status, error) {
	m := h.member.Load()
	if m == nil {
		return cluster.Status{}, errors.New("the member is not up yet")
	}
	ctx, cancel := context.WithTimeout(ctx, statusPatience)
	defer cancel()
	return m.node.StatusOf(ctx, m.id)
}

func (h *health) close() {
	if h != nil {
		_ = h.server.Close() // there is nothing to save
	}
}
