package coordinator

import (
	"fmt"
	"testing"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/log"
)

func TestAQueueKeepsNothingThatWasTaken(t *testing.T) {
	q := &queue{}
	for range 3 {
		q.push(newRequest(client{}, Append{Values: make([]log.Value, log.MaxRun)}), ensemble.MaxWaiting)
	}
	before := q.requests
	if taken := q.batch(); len(taken) != 1 || len(taken[0].values) != log.MaxRun || len(q.requests) != 2 {
		t.Errorf("%d requests were taken, and %d are left", len(taken), len(q.requests))
	}
	if before[0].values != nil {
		t.Error("the queue keeps the values that were taken")
	}
}

// A client may have 64 MiB on their way: what truncates is small, and takes turns with them.
func TestWhatTruncatesDoesNotWaitForAllThatWaits(t *testing.T) {
	q := &queue{}
	push := func(tag uint64, v log.Value) {
		q.push(newRequest(client{tag: tag}, Append{Tag: tag, Values: []log.Value{v}}), ensemble.MaxWaiting)
	}
	push(1, log.Value{Kind: log.Append})
	push(2, log.Value{Kind: log.Append})
	push(3, log.Value{Kind: log.Truncate, To: 1})
	push(4, log.Value{Kind: log.Truncate, To: 2})
	var batches [][]uint64
	for !q.empty() {
		var tags []uint64
		for _, r := range q.batch() {
			tags = append(tags, r.client.tag)
		}
		batches = append(batches, tags)
	}
	if got, want := fmt.Sprint(batches), "[[3] [1 2] [4]]"; got != want || q.cost != 0 || q.values != 0 {
		t.Errorf("the batches are %s, want %s; %d bytes of %d values are left", got, want, q.cost, q.values)
	}
}
