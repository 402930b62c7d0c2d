package simulation

import (
	"cmp"
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// checkAll compares the whole history with the logs of all members, by the log's sequential specification: appends are in
// the log once each, in an order that agrees with real time, and a writer that was fenced writes nothing any more.
func (s *simulation) checkAll() {
	var first []log.Action
	for i, h := range s.hosts {
		actions := s.dump(h)
		if i == 0 {
			first = actions
		}
		s.same(h, first, actions)
	}
	if len(first) > 0 {
		s.whole(first)
	}
	s.history.placeAll()
	s.history.order()
	s.history.fences()
	s.history.turns()
}

// same compares the logs of two members.
func (s *simulation) same(h *host, a, b []log.Action) {
	if len(a) != len(b) {
		s.violate("member %d has %d positions, and member 1 has %d", h.ID, len(b), len(a))
		return
	}
	for i := range a {
		if a[i].Position != b[i].Position || !a[i].Value.Equal(b[i].Value) {
			s.violate("member %d has %s at %d, and member 1 %s", h.ID, words(b[i].Value), b[i].Position, words(a[i].Value))
			return
		}
	}
}

// whole checks that a log begins where the truncations say, and ends with what was chosen last.
func (s *simulation) whole(actions []log.Action) {
	begin, last := actions[0].Position, actions[len(actions)-1].Position
	if begin != max(s.truth.begin, 1) || last != s.truth.last {
		s.violate("the log is [%d, %d], and the truth is [%d, %d]", begin, last, s.truth.begin, s.truth.last)
	}
}

// placeAll checks where every entry is: an acknowledged one where its client was told, a failed one nowhere.
func (h *history) placeAll() {
	for _, o := range h.operations {
		for i, e := range o.entries {
			switch at := h.entries[e].at; {
			case o.outcome == succeeded && at != o.first+log.Position(i):
				h.violate("%s was told %d, and its entry %d is at %d", o, o.first, i, at)
			case o.outcome == failed && at > 0:
				h.violate("%s was told %s, and its entry %d is at %d", o, o.code, i, at)
			}
		}
		h.together(o)
	}
}

// together checks that the entries of one append are where they would be behind each other. Of one whose outcome is unknown
// any part may be in the log (docs/adr/0009).
func (h *history) together(o *operation) {
	var first log.Position
	for i, e := range o.entries {
		at := h.entries[e].at
		if at == 0 {
			continue
		}
		if first == 0 {
			first = at - log.Position(i)
		}
		if at != first+log.Position(i) {
			h.violate("%s: its entry %d is at %d, and its first one would be at %d", o, i, at, first)
		}
	}
}

// order checks real time: what is in the log and was called after something had been acknowledged is behind it.
func (h *history) order() {
	var done, called []*operation
	for _, o := range h.operations {
		if o.outcome == succeeded && (len(o.entries) > 0 || o.to > 0) {
			done = append(done, o)
		}
		if h.position(o) > 0 {
			called = append(called, o)
		}
	}
	slices.SortStableFunc(done, func(a, b *operation) int { return cmp.Compare(a.answer, b.answer) })
	slices.SortStableFunc(called, func(a, b *operation) int { return cmp.Compare(a.call, b.call) })
	var before log.Position // acknowledged when the next one was called
	for _, o := range called {
		for ; len(done) > 0 && done[0].answer < o.call; done = done[1:] {
			before = max(before, h.position(done[0]))
		}
		if at := h.position(o); at <= before {
			h.violate("%s is at %d, and %d had been acknowledged before its call", o, at, before)
		}
	}
}

// position is where the first value of an operation is that is in the log; 0 if none is, as far as is known.
func (h *history) position(o *operation) log.Position {
	for _, e := range o.entries {
		if at := h.entries[e].at; at > 0 {
			return at
		}
	}
	if o.to > 0 && o.outcome == succeeded {
		return o.first
	}
	return 0
}

// fences checks what a fence is for. What was appended under one is above the end of the log when its writer was elected,
// and not above the end when any later one was; and not in the log at all if it was appended after the same fence, or a
// later one, had been refused as fenced.
func (h *history) fences() {
	ends := map[log.Proposal]log.Position{}
	for _, w := range h.won {
		ends[w.fence] = w.first
	}
	won := slices.SortedStableFunc(slices.Values(h.won), latest)
	var later *operation // of the elections of later fences, the one with the lowest end
	for _, o := range slices.SortedStableFunc(slices.Values(h.operations), latest) {
		at := h.last(o)
		if o.fence == 0 || at == 0 {
			continue
		}
		for ; len(won) > 0 && won[0].fence > o.fence; won = won[1:] {
			if later == nil || won[0].first < later.first {
				later = won[0]
			}
		}
		if end, found := ends[o.fence]; found && at <= end {
			h.violate("%s is at %d, and the log ended at %d before its writer", o, at, end)
		}
		if later != nil && at > later.first {
			h.violate("%s is at %d, and %s had fenced it, with the end of the log at %d", o, at, later, later.first)
		}
		if since := h.refused(o.fence); since > 0 && o.call > since {
			h.violate("%s is at %d, and was called at %v, after its fence had been refused at %v", o, at, o.call, since)
		}
	}
}

// latest puts operations in the order of their fences, the latest first.
func latest(a, b *operation) int { return cmp.Compare(b.fence, a.fence) }

// turns checks that what a client appended at one member under one fence is in the log in the order of its calls.
func (h *history) turns() {
	type source struct {
		client int
		member log.ReplicaID
		fence  log.Proposal
	}
	before := map[source]*operation{}
	for _, o := range h.operations {
		from := source{o.client, o.member, o.fence}
		if o.fence == 0 || h.last(o) == 0 || len(o.entries) == 0 {
			continue
		}
		if b := before[from]; b != nil && h.last(b) > h.last(o) {
			h.violate("%s is at %d, and was called after %s, which is at %d", o, h.last(o), b, h.last(b))
		}
		before[from] = o
	}
}

// last is where the last value of a write is that is in the log; 0 if none is, or it is an election.
func (h *history) last(o *operation) log.Position {
	at := log.Position(0)
	for _, e := range o.entries {
		at = max(at, h.entries[e].at)
	}
	return max(at, h.position(o))
}

// refused is when a fence, or a later one, was refused first; 0 for never.
func (h *history) refused(by log.Proposal) time.Duration {
	var first time.Duration
	for _, o := range h.operations {
		if o.fence >= by && o.code == messages.Code_CODE_FENCED && (first == 0 || o.answer < first) {
			first = o.answer
		}
	}
	return first
}
