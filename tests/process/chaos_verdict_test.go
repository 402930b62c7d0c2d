package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/history/linear"
	"github.com/quorumlog/quorumlog/log"
)

// finish ends the load, and compares what it was told with what every member holds.
func (c *chaos) finish() *history.History {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h, err := c.whole.Finish(ctx)
	if err != nil {
		c.t.Fatalf("the last append: %v", err)
	}
	var logs []history.Log
	for id := range c.everyone() {
		l, err := ReadLog(ctx, c.client, log.ReplicaID(id), h.Highest())
		if err != nil {
			c.t.Fatal(err)
		}
		logs = append(logs, l)
	}
	if err := history.Join(h.Check(logs...)); err != nil {
		c.t.Errorf("the log is not what its clients were told:\n%v", err)
	}
	c.secondOpinion(h, logs)
	c.report(h)
	return h
}

// How a second opinion is asked for: it takes its time.
const (
	mostOperations = 20000 // of a history
	window         = 500   // operations that are searched together
	searchTime     = 5 * time.Second
)

// secondOpinion has Porcupine look at a history that is short enough.
func (c *chaos) secondOpinion(h *history.History, logs []history.Log) {
	c.t.Helper()
	if len(h.Operations) > mostOperations {
		return
	}
	began := time.Now()
	switch err := linear.Check(h, logs, window, searchTime); {
	case errors.Is(err, linear.ErrUndecided):
		c.t.Logf("no second opinion: %v", err)
	case err != nil:
		c.t.Errorf("no order of what the clients were told explains it: %v", err)
	default:
		c.t.Logf("Porcupine agrees, after %s", ms(time.Since(began)))
	}
}

func (c *chaos) report(h *history.History) {
	c.t.Helper()
	for i := range c.blows {
		c.blows[i].to = c.load.Since()
		if i+1 < len(c.blows) {
			c.blows[i].to = c.blows[i+1].from
		}
	}
	gap, began := h.LongestGap()
	c.t.Logf("in %s: %s\n%s\nthe longest gap of all: %s\n%v", c.load.Since().Round(time.Second), counted(c.counts), told(h),
		ms(gap), gapsAfter(h, c.blows))
	if n := c.whole.Unresolved(); n > 0 {
		c.t.Errorf("%d appends ended with an unknown outcome before their deadline", n)
	}
	if gap > longestGap {
		c.t.Errorf("no append was acknowledged for %s, from %s on; at most %s", gap, began, longestGap)
	}
	for _, b := range c.blows {
		most, bounded := c.bounds[b.what]
		took := gapsAfter(h, []blow{b})[b.what][0]
		if took > worthTelling {
			c.t.Logf("%8s  after that (%s) no append was acknowledged for %s", b.from.Round(time.Millisecond), b.what, ms(took))
		}
		if bounded && took > most {
			c.t.Errorf("%s, at %s: no append was acknowledged for %s, at most %s", b.what, b.from, ms(took), most)
		}
	}
	for _, o := range h.Operations {
		if o.Return-o.Call > appendTimeout+time.Second {
			c.t.Errorf("%v took %s, and its deadline was %s: %s", o, o.Return-o.Call, appendTimeout, o.Why)
		}
	}
}

// counted lists how often what was done.
func counted(counts map[string]int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[what], what))
	}
	return strings.Join(parts, ", ")
}

// statuses are those that a process has told of its replica.
func statuses(t testing.TB, p *Process) []string {
	t.Helper()
	var told []string
	for line := range strings.Lines(p.Stderr.String()) {
		var said struct{ Message, Status, To string }
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Errorf("no line of a log: %q: %v", line, err)
		}
		switch said.Message {
		case "the replica is up":
			told = append(told, said.Status)
		case "the status changes":
			told = append(told, said.To)
		}
	}
	return told
}
