package history

import (
	"errors"
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/log"
)

// Rule names what was broken.
type Rule string

// The rules. See rules.go.
const (
	Agreement    Rule = "agreement"    // whoever sees a position sees the same there
	Whole        Rule = "whole"        // a member has everything, without a hole
	Once         Rule = "once"         // no entry is at two positions
	Origin       Rule = "origin"       // what is in the log was written by a client
	Acknowledged Rule = "acknowledged" // an acknowledged write is where its client was told
	Denied       Rule = "denied"       // a rejected write is nowhere
	Together     Rule = "together"     // the entries of one append are behind each other, in order
	Order        Rule = "order"        // what was begun after a position was seen is behind it
	Reads        Rule = "reads"        // a read shows its range of the log, every entry of it
	Monotone     Rule = "monotone"     // a reader never goes back
	Current      Rule = "current"      // a catch-up, and a linearizable read, has everything from before its call
	Truncations  Rule = "truncations"  // the log begins where a truncation says, and not behind its own position
	Sessions     Rule = "sessions"     // appends of one session are in the order of their calls
	Elections    Rule = "elections"    // no two have one proposal, and later ones see what earlier ones saw
	Fences       Rule = "fences"       // a writer writes between its own election and the next one
)

// RuleNames are all rules.
func RuleNames() []Rule {
	return []Rule{
		Agreement, Whole, Once, Origin, Acknowledged, Denied, Together, Order, Reads, Monotone, Current, Truncations, Sessions,
		Elections, Fences,
	}
}

// Violation is a contradiction between what happened and a rule.
type Violation struct {
	Rule Rule
	What string // one sentence, with the operations and positions that contradict each other
}

// Error implements error.
func (v Violation) Error() string { return string(v.Rule) + ": " + v.What }

// Join makes one error of all violations; nil where there is none.
func Join(violations []Violation) error {
	all := make([]error, len(violations))
	for i, v := range violations {
		all[i] = v
	}
	return errors.Join(all...)
}

// mostTold is how many violations of one rule are told: one cause has many.
const mostTold = 10

// Check compares what the clients did and were told with the logs that the members hold in the end, and returns what is
// broken: at most ten violations of each rule, and then how many more there are. Without logs it checks the clients
// against each other. The operations are not changed. It takes O(n log n) time for n operations, entries and records.
func (h *History) Check(logs ...Log) []Violation {
	c := &checker{History: h, logs: logs, spots: map[string]*spot{}, values: map[log.Position]seen{}, told: map[Rule]int{}}
	c.index()
	c.collect()
	c.place()
	c.acknowledged()
	c.whole()
	c.together()
	c.order()
	c.current()
	c.reads()
	c.monotone()
	c.truncations()
	c.sessions()
	c.elections()
	c.fences()
	return c.result()
}

// spot is an entry, and where it is in the log.
type spot struct {
	*write
	index int // in its append
	at    log.Position
	alike bool // another append has the same entry, so that nobody can tell which of them it is
}

// write is an append or a truncation, and where the first and the last of its values in the log are; 0 where none is, as
// far as that can be known.
type write struct {
	*Operation
	spots       []spot
	first, last log.Position
}

// seen is the value of a position, and who saw it first.
type seen struct {
	value log.Value
	by    source
}

// source is somebody who shows a value: a member's log, an operation, or nobody in particular.
type source struct {
	member    log.ReplicaID
	operation *Operation
}

func (s source) String() string {
	switch {
	case s.operation != nil:
		return "[" + s.operation.String() + "]"
	case s.member > 0:
		return fmt.Sprintf("the log of member %d", s.member)
	}
	return "what is known"
}

// checker is one check.
type checker struct {
	*History
	logs   []Log
	writes []write          // in the order of the operations
	spots  map[string]*spot // by their entries
	values map[log.Position]seen

	appends   []log.Position // of all entries, ascending
	truncates []log.Position // of all TRUNCATEs, ascending
	begins    []log.Position // for each of them, the highest position that it, or one before it, keeps
	broken    []Violation
	told      map[Rule]int
}

func (c *checker) violate(rule Rule, format string, args ...any) {
	if c.told[rule]++; c.told[rule] <= mostTold {
		c.broken = append(c.broken, Violation{rule, fmt.Sprintf(format, args...)})
	}
}

func (c *checker) result() []Violation {
	for _, rule := range RuleNames() {
		if more := c.told[rule] - mostTold; more > 0 {
			c.broken = append(c.broken, Violation{rule, fmt.Sprintf("and %d more", more)})
		}
	}
	return c.broken
}

// index finds out who wrote what.
func (c *checker) index() {
	for _, o := range c.Operations {
		if o.writes() {
			c.writes = append(c.writes, write{Operation: o, spots: make([]spot, len(o.Entries))})
		}
	}
	for i := range c.writes { // the slice does not move any more
		w := &c.writes[i]
		for j, entry := range w.Entries {
			if other, found := c.spots[entry]; found { // one cause, told once: no other rule looks at the entry
				c.violate(Origin, "%s is appended by [%s] and by [%s]: whose it is in the log cannot be told, so no entry may be appended twice",
					quote(entry), other, w)
				other.alike, w.spots[j].alike = true, true
				continue
			}
			w.spots[j] = spot{write: w, index: j}
			c.spots[entry] = &w.spots[j]
		}
	}
}

