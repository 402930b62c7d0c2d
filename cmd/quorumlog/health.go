package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/net/netutil"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/board"
	"github.com/quorumlog/quorumlog/log"
)

// health answers who asks over HTTP how the member is: see package board. A nil health has no port.
type health struct {
	server *http.Server
	board  *board.Board
}

// Bounds of what is asked over HTTP.
const (
	httpPatience = 10 * time.Second // for a question, and for its answer; a stream has its own
	httpIdle     = 2 * time.Minute  // between two questions
	maxHeader    = 16 << 10         // bytes
	maxHTTP      = 256              // connections; who comes then waits for one that ends
)

// serveHTTP listens on --http. The metrics of more collectors are served with the others.
func (p *program) serveHTTP(logger zerolog.Logger, more ...prometheus.Collector) (*health, error) {
	if p.http == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", p.http)
	if err != nil {
		return nil, fmt.Errorf("--http %s: %w: %w", p.http, cluster.ErrAddress, err)
	}
	h := &health{board: board.New(append(more, buildInfo{})...)}
	h.server = &http.Server{
		Handler: h.board, ReadHeaderTimeout: httpPatience, ReadTimeout: httpPatience, WriteTimeout: httpPatience, IdleTimeout: httpIdle,
		MaxHeaderBytes: maxHeader,
	}
	go func() {
		if err := h.server.Serve(netutil.LimitListener(listener, maxHTTP)); !errors.Is(err, http.ErrServerClosed) {
			logger.Error().Err(err).Msg("the page, health and metrics are not served any more")
		}
	}()
	logger.Info().Str("url", "http://"+listener.Addr().String()+"/").Msg("the page, health and metrics are served")
	return h, nil
}

// watch tells health about a member, and all its logs.
func (h *health) watch(node *cluster.Node, id log.ReplicaID) {
	if h == nil {
		return
	}
	for _, n := range node.Logs() {
		h.board.Show(n, id)
	}
}

// drain has the page say that the member is about to end.
func (h *health) drain() {
	if h != nil {
		h.board.Drain()
	}
}

func (h *health) close() {
	if h != nil {
		_ = h.server.Close() // there is nothing to save
	}
}

// voting is the status of a replica that is fully there.
const voting = "VOTING"

// buildInfo is the metric that says what the program was made from. Its name and labels are a contract.
type buildInfo struct{}

// Describe implements prometheus.Collector. A collector that describes nothing is not checked, and need not keep its
// descriptions.
func (buildInfo) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (buildInfo) Collect(to chan<- prometheus.Metric) {
	b := thisBuild()
	what := prometheus.NewDesc("quorumlog_build_info", "What the program was made from.", []string{"version", "revision", "go"}, nil)
	to <- prometheus.MustNewConstMetric(what, prometheus.GaugeValue, 1, b.Version, b.Revision, b.Go)
}
