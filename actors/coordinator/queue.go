package coordinator

import "github.com/quorumlog/quorumlog/log"

// MaxQueued is how many bytes of values may wait. Beyond that a client is told to come back.
const MaxQueued = 64 << 20

// queue is the values that wait for the next batch, in the order of their arrival.
type queue struct {
	requests []request
	bytes    int
}

// request is one Append.
type request struct {
	client client
	fence  log.Proposal
	values []log.Value
	bytes  int
}

func newRequest(c client, m Append) request {
	r := request{client: c, fence: m.Fence, values: m.Values}
	for _, v := range m.Values {
		r.bytes += len(v.Data)
	}
	return r
}

// push adds a request, unless too much waits.
func (q *queue) push(r request) bool {
	if q.bytes+r.bytes > MaxQueued && len(q.requests) > 0 {
		return false
	}
	q.requests = append(q.requests, r)
	q.bytes += r.bytes
	return true
}

// batch takes the requests that fit into one message.
func (q *queue) batch() []request {
	n, values, bytes := 0, 0, 0
	for _, r := range q.requests {
		values, bytes = values+len(r.values), bytes+r.bytes
		if n > 0 && (values > log.MaxRun || bytes > log.MaxRunBytes) {
			break
		}
		n++
	}
	taken := q.requests[:n:n]
	q.requests = q.requests[n:]
	for _, r := range taken {
		q.bytes -= r.bytes
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
