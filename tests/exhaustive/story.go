package exhaustive

import (
	"fmt"
	"slices"
)

// tell writes down a path, and the step after it.
func (w *world) tell(path []state, last step) []string {
	story := []string{}
	for i, what := range w.kinds {
		story = append(story, fmt.Sprintf("proposal %d: %s", i+1, what))
	}
	names := []string{"A", "B", "C", "D", "E"}[:w.size]
	for i, s := range path {
		taken := last
		if i+1 < len(path) {
			for _, next := range w.steps(s) {
				if w.canonical(next.to) == path[i+1] {
					taken = next
					break
				}
			}
		}
		story = append(story, w.sentence(s, taken, names))
		names = w.follow(taken.to, names)
	}
	return append(story, last.fault)
}

// follow returns the names of the replicas in the order in which canonical puts them.
func (w *world) follow(s state, names []string) []string {
	order := make([]int, w.size)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(s.replicas[a]) - int(s.replicas[b]) })
	var sorted []string
	for _, i := range order {
		sorted = append(sorted, names[i])
	}
	return sorted
}

func (w *world) sentence(s state, m step, names []string) string {
	before, after := w.replicas.of(s.replicas[m.slot]), w.replicas.of(m.to.replicas[m.slot])
	q := w.requests.of(m.request)
	switch m.what {
	case "hears":
		return fmt.Sprintf("%s hears %s%s", names[m.slot], q, w.change(before, after, m.teller))
	case "rejects":
		return fmt.Sprintf("%s rejects %s, and its writer takes over the number that it is told", names[m.slot], q)
	case "wins":
		text := fmt.Sprintf("proposer %d has won %s", m.teller+1, q)
		if next := w.proposers.of(m.to.proposers[m.teller]); next.asks != 0 {
			text += fmt.Sprintf(", and asks for %s", w.requests.of(next.asks))
		}
		return text
	case "helps":
		text := fmt.Sprintf("%s registers the new life of %s", names[m.slot], names[w.owner(s, m.teller)])
		if id := after.helped[m.teller]; id != before.helped[m.teller] {
			a := w.answers.of(id)
			text += fmt.Sprintf(", and answers: %s, end %d, promised %d, reign %d from %d", a.status, a.end, a.promised, a.reign.by, a.reign.first)
		}
		return text
	case "is RECOVERING":
		return fmt.Sprintf("%s is RECOVERING up to %d, promised %d", names[m.slot], after.target, after.promised)
	}
	return fmt.Sprintf("%s %s", names[m.slot], m.what)
}

// change says what a request did to a replica.
func (w *world) change(before, after replica, teller int) string {
	text := ""
	if before.told[teller] == after.told[teller] {
		text += "; nobody waits for its answer"
	}
	if before.promised != after.promised {
		text += fmt.Sprintf("; has promised %d", after.promised)
	}
	if before.reign != after.reign {
		text += fmt.Sprintf("; notes reign %d from %d on", after.reign.by, after.reign.first)
	}
	for at := range w.positions {
		if b, a := before.held[at], after.held[at]; b != a {
			text += fmt.Sprintf("; at %d: promised %d, %s under %d", at+1, a.promised, a.value, a.performed)
			if a.learned {
				text += ", learned"
			}
		}
	}
	return text
}
