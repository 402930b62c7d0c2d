package coordinator

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

func TestAQueueKeepsNothingThatWasTaken(t *testing.T) {
	q := &queue{}
	for range 3 {
		q.push(newRequest(client{}, Append{Values: make([]log.Value, log.MaxRun)}))
	}
	before := q.requests
	if taken := q.batch(); len(taken) != 1 || len(taken[0].values) != log.MaxRun || len(q.requests) != 2 {
		t.Errorf("%d requests were taken, and %d are left", len(taken), len(q.requests))
	}
	if before[0].values != nil {
		t.Error("the queue keeps the values that were taken")
	}
}
