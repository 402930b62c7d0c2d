package process

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
)

// blow is something that was done to a cluster, and until when its effect is looked at.
type blow struct {
	what     string
	from, to time.Duration // since the load began
}

// gaps are, by what was done, how long no append was acknowledged after each of them.
type gaps map[string][]time.Duration

// gapsAfter finds them. An acknowledgement counts where the append was called after the blow: the others had passed before
// it.
func gapsAfter(h *history.History, blows []blow) gaps {
	var acknowledged []*history.Operation
	for _, o := range h.Operations {
		if o.Kind == history.Append && o.Outcome == history.Succeeded {
			acknowledged = append(acknowledged, o)
		}
	}
	slices.SortFunc(acknowledged, func(a, b *history.Operation) int { return cmp.Compare(a.Return, b.Return) })
	found := gaps{}
	for _, b := range blows {
		found[b.what] = append(found[b.what], gapAfter(acknowledged, b))
	}
	return found
}

// gapAfter is the longest time without an acknowledgement in a blow's time. What comes behind that is the next blow's.
func gapAfter(acknowledged []*history.Operation, b blow) time.Duration {
	first, _ := slices.BinarySearchFunc(acknowledged, b.from, func(o *history.Operation, at time.Duration) int {
		return cmp.Compare(o.Return, at)
	})
	before, longest := b.from, time.Duration(0)
	for _, o := range acknowledged[first:] {
		if o.Call < b.from {
			continue
		}
		longest = max(longest, min(o.Return, b.to)-before)
		if before = o.Return; before > b.to {
			return longest
		}
	}
	return max(longest, b.to-before)
}

// rank is the smallest value that is not below this share of all.
func rank(sorted []time.Duration, share float64) time.Duration {
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// String is a table.
func (g gaps) String() string {
	var names []string
	for name := range g {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	fmt.Fprintf(&b, "%-44s %6s %9s %9s %9s", "no append was acknowledged after", "times", "p50", "p99", "max")
	for _, name := range names {
		sorted := slices.Sorted(slices.Values(g[name]))
		fmt.Fprintf(&b, "\n%-44s %6d %9s %9s %9s", name, len(sorted), ms(rank(sorted, 0.5)), ms(rank(sorted, 0.99)), ms(sorted[len(sorted)-1]))
	}
	return b.String()
}

func ms(d time.Duration) string { return d.Round(time.Millisecond).String() }
