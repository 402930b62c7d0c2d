package journals

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
)

// Check returns what is broken: the first violation of each rule for each actor.
func (h History) Check() []history.Violation {
	activations, writes := map[string][]Activation{}, map[string][]Write{}
	var owners []string
	for _, a := range h.Activations {
		if activations[a.Owner] == nil {
			owners = append(owners, a.Owner)
		}
		activations[a.Owner] = append(activations[a.Owner], a)
	}
	for _, w := range h.Writes {
		writes[w.Owner] = append(writes[w.Owner], w)
	}
	slices.Sort(owners)
	var broken []history.Violation
	for _, owner := range owners {
		broken = append(broken, newChecker(owner, activations[owner], writes[owner]).check()...)
	}
	return broken
}

// checker checks one actor.
type checker struct {
	owner       string
	activations []Activation // by their numbers
	writes      []Write
	by          map[string]int // the write that an event is of
	broken      []history.Violation
}

func newChecker(owner string, activations []Activation, writes []Write) *checker {
	c := &checker{owner: owner, activations: activations, writes: writes, by: map[string]int{}}
	slices.SortFunc(c.activations, func(a, b Activation) int { return cmp.Compare(a.At, b.At) })
	for i, w := range writes {
		for _, e := range w.Events {
			c.by[e] = i
		}
	}
	return c
}

func (c *checker) check() []history.Violation {
	for i, a := range c.activations {
		c.replayed(a)
		if i > 0 {
			c.extended(c.activations[i-1], a)
		}
		for _, w := range c.writes {
			c.between(a, w)
		}
	}
	return c.broken
}

// violate notes the first violation of a rule.
func (c *checker) violate(rule history.Rule, format string, args ...any) {
	if !slices.ContainsFunc(c.broken, func(v history.Violation) bool { return v.Rule == rule }) {
		c.broken = append(c.broken, history.Violation{Rule: rule, What: fmt.Sprintf("%s: ", c.owner) + fmt.Sprintf(format, args...)})
	}
}

// replayed looks at what one activation replays.
func (c *checker) replayed(a Activation) {
	seen := map[string]int{}
	for at, e := range a.Replay {
		i, written := c.by[e]
		if before, twice := seen[e]; twice {
			c.violate(Once, "activation %d replays event %q as %d and as %d", a.At, e, before, at)
		}
		seen[e] = at
		switch {
		case !written || c.writes[i].Call > a.Return || c.writes[i].Activation >= a.At:
			c.violate(Origin, "activation %d replays event %q, which nobody wrote before", a.At, e)
			continue
		case c.writes[i].Outcome == history.Rejected:
			c.violate(Denied, "activation %d replays event %q, and whoever wrote it was told that it does not count", a.At, e)
		}
		w := c.writes[i]
		from := at - slices.Index(w.Events, e)
		if from < 0 || from+len(w.Events) > len(a.Replay) || !slices.Equal(a.Replay[from:from+len(w.Events)], w.Events) {
			c.violate(Whole, "activation %d replays event %q without the others of its write: %q", a.At, e, w.Events)
		}
	}
}

func (c *checker) extended(before, a Activation) {
	if before.At == a.At {
		c.violate(Numbered, "two activations have the number %d", a.At)
	}
	if n := len(before.Replay); n > len(a.Replay) || !slices.Equal(before.Replay, a.Replay[:n]) {
		c.violate(Extended, "activation %d replays %q, and %d before it %q", a.At, a.Replay, before.At, before.Replay)
	}
}

// between holds a write that was acknowledged against an activation.
func (c *checker) between(a Activation, w Write) {
	if w.Outcome != history.Succeeded {
		return
	}
	later := w.Activation < a.At
	if w.Return < a.Call && !later && w.Activation != a.At {
		c.violate(Numbered, "activation %d was called when something of activation %d had been acknowledged", a.At, w.Activation)
	}
	if !later {
		return
	}
	if w.Call > a.Return {
		c.violate(Fenced, "%q was written by activation %d, and acknowledged, after activation %d was there", w.Events, w.Activation, a.At)
	}
	from, n := w.Index, uint64(len(w.Events))
	if size := uint64(len(a.Replay)); from > size || n > size-from || !slices.Equal(a.Replay[from:from+n], w.Events) {
		c.violate(Kept, "%q was acknowledged by activation %d as %d, and activation %d replays %q", w.Events, w.Activation, w.Index, a.At, a.Replay)
	}
}
