package history

import (
	"math"
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/log"
)

// acknowledged: whatever a client was told is in the log, at the position that it was told.
func (c *checker) acknowledged() {
	for i := range c.writes {
		switch w := &c.writes[i]; {
		case w.Outcome != Succeeded:
		case w.Kind == Truncate:
			c.truncated(w)
		case len(w.Places()) != len(w.Entries), len(w.Pieces) == 0 && w.Told.Len() != uint64(len(w.Entries)):
			c.violate(Acknowledged, "[%s] was told %s", w, w.Told)
		default:
			c.appended(w)
		}
	}
}

func (c *checker) appended(w *write) {
	for i, told := range w.Places() {
		if w.spots[i].alike {
			continue
		}
		switch at := w.spots[i].at; at {
		case told:
		case 0:
			c.violate(Acknowledged, "[%s] was told %s, and its entry %d is lost", w, w.Told, i)
		default:
			c.violate(Acknowledged, "[%s] was told %s, and its entry %d is at %d", w, w.Told, i, at)
		}
	}
}

func (c *checker) truncated(w *write) {
	switch v, found := c.values[w.Told.First]; {
	case w.Told.Len() != 1:
		c.violate(Acknowledged, "[%s] was told %s", w, w.Told)
	case !found:
		c.violate(Acknowledged, "[%s] was told %d, and is lost", w, w.Told.First)
	case v.value.Kind != log.Truncate || v.value.To != w.To:
		c.violate(Acknowledged, "[%s] was told %d, where %s shows %s", w, w.Told.First, v.by, words(v.value))
	}
}

// whole: a member has no hole, its log ends where nobody saw anything behind, and shows everything in between.
func (c *checker) whole() {
	highest, by := c.reached()
	for _, l := range c.logs {
		if l.Holes > 0 {
			c.violate(Whole, "member %d has not learned %d positions below its end", l.Member, l.Holes)
		}
		if l.View.reach() < highest {
			c.violate(Whole, "member %d has everything up to %d, and [%s] was told %d", l.Member, l.View.reach(), by, highest)
		}
		c.complete(l.View, source{member: l.Member}, Whole)
	}
}

// reached is the highest position that any client was told of.
func (c *checker) reached() (log.Position, *Operation) {
	highest, by := log.Position(0), &Operation{}
	for _, o := range c.Operations {
		if at := told(o); at > highest {
			highest, by = at, o
		}
	}
	return highest, by
}

// told is the highest position of which a client was told that everything up to it is decided; 0 if it was told nothing.
func told(o *Operation) log.Position {
	switch {
	case o.Outcome != Succeeded:
		return 0
	case o.Kind == Read:
		return o.View.reach()
	}
	return o.Told.Last
}

// complete: a view is in order, and leaves out nothing of its range. That its values are right was seen before.
func (c *checker) complete(v View, by source, rule Rule) {
	before, appends := v.First-1, 0
	for _, r := range v.Records {
		if r.At <= before || r.At > v.Last {
			c.violate(rule, "%s shows position %d behind %d, in %s", by, r.At, before, v.Range())
			return
		}
		if v.All && r.At != before+1 {
			c.violate(rule, "%s shows position %d behind %d, and nothing in between", by, r.At, before)
			return
		}
		if r.Value.Kind == log.Append {
			appends++
		}
		before = r.At
	}
	if v.All && before != v.Last {
		c.violate(rule, "%s shows nothing behind %d, in %s", by, before, v.Range())
	}
	if within := c.within(v.Range()); len(within) > appends {
		missing := within[c.firstMissing(v, within)]
		c.violate(rule, "%s leaves out position %d, where %s shows %s", by, missing, c.values[missing].by, words(c.values[missing].value))
	}
}

// within are the positions of the entries in a range.
func (c *checker) within(r log.Range) []log.Position {
	if r.Empty() {
		return nil
	}
	from, _ := slices.BinarySearch(c.appends, r.First)
	to, _ := slices.BinarySearch(c.appends, r.Last+1)
	return c.appends[from:to]
}

// firstMissing is the index of the first position that a view has no entry for.
func (c *checker) firstMissing(v View, positions []log.Position) int {
	shown := map[log.Position]bool{}
	for _, r := range v.Records {
		shown[r.At] = r.Value.Kind == log.Append
	}
	return max(0, slices.IndexFunc(positions, func(at log.Position) bool { return !shown[at] }))
}

// together: the entries of an append are where they would be behind each other; where they are numbered, they are in order at
// least. Of one whose outcome is unknown any part may be in the log.
func (c *checker) together() {
	for i := range c.writes {
		w := &c.writes[i]
		var first log.Position // of its first entry, by what was seen of the others
		for j, s := range w.spots {
			switch {
			case s.at == 0:
			case first == 0:
				first = s.at - log.Position(j)
			case w.Numbered && s.at > first+log.Position(j):
				first = s.at - log.Position(j)
			case s.at != first+log.Position(j):
				c.violate(Together, "[%s]: its entry %d is at %d, and its entry 0 would be at %d", w, j, s.at, first)
			}
		}
	}
}

