package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/quorumlog/quorumlog/cluster"
)

// metrics asks the member how it is, each time that somebody asks for its metrics. While it cannot answer there is
// nothing but the build.
type metrics struct{ health *health }

// describe makes the description of a metric. Its name is a contract.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("quorumlog_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector. A collector that describes nothing is not checked, and need not keep its
// descriptions.
func (m *metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	b := thisBuild()
	gauge(to, describe("build_info", "What the program was made from.", "version", "revision", "go"), 1, b.Version, b.Revision, b.Go)
	s, err := m.health.status(context.Background())
	if err != nil {
		return
	}
	collectStatus(to, s)
	collectPositions(to, s)
	collectPeers(to, s, m.health.member.Load().node.Members())
}

func gauge(to chan<- prometheus.Metric, what *prometheus.Desc, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(what, prometheus.GaugeValue, value, labels...)
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// voting is the status of a replica that is fully there.
const voting = "VOTING"

func collectStatus(to chan<- prometheus.Metric, s cluster.Status) {
	status := describe("replica_status", "1 for the status that the replica has, 0 for the others.", "status")
	for _, name := range []string{"EMPTY", "STARTING", "RECOVERING", voting} {
		gauge(to, status, truth(s.Status == name), name)
	}
	gauge(to, describe("recovered", "1 once the replica votes."), truth(s.Status == voting))
	gauge(to, describe("writer_elected", "1 while the member's coordinator is elected."), truth(s.Leader))
	round, _, _ := strings.Cut(s.Promised, ".")
	if n, err := strconv.ParseUint(round, 10, 64); err == nil {
		gauge(to, describe("promised_round", "The round of the proposal that the replica has promised for all positions."), float64(n))
	}
}

func collectPositions(to chan<- prometheus.Metric, s cluster.Status) {
	gauge(to, describe("begin_position", "The first position that the replica keeps."), float64(s.Begin))
	gauge(to, describe("end_position", "The highest position that the replica holds anything for."), float64(s.End))
	gauge(to, describe("learned_position", "Up to where the replica has learned everything."), float64(s.Learned))
	gauge(to, describe("holes", "Positions from begin to end that the replica has not learned."), float64(s.Holes))
	left := s.Catchup.Total - min(s.Catchup.Done, s.Catchup.Total)
	gauge(to, describe("catchup_remaining_positions", "Positions that the catch-up still has to learn."), float64(left))
	to <- prometheus.MustNewConstMetric(
		describe("catchup_bytes_total", "Bytes copied by the catch-up; from 0 again with each."),
		prometheus.CounterValue, float64(s.Catchup.Bytes))
}

func collectPeers(to chan<- prometheus.Metric, s cluster.Status, members []cluster.Member) {
	gauge(to, describe("ensemble_size", "Members that the replica hears, itself included."), float64(len(s.Present)))
	connected := describe("peer_connected", "1 while the replica hears the peer.", "peer")
	for _, m := range members {
		if m.ID == s.ID {
			continue
		}
		heard := false
		for _, id := range s.Present {
			heard = heard || id == m.ID
		}
		gauge(to, connected, truth(heard), strconv.Itoa(int(m.ID)))
	}
}
