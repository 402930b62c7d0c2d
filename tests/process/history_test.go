package process

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// good is a history without a fault, and the replicas that belong to it: position 3 holds no entry, two appends overlap,
// one of the two indeterminate ones is in the log.
func good() (History, []Copy) {
	h := History{
		{Worker: 1, Sequence: 1, Call: 10, Return: 20, Outcome: Acknowledged, Position: 1},
		{Worker: 2, Sequence: 1, Call: 15, Return: 30, Outcome: Acknowledged, Position: 2},
		{Worker: 1, Sequence: 2, Call: 25, Return: 40, Outcome: Indeterminate, Err: cluster.ErrIndeterminate},
		{Worker: 2, Sequence: 2, Call: 35, Return: 45, Outcome: Failed, Err: cluster.ErrNoQuorum},
		{Worker: 2, Sequence: 3, Call: 46, Return: 60, Outcome: Acknowledged, Position: 5},
		{Worker: 1, Sequence: 3, Call: 47, Return: 55, Outcome: Acknowledged, Position: 6},
		{Worker: 1, Sequence: 4, Call: 65, Return: 70, Outcome: Indeterminate, Err: cluster.ErrIndeterminate},
	}
	var copies []Copy
	for id := range log.ReplicaID(3) {
		copies = append(copies, Copy{Replica: id + 1, Learned: 6, Entries: []cluster.Entry{
			{Position: 1, Data: []byte(h[0].Entry())}, {Position: 2, Data: []byte(h[1].Entry())},
			{Position: 4, Data: []byte(h[2].Entry())}, {Position: 5, Data: []byte(h[4].Entry())},
			{Position: 6, Data: []byte(h[5].Entry())},
		}})
	}
	return h, copies
}

func TestCheckFindsNothingInAGoodHistory(t *testing.T) {
	if h, copies := good(); h.Check(copies) != nil {
		t.Error(h.Check(copies))
	}
}

// everywhere changes the entries of every replica.
func everywhere(copies []Copy, change func([]cluster.Entry) []cluster.Entry) {
	for i := range copies {
		copies[i].Entries = change(copies[i].Entries)
	}
}

// insert puts an entry at position 3, where there is none.
func insert(copies []Copy, entry string) {
	everywhere(copies, func(e []cluster.Entry) []cluster.Entry {
		return slices.Insert(e, 2, cluster.Entry{Position: 3, Data: []byte(entry)})
	})
}

// spoiled is a fault, and a part of what Check says about it.
type spoiled struct {
	fault string
	spoil func(History, []Copy)
	want  string
}

func faults() []spoiled {
	return []spoiled{
		{"an acknowledged entry is lost", func(_ History, copies []Copy) {
			everywhere(copies, func(e []cluster.Entry) []cluster.Entry { return slices.Delete(e, 1, 2) })
		}, "lost"},
		{"an acknowledged entry is lost on one replica", func(_ History, copies []Copy) {
			copies[2].Entries = copies[2].Entries[:4]
		}, "lost"},
		{"an acknowledged entry is there twice", func(_ History, copies []Copy) {
			everywhere(copies, func(e []cluster.Entry) []cluster.Entry { return append(e, cluster.Entry{Position: 7, Data: e[0].Data}) })
		}, "twice"},
		{"an indeterminate entry is there twice", func(_ History, copies []Copy) {
			everywhere(copies, func(e []cluster.Entry) []cluster.Entry { return append(e, cluster.Entry{Position: 7, Data: e[2].Data}) })
		}, "twice"},
		{"an entry is at another position than was acknowledged", func(h History, _ []Copy) { h[5].Position = 7 }, "acknowledged at 7"},
		{"positions go back", func(_ History, copies []Copy) {
			everywhere(copies, func(e []cluster.Entry) []cluster.Entry { e[0], e[1] = e[1], e[0]; return e })
		}, "behind"},
		{"a later append is before an earlier one", func(h History, copies []Copy) {
			h[0].Position, h[5].Position = 6, 1
			everywhere(copies, func(e []cluster.Entry) []cluster.Entry {
				e[0].Data, e[4].Data = e[4].Data, e[0].Data
				return e
			})
		}, "before it was appended"},
		{"an indeterminate append is before it began", func(h History, copies []Copy) {
			insert(copies, h[6].Entry())
		}, "before it was appended"},
		{"a failed append is in the log", func(h History, copies []Copy) {
			insert(copies, h[3].Entry())
		}, "which failed"},
		{"an entry comes from nowhere", func(_ History, copies []Copy) {
			insert(copies, "from nowhere")
		}, "nobody appended"},
		{"a replica has a hole", func(_ History, copies []Copy) { copies[1].Holes = 1 }, "holes"},
		{"a replica ends too early", func(_ History, copies []Copy) { copies[1].Learned = 5 }, "everything up to 5"},
		{"replicas hold different entries", func(h History, copies []Copy) {
			copies[1].Entries[2].Data = []byte(h[6].Entry())
		}, "where replica"},
		{"replicas hold an entry at different positions", func(_ History, copies []Copy) {
			copies[1].Entries[2].Position = 3
		}, "where replica"},
		{"a replica holds more than another one", func(_ History, copies []Copy) {
			copies[0].Entries = slices.Delete(copies[0].Entries, 2, 3)
		}, "where replica"},
	}
}

func TestCheckFindsEveryKindOfFault(t *testing.T) {
	for _, c := range faults() {
		h, copies := good()
		c.spoil(h, copies)
		if err := h.Check(copies); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want a fault with %q, got: %v", c.fault, c.want, err)
		}
	}
}

func TestCheckTellsTheFirstFaultsAndCountsTheOthers(t *testing.T) {
	h, copies := good()
	everywhere(copies, func([]cluster.Entry) []cluster.Entry { return nil })
	if err := h.Check(copies); err == nil || !strings.Contains(err.Error(), "and 2 more") {
		t.Errorf("12 entries are lost, got: %v", err)
	}
}

func TestTheLongestGapIsBetweenAcknowledgements(t *testing.T) {
	h, _ := good()
	if gap, began := h.LongestGap(); gap != 25 || began != 30 {
		t.Errorf("want a gap of 25 from 30 on, got %d from %d on", gap, began)
	}
}

func TestOnlyAnIndeterminateErrorLeavesTheOutcomeOpen(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Outcome
	}{
		{nil, Acknowledged},
		{errors.Join(cluster.ErrIndeterminate, cluster.ErrNoQuorum), Indeterminate},
		{cluster.ErrNoQuorum, Failed},
		{cluster.ErrFenced, Failed},
	} {
		if got := outcome(c.err); got != c.want {
			t.Errorf("%v: want %d, got %d", c.err, c.want, got)
		}
	}
}
