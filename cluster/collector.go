package cluster

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/messages"
)

// collectPatience is how long a member may take to say how it is, when its metrics are asked for.
const collectPatience = time.Second

// Collector returns the metrics of the member, for the program to register: prometheus.MustRegister(node.Collector()). Their
// names begin with quorumlog_ and are a contract. A program with several members registers each with a label of its own
// (prometheus.WrapRegistererWith).
//
// Those of a log with a name have a label more, log, so that the collectors of all logs of a process go into one registry. What the
// logs share, the disk's room and what waits for the peers, the log without a name tells.
//
// What is counted is collected also once the node has stopped; how the member is only while it answers, within a second.
func (n *Node) Collector() prometheus.Collector { return &collector{n} }

type collector struct{ node *Node }

// Describe implements prometheus.Collector. A collector that describes nothing is not checked, and need not keep its
// descriptions.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	to := scrape{ch: ch, log: c.node.name}
	c.collectCounts(to)
	c.collectQueues(to)
	c.collectDisk(to)
	ctx, cancel := context.WithTimeout(context.Background(), collectPatience)
	defer cancel()
	s, err := c.node.StatusOf(ctx, c.node.config.ID)
	if err != nil {
		return
	}
	c.node.Client.follow(ctx, Member{s.ID, s.Address}, s.Epoch) // its members may be others since it was asked last
	collectStatus(to, s)
	c.collectVoters(to, s)
	collectPositions(to, s)
	c.collectPeers(to, s)
}

// scrape is one collection.
type scrape struct {
	ch  chan<- prometheus.Metric
	log string // the name of the log; empty for none
}

// value publishes a number. Labels are name, value, name, value.
func (s scrape) value(kind prometheus.ValueType, value float64, name, help string, labels ...string) {
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	s.ch <- prometheus.MustNewConstMetric(s.description(name, help, names), kind, value, values...)
}

func (s scrape) description(name, help string, labels []string) *prometheus.Desc {
	var own prometheus.Labels
	if s.log != "" {
		own = prometheus.Labels{"log": s.log}
	}
	return prometheus.NewDesc("quorumlog_"+name, help, labels, own)
}

func (s scrape) gauge(value float64, name, help string, labels ...string) {
	s.value(prometheus.GaugeValue, value, name, help, labels...)
}

func (s scrape) counter(value uint64, name, help string, labels ...string) {
	s.value(prometheus.CounterValue, float64(value), name, help, labels...)
}

// histogram publishes a histogram in units of scale.
func (s scrape) histogram(h *measure.Histogram, scale float64, name, help string) {
	buckets, total := make(map[float64]uint64), uint64(0)
	counts := h.Counts()
	for i, bound := range h.Bounds() {
		total += counts[i]
		buckets[float64(bound)/scale] = total
	}
	total += counts[len(counts)-1]
	s.ch <- prometheus.MustNewConstHistogram(s.description(name, help, nil), total, float64(h.Sum())/scale, buckets)
}

const nanoseconds = 1e9 // in a second

func (c *collector) collectCounts(to scrape) {
	m := c.node.measures
	for code, n := range m.Appends.All() {
		if result := appendResult(code); result != "" {
			to.counter(n, "appends_total", "Entries that clients asked this member to append, by what they were told.", "result", result)
		}
	}
	to.histogram(m.AppendTime, nanoseconds, "append_duration_seconds", "How long a request to append took here, from its arrival to its answer, where it was appended.")
	to.histogram(m.Batches, 1, "append_batch_entries", "How many entries one write to the replicas had.")
	for election, n := range m.Elections.All() {
		if result := measure.Election(election).String(); result != "" {
			to.counter(n, "writer_elections_total", "Elections of this member as the writer, by how they ended.", "result", result)
		}
	}
	for canvass, n := range m.Canvasses.All() {
		if result := measure.Canvass(canvass).String(); result != "" {
			to.counter(n, "writer_canvasses_total", "How often this member asked whether its election would be minded, by what it heard.", "result", result)
		}
	}
	c.collectAnswers(to)
	to.histogram(m.Syncs, nanoseconds, "store_sync_duration_seconds", "How long a sync of the disk took.")
	to.histogram(m.Catchups, nanoseconds, "catchup_duration_seconds", "How long a catch-up took that had something to learn.")
	to.counter(m.CatchupBytes.Value(), "catchup_bytes_total", "Bytes of entries that catch-ups copied.")
	to.counter(m.DigestMismatches.Value(), "digest_mismatches_total", "How often the log here and that of a peer were found to differ.")
}

