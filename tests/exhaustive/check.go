package exhaustive

import "fmt"

// count looks whether what a proposer writes is chosen now, by a quorum of answers that it may count together, and says
// what is wrong with that.
func (w *world) count(s *state, i int) string {
	p := w.proposers.of(s.proposers[i])
	q := w.requests.of(p.asks)
	if len(w.outcomes(w.ballot(*s, i))) == 0 {
		return ""
	}
	for at := q.first; at <= q.last; at++ {
		v, chosen := q.values[at-1], s.chosen[at-1]
		if chosen != 0 && chosen != v {
			return fmt.Sprintf("TWO VALUES ARE CHOSEN AT %d: %s under proposal %d, and %s under proposal %d",
				at, chosen, s.lowest[at-1], v, q.by)
		}
		if chosen == 0 {
			s.chosen[at-1], s.lowest[at-1] = v, q.by
			if fault := w.fenced(*s, at, v); fault != "" && !w.agreement {
				return fault
			}
		}
		s.lowest[at-1] = min(s.lowest[at-1], q.by)
	}
	if fault := w.torn(*s); fault != "" && !w.agreement {
		return fault
	}
	return w.consistent(*s)
}

// fenced says whether an entry is chosen although a later writer was elected before, with the log ending below it.
func (w *world) fenced(s state, at uint8, v value) string {
	for i := range w.kinds {
		p := w.proposers.of(s.proposers[i])
		if p.elected && v < empty && !w.alike && v < value(i+1) && p.end < at {
			return fmt.Sprintf("%s of the writer with proposal %d is chosen at %d, after the writer with proposal %d was elected "+
				"with the log ending at %d", v, v, at, i+1, p.end)
		}
	}
	return ""
}

// torn says whether a writer's second entry is chosen, and not its first.
func (w *world) torn(s state) string {
	for i := range w.kinds {
		p, own := w.proposers.of(s.proposers[i]), w.own(uint8(i+1))
		if w.pipelined && !w.alike && p.elected && p.end == 0 && s.chosen[1] == own && s.chosen[0] != 0 && s.chosen[0] != own {
			return fmt.Sprintf("%s of the writer with proposal %d is chosen at 2, but at 1 where it wrote before %s is chosen", own, i+1, s.chosen[0])
		}
	}
	return ""
}

// consistent checks rule P2c: above the proposal under which a value is chosen, nothing else is proposed.
func (w *world) consistent(s state) string {
	if w.agreement {
		return ""
	}
	for i := range w.kinds {
		p := w.proposers.of(s.proposers[i])
		for _, id := range p.sent[:p.n] {
			q := w.requests.of(id)
			for at := q.first; q.ask == writing && at <= q.last; at++ {
				if s.chosen[at-1] != 0 && s.chosen[at-1] != q.values[at-1] && q.by > s.lowest[at-1] {
					return fmt.Sprintf("%s is chosen at %d under proposal %d, and %s is proposed there under proposal %d",
						s.chosen[at-1], at, s.lowest[at-1], q.values[at-1], q.by)
				}
			}
		}
	}
	return ""
}

// judge checks what a proposer does next: what it writes, and what it tells its client.
func (w *world) judge(s state, i int) string {
	if w.agreement {
		return ""
	}
	p := w.proposers.of(s.proposers[i])
	for other := range w.kinds {
		o := w.proposers.of(s.proposers[other])
		if other != i && o.written&p.written != 0 {
			return fmt.Sprintf("the clients of proposals %d and %d were both told that their entries are at one position", i+1, other+1)
		}
	}
	return w.consistent(s)
}
