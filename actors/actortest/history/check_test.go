package history_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

func entry(s string) log.Value { return log.Value{Kind: log.Append, Data: []byte(s)} }

// story is a history without a fault, its operations by their names, and the logs that belong to it.
type story struct {
	history.History
	named map[string]*history.Operation
	logs  []history.Log
}

func (s *story) add(name string, call, answer int, o history.Operation) {
	o.Call, o.Return = 10*ms(call), 10*ms(answer)
	if o.Outcome == history.Pending {
		o.Return = history.Never
	}
	s.named[name] = &o
	s.Operations = append(s.Operations, &o)
}

// good tells of two writers:
//
//	1 a   2 b0   3 b1   4 NOP   5 c (unknown)   6 TRUNCATE to 2   7 d   8 e (pending)   9 f
//
// The writer of a, b and c, elected at 0, is fenced by the one of d and f, elected at 6.
func good() *story {
	const yes, no, open = history.Succeeded, history.Rejected, history.Unknown
	one, two := log.NewProposal(1, 1), log.NewProposal(2, 2)
	s := &story{named: map[string]*history.Operation{}}
	s.add("first", 0, 2, history.Operation{Kind: history.Elect, Outcome: yes, Client: 1, Member: 1, Fence: one})
	s.add("a", 3, 5, history.Operation{Kind: history.Append, Outcome: yes, Client: 1, Member: 1, Fence: one, Session: 1,
		Entries: []string{"a"}, Told: log.Range{First: 1, Last: 1}})
	s.add("b", 4, 7, history.Operation{Kind: history.Append, Outcome: yes, Client: 1, Member: 1, Fence: one, Session: 1,
		Entries: []string{"b0", "b1"}, Told: log.Range{First: 2, Last: 3}})
	s.add("read", 8, 9, history.Operation{Kind: history.Read, Outcome: yes, Client: 3, Member: 3, Reader: 3, View: history.View{
		First: 1, Last: 2, Begin: 1, Learned: 3, All: true, Records: []history.Record{{At: 1, Value: entry("a")}, {At: 2, Value: entry("b0")}},
	}})
	s.add("c", 10, 12, history.Operation{Kind: history.Append, Outcome: open, Client: 1, Member: 1, Fence: one, Session: 1, Entries: []string{"c"}})
	s.add("t", 13, 16, history.Operation{Kind: history.Truncate, Outcome: yes, Client: 2, To: 2, Told: log.Range{First: 6, Last: 6}})
	s.add("second", 17, 19, history.Operation{Kind: history.Elect, Outcome: yes, Client: 2, Member: 2, Fence: two, Told: log.Range{Last: 6}})
	s.add("x", 18, 20, history.Operation{Kind: history.Append, Outcome: no, Client: 1, Member: 1, Fence: one, Fenced: true,
		Why: "fenced", Entries: []string{"x"}})
	s.add("d", 21, 23, history.Operation{Kind: history.Append, Outcome: yes, Client: 2, Member: 2, Fence: two, Session: 2,
		Entries: []string{"d"}, Told: log.Range{First: 7, Last: 7}})
	s.add("e", 21, 0, history.Operation{Kind: history.Append, Client: 4, Entries: []string{"e"}})
	s.add("again", 24, 25, history.Operation{Kind: history.Read, Outcome: yes, Client: 3, Member: 3, Reader: 3, Linearizable: true,
		View: history.View{First: 2, Last: 3, Begin: 2, Learned: 7, All: true, Records: []history.Record{
			{At: 2, Value: entry("b0")}, {At: 3, Value: entry("b1")},
		}}})
	s.add("catchup", 26, 27, history.Operation{Kind: history.Catchup, Outcome: yes, Client: 3, Member: 3, Reader: 3, Told: log.Range{Last: 7}})
	s.add("f", 28, 30, history.Operation{Kind: history.Append, Outcome: yes, Client: 2, Member: 2, Fence: two, Session: 2,
		Entries: []string{"f"}, Told: log.Range{First: 9, Last: 9}})
	s.add("y", 28, 30, history.Operation{Kind: history.Append, Outcome: open, Client: 4, Entries: []string{"y"}})
	s.Known = []history.Record{{At: 1, Value: entry("a")}}
	for id := range log.ReplicaID(3) {
		s.logs = append(s.logs, history.Log{Member: id + 1, View: history.View{First: 2, Last: 9, Begin: 2, All: true, Records: []history.Record{
			{At: 2, Value: entry("b0")}, {At: 3, Value: entry("b1")}, {At: 4, Value: log.Value{Kind: log.NOP}}, {At: 5, Value: entry("c")},
			{At: 6, Value: log.Value{Kind: log.Truncate, To: 2}}, {At: 7, Value: entry("d")}, {At: 8, Value: entry("e")}, {At: 9, Value: entry("f")},
		}}})
	}
	return s
}