// appendResult is how an answer to a client is published; empty where an append is never answered so.
func appendResult(code int) string {
	switch c := messages.Code(code); c {
	case messages.Code_CODE_UNSPECIFIED:
		return "appended"
	case messages.Code_CODE_TRUNCATED, messages.Code_CODE_NOT_LEARNED, messages.Code_CODE_CORRUPT, messages.Code_CODE_BAD_RANGE:
		return ""
	default:
		name, known := strings.CutPrefix(c.String(), "CODE_")
		if !known { // a number without a name
			return ""
		}
		return strings.ToLower(name)
	}
}

func (c *collector) collectAnswers(to scrape) {
	m := c.node.measures
	for kind := range m.Promises {
		for answer, n := range m.Promises[kind].All() {
			if result := measure.Answer(answer).String(); result != "" {
				to.counter(n, "promise_requests_total", "Requests for promises that the replica answered.",
					"kind", measure.Kind(kind).String(), "result", result)
			}
		}
	}
	for answer, n := range m.Writes.All() {
		if result := measure.Answer(answer).String(); result != "" {
			to.counter(n, "write_requests_total", "Requests to write that the replica answered.", "result", result)
		}
	}
}

func (c *collector) collectQueues(to scrape) {
	m := c.node.measures
	queue := func(name string, bytes int64, rejected uint64) {
		to.gauge(float64(bytes), "queue_bytes", "What waits in memory, about.", "queue", name)
		to.counter(rejected, "queue_rejected_total", "Requests, answers or packets that were turned away, or dropped, because a queue was full.", "queue", name)
	}
	queue("appends", m.Waiting.Bytes.Value(), m.Waiting.Rejected.Value())
	queue("elections", m.Searching.Bytes.Value(), m.Searching.Rejected.Value())
	queue("answers", m.Answers.Bytes.Value(), m.Answers.Rejected.Value())
	if t := c.node.host.transport; c.node.name == "" && t.links != nil {
		bytes, dropped := t.links.load()
		queue("peers", int64(bytes), dropped)
	}
}

func (c *collector) collectDisk(to scrape) {
	to.counter(c.node.corruptions.Value()+c.node.measures.DamagedRecords.Value(), "store_corruptions_total", "How often the disk was found to hold what was not written to it, at the start or since.")
	if disk, live, err := c.node.store.Size(); err == nil { // else the store is closed, or has failed, which is told elsewhere
		if c.node.name == "" {
			to.gauge(float64(disk), "store_disk_bytes", "What the data directory takes.")
		}
		to.gauge(float64(live), "store_live_bytes", "What the records take that are kept, about.")
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func collectStatus(to scrape, s Status) {
	const voting = "VOTING"
	for _, name := range []string{"EMPTY", "STARTING", "RECOVERING", voting} {
		to.gauge(truth(s.Status == name), "replica_status", "1 for the status that the replica has, 0 for the others.", "status", name)
	}
	to.gauge(truth(s.Status == voting), "recovered", "1 once the replica votes.")
	to.gauge(truth(s.Leader), "writer_elected", "1 while the member's coordinator is elected.")
	round, _, _ := strings.Cut(s.Promised, ".")
	if n, err := strconv.ParseUint(round, 10, 64); err == nil {
		to.gauge(float64(n), "promised_round", "The round of the proposal that the replica has promised for all positions.")
	}
}

// collectVoters tells whose votes count: an observer that has recovered is no part of a quorum.
func (c *collector) collectVoters(to scrape, s Status) {
	voters := c.node.voters()
	to.gauge(truth(slices.Contains(voters, s.ID)), "voter", "1 for a member whose vote counts, 0 for an observer.")
	to.gauge(float64(len(voters)), "voters", "Members whose votes count, as this one knows; a quorum is more than half of them.")
}

func collectPositions(to scrape, s Status) {
	to.gauge(float64(s.Begin), "begin_position", "The first position that the replica keeps.")
	to.gauge(float64(s.End), "end_position", "The highest position that the replica holds anything for.")
	to.gauge(float64(s.Learned), "learned_position", "Up to where the replica has learned everything.")
	to.gauge(float64(s.Holes), "holes", "Positions from begin to end that the replica has not learned.")
	left := s.Catchup.Total - min(s.Catchup.Done, s.Catchup.Total)
	to.gauge(float64(left), "catchup_remaining_positions", "Positions that the catch-up still has to learn.")
}

func (c *collector) collectPeers(to scrape, s Status) {
	to.gauge(float64(len(s.Present)), "ensemble_size", "Members that the replica hears, itself included.")
	for _, m := range c.node.Members() {
		if m.ID == s.ID {
			continue
		}
		heard := false
		for _, id := range s.Present {
			heard = heard || id == m.ID
		}
		peer := strconv.Itoa(int(m.ID))
		to.gauge(truth(heard), "peer_connected", "1 while the replica hears the peer.", "peer", peer)
		if rtt, known := c.node.measures.RTT(m.ID); known {
			to.gauge(rtt.Seconds(), "peer_rtt_seconds", "How long the peer took to answer the last greeting.", "peer", peer)
		}
	}
}
