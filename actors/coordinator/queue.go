package coordinator

import (
	"slices"

	"github.com/quorumlog/quorumlog/log"
)

// maxCuts is how many requests that truncate may wait although the values do not fit any more.
const maxCuts = 64

// perValue is what a value takes in memory besides its data, in bytes, about.
const perValue = 64

// Cost is what values take in memory while they wait, in bytes, about. Empty entries take some, too.
func Cost(values []log.Value) int {
	cost := perValue * len(values)
	for _, v := range values {
		cost += len(v.Data)
	}
	return cost
}

// queue is the values that wait for the next batch, in the order of their arrival. What truncates takes turns with the others: it is
// small, and whoever has 64 MiB on their way need not wait for them. It names positions that were acknowledged, so it needs none of
// what waits.
type queue struct {
	cutting  []request // that truncate
	cut      bool      // the last batch did
	requests []request
	cost     int
	values   int
}

// request is one Append.
type request struct {
	client client
	fence  log.Proposal
	values []log.Value
	cost   int
	cuts   bool // one of the values is a TRUNCATE

	since   log.Position
	resolve bool
	places  []log.Range // where the first values of a session are already; they are not among values any more
}

func newRequest(c client, m Append) request {
	cuts := slices.ContainsFunc(m.Values, func(v log.Value) bool { return v.Kind == log.Truncate })
	return request{client: c, fence: m.Fence, values: m.Values, cost: Cost(m.Values), cuts: cuts, since: m.Since, resolve: m.Resolve}
}

// bytes is the size of the values' data.
func (r request) bytes() int { return r.cost - perValue*len(r.values) }

// push adds a request, unless too much waits: room is how many bytes of values, counted by Cost, may. Then a client is told to come
// back.
func (q *queue) push(r request, room int) bool {
	if fits := q.cost+r.cost <= room || r.cuts && len(q.cutting) < maxCuts; !fits && !q.empty() {
		return false
	}
	if r.cuts {
		q.cutting = append(q.cutting, r)
	} else {
		q.requests = append(q.requests, r)
	}
	q.count(r, 1)
	return true
}

// count adds a request to the sums, or takes it away.
func (q *queue) count(r request, sign int) {
	q.cost, q.values = q.cost+sign*r.cost, q.values+sign*len(r.values)
}

// batch takes the requests that fit into one message. Whatever truncates is in a batch of its own: what may be truncated
// depends on what is chosen.
func (q *queue) batch() []request {
	if q.cut = q.truncates(); q.cut {
		return q.take(&q.cutting, 1)
	}
	n, values, bytes := 0, 0, 0
	for _, r := range q.requests {
		values, bytes = values+len(r.values), bytes+r.bytes()
		if n > 0 && (values > log.MaxRun || bytes > log.MaxRunBytes) {
			break
		}
		n++
	}
	return q.take(&q.requests, n)
}

// take takes the first of some requests.
func (q *queue) take(from *[]request, n int) []request {
	taken := slices.Clone((*from)[:n])
	clear((*from)[:n]) // what lies before the rest is not freed with it
	*from = (*from)[n:]
	for _, r := range taken {
		q.count(r, -1)
	}
	return taken
}

// drain takes everything.
func (q *queue) drain() []request {
	all := slices.Concat(q.cutting, q.requests)
	*q = queue{}
	return all
}

// full says whether a message can be filled.
func (q *queue) full() bool {
	return q.values >= log.MaxRun || q.cost-perValue*q.values >= log.MaxRunBytes
}

// truncates says whether the next batch does.
func (q *queue) truncates() bool { return len(q.cutting) > 0 && (!q.cut || len(q.requests) == 0) }

func (q *queue) empty() bool { return len(q.cutting)+len(q.requests) == 0 }
