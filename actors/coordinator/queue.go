package coordinator

import "github.com/quorumlog/quorumlog/log"

// MaxQueued is how many bytes of values, counted by Cost, may wait. Beyond that a client is told to come back.
const MaxQueued = 64 << 20

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

// queue is the values that wait for the next batch, in the order of their arrival.
type queue struct {
	requests []request
	cost     int
}

// request is one Append.
type request struct {
	client client
	fence  log.Proposal
	values []log.Value
	cost   int
}

func newRequest(c client, m Append) request {
	return request{client: c, fence: m.Fence, values: m.Values, cost: Cost(m.Values)}
}

// bytes is the size of the values' data.
func (r request) bytes() int { return r.cost - perValue*len(r.values) }

// push adds a request, unless too much waits.
func (q *queue) push(r request) bool {
	if q.cost+r.cost > MaxQueued && len(q.requests) > 0 {
		return false
	}
	q.requests = append(q.requests, r)
	q.cost += r.cost
	return true
}

// batch takes the requests that fit into one message.
func (q *queue) batch() []request {
	n, values, bytes := 0, 0, 0
	for _, r := range q.requests {
		values, bytes = values+len(r.values), bytes+r.bytes()
		if n > 0 && (values > log.MaxRun || bytes > log.MaxRunBytes) {
			break
		}
		n++
	}
	taken := q.requests[:n:n]
	q.requests = q.requests[n:]
	for _, r := range taken {
		q.cost -= r.cost
	}
	return taken
}

// drain takes everything.
func (q *queue) drain() []request {
	all := q.requests
	*q = queue{}
	return all
}

func (q *queue) empty() bool { return len(q.requests) == 0 }