// order: nothing that was begun after somebody was told of a position is at it or before it. So an append is behind what
// was acknowledged before its call, and nobody reads what is begun after the read is over.
func (c *checker) order() {
	called := make([]*write, 0, len(c.writes))
	for i := range c.writes {
		if c.writes[i].first > 0 {
			called = append(called, &c.writes[i])
		}
	}
	slices.SortStableFunc(called, func(a, b *write) int { return byCall(a.Operation, b.Operation) })
	before := c.sweep(func(*Operation) bool { return true })
	for _, w := range called {
		if at, by := before(w.Call); w.first <= at {
			c.violate(Order, "[%s] is at %d, and [%s] had been told %d before", w, w.first, by, at)
		}
	}
}

// sweep returns a function that tells the highest position that any of the chosen operations had been told of before a
// time, and which one. The times must not go back.
func (c *checker) sweep(of func(*Operation) bool) func(time.Duration) (log.Position, *Operation) {
	returned := sorted(c.Operations, byReturn)
	var highest log.Position
	var by *Operation
	return func(now time.Duration) (log.Position, *Operation) {
		for len(returned) > 0 && returned[0].Return < now {
			if o := returned[0]; of(o) && told(o) > highest {
				highest, by = told(o), o
			}
			returned = returned[1:]
		}
		return highest, by
	}
}

// current: a catch-up, an election and a linearizable read have everything that anybody was told of before their calls.
func (c *checker) current() {
	before := c.sweep(func(*Operation) bool { return true })
	for _, o := range sorted(c.Operations, byCall) {
		at, by := before(o.Call)
		rule := Current
		switch {
		case o.Outcome != Succeeded:
			continue
		case o.Kind == Elect:
			rule = Elections
		case o.Kind != Catchup && !(o.Linearizable && full(o)):
			continue
		}
		if told(o) < at {
			c.violate(rule, "[%s] was told %d, and [%s] had been told %d before", o, told(o), by, at)
		}
	}
}

// sessions: what was appended in one session is in the order of the calls.
func (c *checker) sessions() {
	before := map[uint64]*write{}
	for i := range c.writes {
		w := &c.writes[i]
		if w.Session == 0 || w.Kind != Append || w.first == 0 {
			continue
		}
		if b := before[w.Session]; b != nil && b.last >= w.first {
			c.violate(Sessions, "[%s] is at %d, and was called after [%s], which is at %d", w, w.first, b, b.last)
		}
		before[w.Session] = w
	}
}

// elections: no two were won by one proposal; one that was begun after another was over has a higher one; and one with a
// higher proposal sees no shorter log.
func (c *checker) elections() {
	var won []*Operation
	for _, o := range c.Operations {
		if o.Kind == Elect && o.Outcome == Succeeded {
			won = append(won, o)
		}
	}
	byProposal := sorted(won, byFence)
	for i := 1; i < len(byProposal); i++ {
		a, b := byProposal[i-1], byProposal[i]
		switch {
		case a.Fence == b.Fence:
			c.violate(Elections, "[%s] and [%s] won one proposal", a, b)
		case a.Told.Last > b.Told.Last:
			c.violate(Elections, "[%s] was told %d, and [%s] only %d", a, a.Told.Last, b, b.Told.Last)
		}
	}
	returned := sorted(won, byReturn)
	highest := &Operation{}
	for _, o := range sorted(won, byCall) {
		for ; len(returned) > 0 && returned[0].Return < o.Call; returned = returned[1:] {
			if returned[0].Fence > highest.Fence {
				highest = returned[0]
			}
		}
		if o.Fence <= highest.Fence {
			c.violate(Elections, "[%s] was begun after [%s] was won", o, highest)
		}
	}
}

// fences: what a writer appends is behind the end of the log at its election, not behind the end at any later election, and
// not in the log at all where it was begun after its fence, or a later one, had been refused.
func (c *checker) fences() {
	ends := map[log.Proposal]log.Position{}
	for _, o := range c.Operations {
		if o.Kind == Elect && o.Outcome == Succeeded {
			ends[o.Fence] = o.Told.Last
		}
	}
	written := c.written()
	latest := sorted(c.Operations, func(a, b *Operation) int { return byFence(b, a) })
	lowest, refused := &Operation{Told: log.Range{Last: math.MaxUint64}}, &Operation{Return: Never}
	rest := latest
	for _, w := range written {
		for ; len(rest) > 0 && rest[0].Fence > w.Fence; rest = rest[1:] {
			if o := rest[0]; o.Kind == Elect && o.Outcome == Succeeded && o.Told.Last < lowest.Told.Last {
				lowest = o
			}
		}
		for ; len(latest) > 0 && latest[0].Fence >= w.Fence; latest = latest[1:] {
			if o := latest[0]; o.Fenced && o.Return < refused.Return {
				refused = o
			}
		}
		if end, found := ends[w.Fence]; found && w.first <= end {
			c.violate(Fences, "[%s] is at %d, and the log ended at %d before its writer", w, w.first, end)
		}
		if w.last > lowest.Told.Last {
			c.violate(Fences, "[%s] is at %d, and [%s] had fenced it, with the end of the log at %d", w, w.last, lowest, lowest.Told.Last)
		}
		if w.Call > refused.Return {
			c.violate(Fences, "[%s] is at %d, and [%s] had been refused before", w, w.last, refused)
		}
	}
}

// written are the writes under fences that are in the log, those of the latest fence first.
func (c *checker) written() []*write {
	var found []*write
	for i := range c.writes {
		if w := &c.writes[i]; w.Fence > 0 && w.first > 0 {
			found = append(found, w)
		}
	}
	slices.SortStableFunc(found, func(a, b *write) int { return byFence(b.Operation, a.Operation) })
	return found
}
