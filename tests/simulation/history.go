package simulation

import (
	"time"

	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// operation is one call of a client.
type operation struct {
	*spec.Operation

	// What was known when it was called:
	acknowledged log.Position // the highest position
	elected      log.Proposal // the highest proposal
}

// placedEntry is an entry, and where it is chosen; 0 where it is not.
type placedEntry struct {
	*operation
	at log.Position
}

// history is what the clients did and were told. As it grows it is checked against the truth, so that a run ends where it
// goes wrong; in the end the whole is checked by package history, which knows more rules.
type history struct {
	recorder   *spec.Recorder
	at         time.Duration // the time of what is recorded
	operations []*operation
	entries    map[string]*placedEntry
	sessions   map[source]uint64
	won        []*operation // elections, in the order of their answers
	highest    log.Position // acknowledged
	elected    log.Proposal // the highest that was won
	truth      *truth
	numbers    map[number]log.Position // where each number of a session is chosen
	accuse     accuser
	life       func(log.ReplicaID) uint64 // names the life of a member's process
	violate    func(format string, args ...any)
}

// source is where calls come from that take turns: what a client appends with numbers of one session, or without any at one member
// under one fence, is in the log in the order in which it was called.
type source struct {
	client  int
	session log.Session
	member  log.ReplicaID
	fence   log.Proposal
}

// order names the source of a call for the specification.
func (h *history) order(by source) uint64 {
	if h.sessions[by] == 0 {
		h.sessions[by] = uint64(len(h.sessions) + 1)
	}
	return h.sessions[by]
}

func newHistory(t *truth, life func(log.ReplicaID) uint64) *history {
	h := &history{entries: map[string]*placedEntry{}, sessions: map[source]uint64{}, numbers: map[number]log.Position{}, truth: t, life: life}
	h.recorder = spec.NewRecorder(func() time.Duration { return h.at })
	return h
}

// begin records a call.
func (h *history) begin(now time.Duration, o spec.Operation) *operation {
	h.at = now
	if o.Fence > 0 && !o.Numbered {
		o.Session = h.order(source{client: o.Client, member: o.Member, fence: o.Fence})
	}
	if o.Reader == 0 && (o.Kind == spec.Read || o.Kind == spec.Catchup) {
		o.Reader = h.life(o.Member)
	}
	begun := &operation{Operation: h.recorder.Begin(o), acknowledged: h.highest, elected: h.elected}
	h.operations = append(h.operations, begun)
	for _, e := range o.Entries {
		h.entries[e] = &placedEntry{operation: begun}
	}
	return begun
}

// succeed records the answer to a call. The life of a member's process is a reader, where it was the same at the call and at
// the answer.
func (h *history) succeed(o *operation, now time.Duration, told func(*spec.Operation)) {
	h.at = now
	h.recorder.End(o.Operation, func(o *spec.Operation) {
		o.Outcome = spec.Succeeded
		if o.Reader > 0 && o.Reader < readers && o.Reader != h.life(o.Member) {
			o.Reader = 0
		}
		told(o)
	})
}

// fail records that a call failed, for sure or not.
func (h *history) fail(o *operation, now time.Duration, code messages.Code) {
	h.at = now
	h.recorder.End(o.Operation, func(o *spec.Operation) {
		o.Outcome, o.Why, o.Fenced = spec.Rejected, code.String(), code == messages.Code_CODE_FENCED
		if code == messages.Code_CODE_INDETERMINATE {
			o.Outcome = spec.Unknown
		}
	})
	if o.Outcome == spec.Unknown {
		return
	}
	for _, e := range o.Entries {
		if p := h.entries[e]; p.at > 0 {
			h.violate("%s was told %s, and entry %.40q is chosen at %d", o, code, e, p.at)
		}
	}
}

// appended records that entries were acknowledged: they are chosen, and behind everything acknowledged before the call.
func (h *history) appended(o *operation, now time.Duration, pieces ...log.Range) {
	whole := log.Range{First: pieces[0].First, Last: pieces[len(pieces)-1].Last}
	h.succeed(o, now, func(o *spec.Operation) {
		o.Told = whole
		if len(pieces) > 1 {
			o.Pieces = pieces
		}
	})
	places := o.Places()
	if len(places) != len(o.Entries) || places[len(places)-1] != whole.Last {
		h.violate("%s was told %v", o, pieces)
		return
	}
	for i, e := range o.Entries {
		if v, found := h.truth.value(places[i]); !found || v.Kind != log.Append || string(v.Data) != e {
			h.violate("%s was told %v, and at %d the truth is %s", o, pieces, places[i], words(v))
		}
	}
	h.acknowledge(o, whole)
}

func (h *history) acknowledge(o *operation, r log.Range) {
	if r.First <= o.acknowledged {
		h.violate("%s was told %s, and %d was acknowledged before its call", o, r, o.acknowledged)
	}
	h.highest = max(h.highest, r.Last)
}

// truncated records that a truncation was acknowledged.
func (h *history) truncated(o *operation, now time.Duration, at log.Position) {
	h.succeed(o, now, func(o *spec.Operation) { o.Told = log.Range{First: at, Last: at} })
	if v, found := h.truth.value(at); !found || v.Kind != log.Truncate || v.To != o.To {
		h.violate("%s was told %d, where the truth is %s", o, at, words(v))
	}
	h.acknowledge(o, log.Range{First: at, Last: at})
}

// wonElection records that an election was won: no other has its proposal, it is above all that were won before its call,
// and the log before it holds everything that was acknowledged before its call.
func (h *history) wonElection(o *operation, now time.Duration, by log.Proposal, end log.Position) {
	h.succeed(o, now, func(o *spec.Operation) { o.Fence, o.Told.Last = by, end })
	for _, other := range h.won {
		if other.Fence == by {
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

// caughtUp records that a member has learned everything that was acknowledged before it was asked to.
func (h *history) caughtUp(o *operation, now time.Duration, learned log.Position) {
	h.succeed(o, now, func(o *spec.Operation) { o.Told.Last = learned })
	if learned < o.acknowledged {
		h.violate("%s was told %d, and %d had been acknowledged before", o, learned, o.acknowledged)
	}
}

// wasRead records what a member showed.
func (h *history) wasRead(o *operation, now time.Duration, p *messages.Page) {
	actions := h.read(o.Member, p)
	r := log.Range{First: log.Position(p.GetRange().GetFirst()), Last: log.Position(p.GetRange().GetLast())}
	h.succeed(o, now, func(o *spec.Operation) {
		o.View = view(r, actions)
		o.View.Begin, o.View.Learned = log.Position(p.GetBegin()), log.Position(p.GetLearned())
	})
}

// view is what somebody was shown.
func view(r log.Range, actions []log.Action) spec.View {
	if r.Empty() {
		return spec.View{First: 1, All: true}
	}
	v := spec.View{First: r.First, Last: r.Last, All: true}
	for _, a := range actions {
		v.Records = append(v.Records, spec.Record{At: a.Position, Value: a.Value})
	}
	return v
}

// chosen is told of every value that gets chosen, once per position.
func (h *history) chosen(at log.Position, v log.Value) {
	h.recorder.Know(at, v)
	h.numbered(at, v)
	if v.Kind != log.Append {
		return
	}
	e := h.entries[string(v.Data)]
	switch {
	case e == nil:
		h.violate("%s is chosen at %d, and nobody appended it", words(v), at)
	case e.at > 0:
		h.violate("%s is chosen at %d and at %d", words(v), e.at, at)
	case e.Outcome == spec.Rejected:
		h.violate("%s is chosen at %d, and its client had been told %s", words(v), at, e.Why)
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
