package history

import (
	"maps"
	"slices"

	"github.com/quorumlog/quorumlog/log"
)

// reads: a read shows its range of the log, every entry of it, nothing below where the log begins for whoever knows what the
// member knew, and not a begin that nobody has asked for yet.
func (c *checker) reads() {
	for _, o := range c.Operations {
		if o.Kind != Read || o.Outcome != Succeeded {
			continue
		}
		v := o.View
		c.complete(v, source{operation: o}, Reads)
		begin := c.beginAt(v.reach())
		if shows := !v.Range().Empty(); shows && v.First < max(v.Begin, begin) {
			c.violate(Reads, "[%s] shows positions from %d on, and the log begins at %d", o, v.First, max(v.Begin, begin))
		}
		if v.Learned > 0 && v.Last > v.Learned {
			c.violate(Reads, "[%s] shows positions up to %d, and the member has everything up to %d", o, v.Last, v.Learned)
		}
		if v.Begin > 0 && v.Begin < begin {
			c.violate(Truncations, "[%s] was told that the log begins at %d, and by what is at %d or before it begins at %d",
				o, v.Begin, v.reach(), begin)
		}
	}
	c.begun()
}

// begun: no read is told of a begin that no truncation had asked for when it was over.
func (c *checker) begun() {
	var called []*Operation
	for _, o := range c.Operations {
		if o.Kind == Truncate && o.Outcome != Rejected {
			called = append(called, o)
		}
	}
	called = sorted(called, byCall)
	highest := log.Position(1)
	for _, o := range sorted(c.Operations, byReturn) {
		for ; len(called) > 0 && called[0].Call <= o.Return; called = called[1:] {
			highest = max(highest, called[0].To)
		}
		if o.Kind == Read && o.Outcome == Succeeded && o.View.Begin > highest {
			c.violate(Truncations, "[%s] was told that the log begins at %d, and nobody had truncated it to more than %d",
				o, o.View.Begin, highest)
		}
	}
}

// monotone: how far one reader can read never goes back. Where the log begins may: a member may have jumped over what another
// one still has, before it learned the truncation itself.
func (c *checker) monotone() {
	readers := map[uint64][]*Operation{}
	for _, o := range c.Operations {
		if looks := o.Kind == Read || o.Kind == Catchup; looks && o.Reader > 0 && o.Outcome == Succeeded {
			readers[o.Reader] = append(readers[o.Reader], o)
		}
	}
	for _, reader := range slices.Sorted(maps.Keys(readers)) {
		c.forward(readers[reader])
	}
}

// forward: each operation of one reader sees as much as those that were over before its call.
func (c *checker) forward(seen []*Operation) {
	returned := sorted(seen, byReturn)
	furthest := &Operation{} // of those that are over
	for _, o := range sorted(seen, byCall) {
		for ; len(returned) > 0 && returned[0].Return < o.Call; returned = returned[1:] {
			if told(returned[0]) > told(furthest) {
				furthest = returned[0]
			}
		}
		if told(o) < told(furthest) && full(o) {
			c.violate(Monotone, "[%s] was told %d, and the same reader [%s] %d before", o, told(o), furthest, told(furthest))
		}
	}
}

// full says whether an operation was told how far its reader can read, and not only shown what it had asked for.
func full(o *Operation) bool { return o.Kind == Catchup || o.View.Learned > 0 }

// truncations: no truncation keeps positions behind its own only, and the members' logs begin where the truncations in them
// say.
func (c *checker) truncations() {
	for _, at := range c.truncates {
		if v := c.values[at]; v.value.To > at {
			c.violate(Truncations, "%s shows %s at %d", v.by, words(v.value), at)
		}
	}
	for _, l := range c.logs {
		begin, want := l.View.Begin, c.beginAt(l.View.reach())
		if begin > 0 && begin < want {
			c.violate(Truncations, "the log of member %d begins at %d, and was truncated to %d", l.Member, begin, want)
		}
		if most := c.mostBegin(l.View); begin > most {
			c.violate(Truncations, "the log of member %d begins at %d, and was truncated to %d at most", l.Member, begin, most)
		}
		if shows := !l.View.Range().Empty(); begin > 0 && shows && l.View.First != begin {
			c.violate(Whole, "the log of member %d begins at %d, and shows positions from %d on", l.Member, begin, l.View.First)
		}
	}
}

// mostBegin is the highest position where a log can begin. Who shows entries only does not show truncations whose outcome is
// unknown.
func (c *checker) mostBegin(v View) log.Position {
	most := c.beginAt(v.reach())
	for _, o := range c.Operations {
		if o.Kind == Truncate && o.Outcome != Rejected && (!v.All || o.Outcome == Succeeded) {
			most = max(most, o.To)
		}
	}
	return most
}