// collect puts together what is at each position: first what the members hold, then what is known, what was read, and what
// was acknowledged below the logs of all members, where nobody can look any more.
func (c *checker) collect() {
	for _, l := range c.logs {
		for _, r := range l.View.Records {
			c.learn(r, source{member: l.Member}, Agreement)
		}
	}
	for _, r := range c.Known {
		c.learn(r, source{}, Agreement)
	}
	for _, o := range c.Operations {
		if o.Kind == Read && o.Outcome == Succeeded {
			for _, r := range o.View.Records {
				c.learn(r, source{operation: o}, Reads)
			}
		}
	}
	for i := range c.writes {
		if w := &c.writes[i]; w.Outcome == Succeeded {
			c.believe(w)
		}
	}
}

// learn takes in the value of a position.
func (c *checker) learn(r Record, by source, rule Rule) {
	known, found := c.values[r.At]
	switch {
	case !found:
		c.values[r.At] = seen{r.Value, by}
	case !known.value.Equal(r.Value):
		c.violate(rule, "%s shows %s at %d, and %s shows %s", by, words(r.Value), r.At, known.by, words(known.value))
	}
}

// believe takes an acknowledgement for what is at a position of which no member's log tells.
func (c *checker) believe(w *write) {
	for i, at := range w.told() {
		if _, found := c.values[at]; found || c.covered(at, w.Kind == Truncate) {
			continue
		}
		v := log.Value{Kind: log.Truncate, To: w.To}
		if w.Kind == Append {
			if i >= len(w.Entries) {
				return
			}
			v = log.Value{Kind: log.Append, Data: []byte(w.Entries[i])}
		}
		c.values[at] = seen{v, source{operation: w.Operation}}
	}
}

// told are the positions of an acknowledged write.
func (w *write) told() []log.Position {
	if w.Kind == Append {
		return w.Places()
	}
	return []log.Position{w.Told.First}
}

// covered says whether some member's log tells what is at a position. One that shows appends only tells nothing of others.
func (c *checker) covered(at log.Position, others bool) bool {
	return slices.ContainsFunc(c.logs, func(l Log) bool { return l.View.Range().Contains(at) && (l.View.All || !others) })
}

// place finds where every write is, and what nobody wrote, or wrote in vain.
func (c *checker) place() {
	truncations := c.allowed()
	for _, at := range c.positions() {
		switch v := c.values[at]; v.value.Kind {
		case log.Append:
			c.appends = append(c.appends, at)
			c.placeEntry(at, v)
		case log.Truncate:
			c.truncates = append(c.truncates, at)
			c.begins = append(c.begins, max(v.value.To, c.beginAt(at)))
			if truncations[v.value.To]--; truncations[v.value.To] < 0 {
				c.violate(Origin, "%s shows %s at %d, and not so many were called that can have succeeded", v.by, words(v.value), at)
			}
		default:
		}
	}
	for i := range c.writes {
		if w := &c.writes[i]; w.Kind == Truncate && w.Outcome == Succeeded {
			w.first, w.last = w.Told.First, w.Told.Last
		}
	}
}

// allowed is how many truncations to each position there may be.
func (c *checker) allowed() map[log.Position]int {
	n := map[log.Position]int{}
	for _, o := range c.Operations {
		if o.Kind == Truncate && o.Outcome != Rejected {
			n[o.To]++
		}
	}
	return n
}

func (c *checker) positions() []log.Position {
	all := make([]log.Position, 0, len(c.values))
	for at := range c.values {
		all = append(all, at)
	}
	slices.Sort(all)
	return all
}

func (c *checker) placeEntry(at log.Position, v seen) {
	s := c.spots[string(v.value.Data)]
	switch {
	case s == nil:
		c.violate(Origin, "%s shows %s at %d, which nobody appended", v.by, words(v.value), at)
		return
	case s.alike:
		return
	case s.at > 0:
		c.violate(Once, "%s is at %d and at %d", words(v.value), s.at, at)
		return
	case s.Outcome == Rejected:
		c.violate(Denied, "%s shows %s at %d, and [%s] was told: %s", v.by, words(v.value), at, s, s.Why)
	}
	s.at = at
	if s.first == 0 {
		s.first = at
	}
	s.last = at
}

// beginAt is where the log begins for somebody who has learned everything up to a position; 1 where nothing is truncated.
func (c *checker) beginAt(learned log.Position) log.Position {
	n, found := slices.BinarySearch(c.truncates, learned)
	if found {
		n++
	}
	if n == 0 || len(c.begins) == 0 {
		return 1
	}
	return c.begins[min(n, len(c.begins))-1]
}