// put has all members hold another value at a position from 2 on.
func (s *story) put(at log.Position, v log.Value) {
	for _, l := range s.logs {
		l.View.Records[at-2].Value = v
	}
}

// extend has all members hold one value more.
func (s *story) extend(v log.Value) {
	for i := range s.logs {
		view := &s.logs[i].View
		view.Last++
		view.Records = append(view.Records, history.Record{At: view.Last, Value: v})
	}
}

// appendsOnly has everybody see entries only.
func (s *story) appendsOnly() {
	for i := range s.logs {
		view := &s.logs[i].View
		view.All = false
		view.Records = slices.DeleteFunc(view.Records, func(r history.Record) bool { return r.Value.Kind != log.Append })
	}
}

func TestAGoodHistoryIsNotAccused(t *testing.T) {
	s := good()
	if err := history.Join(s.Check(s.logs...)); err != nil {
		t.Error(err)
	}
}

func TestAGoodHistoryOfEntriesOnlyIsNotAccused(t *testing.T) {
	s := good()
	s.appendsOnly()
	if err := history.Join(s.Check(s.logs...)); err != nil {
		t.Error(err)
	}
}

func TestAGoodHistoryWithoutLogsIsNotAccused(t *testing.T) {
	s := good()
	if err := history.Join(s.Check()); err != nil {
		t.Error(err)
	}
}

func TestEveryFaultIsFoundByItsRule(t *testing.T) {
	for _, f := range slices.Concat(logFaults(), clientFaults(), readerFaults(), writerFaults()) {
		s := good()
		f.spoil(s)
		found := s.Check(s.logs...)
		if !slices.ContainsFunc(found, func(v history.Violation) bool { return v.Rule == f.rule && strings.Contains(v.What, f.what) }) {
			t.Errorf("%s: want %s with %q, got: %v", f.name, f.rule, f.what, history.Join(found))
		}
	}
}

func TestEveryRuleHasAFault(t *testing.T) {
	all := slices.Concat(logFaults(), clientFaults(), readerFaults(), writerFaults())
	for _, rule := range history.RuleNames() {
		if !slices.ContainsFunc(all, func(f fault) bool { return f.rule == rule }) {
			t.Errorf("no fault breaks the rule %s", rule)
		}
	}
}

func TestTheFirstViolationsOfARuleAreToldAndTheOthersCounted(t *testing.T) {
	s := good()
	for range 12 {
		s.extend(entry("from nowhere"))
	}
	found := s.Check(s.logs...)
	if want := (history.Violation{Rule: history.Origin, What: "and 2 more"}); !slices.Contains(found, want) {
		t.Errorf("want %v, got: %v", want, history.Join(found))
	}
}

func TestTheLongestGapIsBetweenAcknowledgements(t *testing.T) {
	s := good()
	if gap, began := s.LongestGap(); gap != 10*ms(16) || began != 10*ms(7) {
		t.Errorf("want a gap of 160ms from 70ms on, got %v from %v on", gap, began)
	}
}
