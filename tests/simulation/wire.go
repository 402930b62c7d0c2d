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

// wire sees every message when it is sent: it makes some late, and checks that no answer leaves before what it says is
// durable on a disk that votes.
type wire struct {
	*simulation
	asked map[uint64]asked // by the number of the request
	held  int              // messages that were late
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
	case w.late > 0 && w.between(e) && w.random.Float64() < w.late:
		w.delay(e.Message, heavy(w.random))
		return actortest.Hold
	}
	return actortest.Deliver
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
