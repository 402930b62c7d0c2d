package logtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
)

// settled is how long Check lets the world run first, so that calls that wait end, and notices arrive.
const settled = 6 * time.Second

// Check has every member that votes catch up, and fails the test where their logs differ, where one has a hole, or where
// the history of all calls contradicts them: an acknowledged entry is not where its caller was told, a rejected one is in
// the log, one is there twice, the order is not that of real time, a fenced writer wrote, and so on (package history). What
// others append, such as your own actors, takes part too, as appended at any time. Members that do not vote are left out,
// but for what their disks know as chosen. At least one must vote, and reach a quorum.
func (c *Cluster) Check() {
	c.t.Helper()
	c.World.Run(settled)
	voting := c.voting()
	if len(voting) == 0 {
		c.t.Fatalf("seed %d: no member votes, and there is no log to check", c.World.Seed())
	}
	logs := c.logs(voting)
	h := c.History()
	h.Known = append(h.Known, c.disks()...)
	adopt(h, logs)
	for _, v := range h.Check(logs...) {
		c.t.Errorf("seed %d: %v", c.World.Seed(), v)
	}
}

// logs reads the logs of these members, once they end at one position.
func (c *Cluster) logs(members []*Member) []history.Log {
	c.t.Helper()
	for deadline := c.World.Elapsed() + Patience; ; c.World.Run(again) {
		var logs []history.Log
		var ends []log.Position
		for _, m := range members {
			m.Catchup()
			logs = append(logs, history.Log{Member: m.ID, View: m.read()})
			ends = append(ends, logs[len(logs)-1].View.Last)
		}
		if slices.Min(ends) == slices.Max(ends) {
			return logs
		}
		if c.World.Elapsed() > deadline {
			c.t.Errorf("seed %d: the logs still end at different positions after %v: %v", c.World.Seed(), Patience, ends)
			return logs
		}
	}
}

// disks is what the disks of all members know as chosen.
func (c *Cluster) disks() []history.Record {
	c.t.Helper()
	var known []history.Record
	for _, m := range c.Members {
		err := m.Store.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
			if a.Learned {
				known = append(known, history.Record{At: a.Position, Value: a.Value})
			}
			return true
		})
		if err != nil {
			c.t.Logf("the disk of member %d: %v", m.ID, err)
		}
	}
	return known
}

// adopt adds calls for what is in the log, or was, and nobody is known to have written. Since such entries may be equal,
// each gets its position as a name.
func adopt(h *history.History, logs []history.Log) {
	own, truncated := map[string]bool{}, map[log.Position]bool{}
	for _, o := range h.Operations {
		truncated[o.To] = true
		for _, e := range o.Entries {
			own[e] = true
		}
	}
	adopted := map[log.Position]bool{}
	each(h, logs, func(r history.Record) history.Record {
		o := &history.Operation{Outcome: history.Unknown, Return: history.Never}
		switch {
		case r.Value.Kind == log.Append && !own[string(r.Value.Data)]:
			name := fmt.Sprintf("%s (at %d)", r.Value.Data, r.At)
			r.Value.Data = []byte(name)
			o.Kind, o.Entries = history.Append, []string{name}
		case r.Value.Kind == log.Truncate && !truncated[r.Value.To]:
			o.Kind, o.To = history.Truncate, r.Value.To
		default:
			return r
		}
		if !adopted[r.At] {
			adopted[r.At] = true
			h.Operations = append(h.Operations, o)
		}
		return r
	})
}

// each replaces every record that anybody shows. What a history was cloned from does not change.
func each(h *history.History, logs []history.Log, by func(history.Record) history.Record) {
	replace := func(records *[]history.Record) {
		*records = slices.Clone(*records)
		for i, r := range *records {
			(*records)[i] = by(r)
		}
	}
	replace(&h.Known)
	for i := range logs {
		replace(&logs[i].View.Records)
	}
	for _, o := range h.Operations {
		replace(&o.View.Records)
	}
}

// Report tells the time and every member's state in a line each, for people. A test that fails prints it.
func (c *Cluster) Report() string {
	var s strings.Builder
	fmt.Fprintf(&s, "seed %d, after %v of virtual time:", c.World.Seed(), c.World.Elapsed())
	for _, m := range c.Members {
		fmt.Fprintf(&s, "\n  member %d: %s", m.ID, m.report())
	}
	return s.String()
}

func (m *Member) report() string {
	meta := m.Store.Metadata()
	summary, err := m.Store.Summary()
	text := fmt.Sprintf("%-10s", meta.Status)
	switch {
	case !m.running && m.Failure() != nil:
		text += fmt.Sprintf(" ended itself: %v", m.Failure())
	case !m.running:
		text += " does not run"
	case meta.Status == status.Voting && !slices.Contains(m.cluster.voting(), m):
		text += " does not serve clients yet"
	default:
		text += " runs"
	}
	if err != nil {
		return text + fmt.Sprintf("; its disk: %v", err)
	}
	return text + fmt.Sprintf("; life %d, disk %d; the log begins at %d; learned %s, not learned %s; promised %s",
		m.life, m.disks, meta.Begin, summary.Learned, summary.Unlearned, meta.Promised)
}
