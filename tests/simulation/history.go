package simulation

import (
	"fmt"
	"time"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// outcome is what a client was told.
type outcome uint8

const (
	pending       outcome = iota // nothing yet
	succeeded                    // it is done
	failed                       // it is not done, and never will be
	indeterminate                // nobody knows
)

// operation is one call of a client. An entry is never appended twice.
type operation struct {
	client       int
	member       log.ReplicaID
	call, answer time.Duration // since the world began
	outcome      outcome
	code         messages.Code // if it failed

	// Of an append, a truncation and an election:
	entries []string
	to      log.Position
	fence   log.Proposal // 0 for none; of an election the one that was won
	first   log.Position // where it was acknowledged; of an election the end of the log before it

	// What was known when it was called:
	acknowledged log.Position // the highest position
	elected      log.Proposal // the highest proposal
}

func (o *operation) String() string {
	s := fmt.Sprintf("client %d at member %d:", o.client, o.member)
	switch {
	case len(o.entries) > 0:
		s += fmt.Sprintf(" append %.20q...(%d) fence %s", o.entries[0], len(o.entries), o.fence)
	case o.to > 0:
		s += fmt.Sprintf(" truncate to %d fence %s", o.to, o.fence)
	default:
		s += fmt.Sprintf(" elect %s", o.fence)
	}
	return s
}

// placedEntry is an entry, and where it is chosen; 0 where it is not.
type placedEntry struct {
	*operation
	index int // in its operation
	at    log.Position
}

// history is what the clients did and were told. It is checked against the truth as it grows.
type history struct {
	operations []*operation
	entries    map[string]*placedEntry
	won        []*operation // elections, in the order of their answers
	highest    log.Position // acknowledged
	elected    log.Proposal // the highest that was won
	truth      *truth
	violate    func(format string, args ...any)
}

func newHistory(t *truth) *history {
	return &history{entries: map[string]*placedEntry{}, truth: t}
}

// begin records a call.
func (h *history) begin(o *operation) {
	o.acknowledged, o.elected = h.highest, h.elected
	h.operations = append(h.operations, o)
	for i, e := range o.entries {
		h.entries[e] = &placedEntry{operation: o, index: i}
	}
}

// fail records that a call failed, for sure or not.
func (h *history) fail(o *operation, now time.Duration, code messages.Code) {
	o.answer, o.code, o.outcome = now, code, failed
	if code == messages.Code_CODE_INDETERMINATE {
		o.outcome = indeterminate
		return
	}
	for _, e := range o.entries {
		if p := h.entries[e]; p.at > 0 {
			h.violate("%s was told %s, and entry %q is chosen at %d", o, code, e, p.at)
		}
	}
}

// appended records that entries were acknowledged: they are chosen, and behind everything acknowledged before the call.
func (h *history) appended(o *operation, now time.Duration, r log.Range) {
	o.answer, o.outcome, o.first = now, succeeded, r.First
	if r.Len() != uint64(len(o.entries)) {
		h.violate("%s was told %s", o, r)
		return
	}
	for i, e := range o.entries {
		at := r.First + log.Position(i)
		if v, found := h.truth.value(at); !found || !v.Equal(entry(e)) {
			h.violate("%s was told %s, and at %d the truth is %s", o, r, at, words(v))
		}
	}
	h.acknowledge(o, r)
}

func (h *history) acknowledge(o *operation, r log.Range) {
	if r.First <= o.acknowledged {
		h.violate("%s was told %s, and %d was acknowledged before its call", o, r, o.acknowledged)
	}
	h.highest = max(h.highest, r.Last)
}

// truncated records that a truncation was acknowledged.
func (h *history) truncated(o *operation, now time.Duration, at log.Position) {
	o.answer, o.outcome, o.first = now, succeeded, at
	want := log.Value{Kind: log.Truncate, To: o.to}
	if v, found := h.truth.value(at); !found || !v.Equal(want) {
		h.violate("%s was told %d, where the truth is %s", o, at, words(v))
	}
	h.acknowledge(o, log.Range{First: at, Last: at})
}

// wonElection records that an election was won: no other has its proposal, it is above all that were won before its call,
// and the log before it holds everything that was acknowledged before its call.
func (h *history) wonElection(o *operation, now time.Duration, by log.Proposal, end log.Position) {
	o.answer, o.outcome, o.fence, o.first = now, succeeded, by, end
	for _, other := range h.won {
		if other.fence == by {
			h.violate("%s and %s won one proposal", o, other)
		}
	}
	if by <= o.elected {
		h.violate("%s won %s, and %s had been won before its call", o, by, o.elected)
	}
	if end < o.acknowledged {
		h.violate("%s won %s with an end of %d, and %d had been acknowledged before its call", o, by, end, o.acknowledged)
	}
	for at := h.truth.begin; at <= end; at++ {
		if _, found := h.truth.value(at); !found && at > 0 {
			h.violate("%s won %s with an end of %d, and nothing is chosen at %d", o, by, end, at)
		}
	}
	h.won = append(h.won, o)
	h.elected = max(h.elected, by)
}

// chosen is told of every value that gets chosen, once per position.
func (h *history) chosen(at log.Position, v log.Value) {
	if v.Kind != log.Append {
		return
	}
	e := h.entries[string(v.Data)]
	switch {
	case e == nil:
		h.violate("%s is chosen at %d, and nobody appended it", words(v), at)
	case e.at > 0:
		h.violate("%s is chosen at %d and at %d", words(v), e.at, at)
	case e.outcome == failed:
		h.violate("%s is chosen at %d, and its client had been told %s", words(v), at, e.code)
	case at <= e.acknowledged:
		h.violate("%s is chosen at %d, and %d had been acknowledged before its call", words(v), at, e.acknowledged)
	}
	if e != nil {
		e.at = at
	}
}

// read checks a page that a client read, and returns its records: it has every position of its range, and at each what is chosen there.
func (h *history) read(member log.ReplicaID, p *messages.Page) []log.Action {
	r, actions, err := codec.DecodePage(p)
	if err != nil {
		h.violate("member %d shows what cannot be read: %v", member, err)
		return nil
	}
	kept := log.Range{First: log.Position(p.GetBegin()), Last: log.Position(p.GetLearned())}
	if r.Len() != uint64(len(actions)) || r.Intersect(kept).Len() != r.Len() {
		h.violate("member %d shows %d records at %s of %s", member, len(actions), r, kept)
		return nil
	}
	for i, a := range actions {
		at := r.First + log.Position(i)
		if v, found := h.truth.value(at); a.Position != at || !found || !v.Equal(a.Value) {
			h.violate("member %d shows %s at %d, and the truth is %s", member, words(a.Value), at, words(v))
		}
	}
	return actions
}

func entry(s string) log.Value { return log.Value{Kind: log.Append, Data: []byte(s)} }
