package simulation

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// kind is what a message between members is for.
type kind uint8

const (
	promise kind = iota
	promised
	write
	accepted
	notice
	recovers // and what it is answered
	copies   // and what it is answered
	other
	kinds
)

func kindOf(m proto.Message) kind {
	switch m.(type) {
	case *messages.PromiseRequest:
		return promise
	case *messages.PromiseResponse:
		return promised
	case *messages.WriteRequest:
		return write
	case *messages.WriteResponse:
		return accepted
	case *messages.LearnedMessage:
		return notice
	case *messages.RecoverRequest, *messages.RecoverResponse:
		return recovers
	case *messages.FetchRequest, *messages.FetchResponse:
		return copies
	}
	return other
}

// wire sees every message when it is sent: it loses some, makes some late, and checks that no answer leaves before what it
// says is durable on a disk that votes.
type wire struct {
	*simulation
	asked    map[uint64]asked // by the number of the request
	stranded map[uint64]bool  // writes that reach some replicas only
	held     int              // messages that were late
	lost     int              // messages that were lost because of their kind
	strands  int              // stranded writes
}

// asked is what a promise or a write was asked for.
type asked struct {
	by    log.Proposal
	write bool
	run   log.Range // empty for an implicit promise
}

func (w *wire) judge(e actortest.Envelope) actortest.Verdict {
	w.inspect(e.Message)
	switch {
	case e.From == e.To:
		return actortest.Deliver
	case w.stalled[e.From], w.stalled[e.To]:
		return actortest.Hold
	case w.healed || !w.between(e):
		return actortest.Deliver
	}
	k := kindOf(e.Message)
	switch {
	case w.strandsAt(e), w.random.Float64() < w.mute[k]:
		w.lost++
		return actortest.Drop
	case w.random.Float64() < max(w.late, w.slow[k]):
		w.delay(e.Message, heavy(w.random))
		return actortest.Hold
	}
	return actortest.Deliver
}

// strandsAt says whether a write does not reach this replica. Its writer is about to lose touch, or its life.
func (w *wire) strandsAt(e actortest.Envelope) bool {
	m, ok := e.Message.(*messages.WriteRequest)
	if !ok || w.strand == 0 {
		return false
	}
	request := m.GetHeader().GetRequest()
	stranded, seen := w.stranded[request]
	if !seen {
		stranded = w.random.Float64() < w.strand
		w.stranded[request] = stranded
		if stranded {
			w.strands++
			w.after(about(w.random, 10*time.Millisecond), func() { w.part(w.host(e.From)) })
		}
	}
	return stranded && w.random.IntN(3) > 0
}

// part takes a writer from the others.
func (w *wire) part(h *host) {
	if w.random.IntN(2) == 0 {
		w.end(h, "crash behind a write")
		return
	}
	w.cut(isolation, h)
}

func (w *wire) between(e actortest.Envelope) bool {
	return w.host(e.From) != nil && w.host(e.To) != nil
}

func (w *wire) delay(m proto.Message, by time.Duration) {
	w.held++
	w.after(by, func() {
		w.cluster.World.Release(func(e actortest.Envelope) bool {
			return e.Message == m && !w.stalled[e.From] && !w.stalled[e.To]
		})
	})
}

func (w *wire) inspect(m proto.Message) {
	switch m := m.(type) {
	case *messages.PromiseRequest:
		if p, err := codec.DecodePromiseRequest(m); err == nil {
			w.asked[p.Request] = asked{by: p.By, run: p.Range}
		}
	case *messages.WriteRequest:
		if r, err := codec.DecodeWriteRequest(m); err == nil {
			w.asked[r.Request] = asked{by: r.By, write: true, run: log.Span(r.First, len(r.Values))}
		}
	case *messages.PromiseResponse:
		e, answer, err := codec.DecodePromiseResponse(m)
		if promised, ok := answer.(paxos.Promised); ok && err == nil {
			w.promised(e, promised)
		}
	case *messages.WriteResponse:
		e, answer, err := codec.DecodeWriteResponse(m)
		if accepted, ok := answer.(paxos.Accepted); ok && err == nil {
			w.accepted(e, accepted)
		}
	}
}

// voter returns the disk that an answer speaks of, which must vote.
func (w *wire) voter(from identity.Identity) *disk {
	d := w.hosts[from.Replica-1].disk
	switch m := d.synced; {
	case m.Incarnation != from.Incarnation:
		w.violate("replica %d answers as %s, and is %s", from.Replica, from.Incarnation, m.Incarnation)
	case m.Status != status.Voting:
		w.violate("replica %d votes, and is %s", from.Replica, m.Status)
	}
	return d
}

func (w *wire) promised(e codec.Envelope, answer paxos.Promised) {
	d, q := w.voter(e.From), w.asked[e.Request]
	if q.run.Empty() && d.synced.Promised < q.by {
		w.violate("replica %d promises %s, and only %s is durable", d.id, q.by, d.synced.Promised)
	}
	for at := answer.Range.First; !q.run.Empty() && at <= answer.Range.Last; at++ {
		if _, final := w.truth.value(at); !final && max(d.granted[at], d.synced.Promised) < q.by {
			w.violate("replica %d promises %s at %d, and only %s is durable", d.id, q.by, at, d.granted[at])
		}
	}
}

func (w *wire) accepted(e codec.Envelope, answer paxos.Accepted) {
	d, q := w.voter(e.From), w.asked[e.Request]
	for at := answer.Range.First; at <= answer.Range.Last; at++ {
		if _, final := w.truth.value(at); !final && !w.truth.voted(at, q.by, d.id, e.From.Incarnation) {
			w.violate("replica %d says that it accepted %d under %s, and has nothing durable", d.id, at, q.by)
		}
	}
}
