package process

import (
	"errors"
	"testing"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/cluster"
)

func TestOnlyAnIndeterminateErrorLeavesTheOutcomeOpen(t *testing.T) {
	for _, c := range []struct {
		err  error
		want history.Outcome
	}{
		{nil, history.Succeeded},
		{errors.Join(cluster.ErrIndeterminate, cluster.ErrNoQuorum), history.Unknown},
		{cluster.ErrNoQuorum, history.Rejected},
		{cluster.ErrFenced, history.Rejected},
	} {
		var o history.Operation
		if became(&o, c.err); o.Outcome != c.want {
			t.Errorf("%v: want %v, got %v", c.err, c.want, o.Outcome)
		}
	}
}

func TestOnlyAFencedWriterCountsAsFenced(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{cluster.ErrFenced, true},
		{cluster.ErrNoQuorum, false},
		{cluster.ErrIndeterminate, false},
	} {
		var o history.Operation
		if became(&o, c.err); o.Fenced != c.want {
			t.Errorf("%v: want %v, got %v", c.err, c.want, o.Fenced)
		}
	}
}
