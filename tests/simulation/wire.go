package simulation

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/log"
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
	frontier // and what it is answered
	opinion  // asked, and given
	other
	kinds
)

// String names the kind.
func (k kind) String() string {
	return [kinds]string{"promise", "promised", "write", "accepted", "notice", "recover", "copy", "frontier", "opinion", "other"}[k]
}

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
	case *messages.FrontierRequest, *messages.FrontierResponse:
		return frontier
	case *messages.CanvassRequest, *messages.CanvassResponse:
		return opinion
	}
	return other
}

// fates is what became of the messages between members, before the network had its say.
type fates struct {
	Sent, Late, Lost [kinds]int
	Unsent           int // because their process died in the middle of a step
	Stranded         int // writes that reached some replicas only
}

// wire sees every message when it is sent: it loses some, makes some late, and has their senders die.
type wire struct {
	*simulation
	*witness
	fates
	stranded map[uint64]bool // writes, and questions of replicas that recover, that reach some replicas only
}

func (w *wire) judge(e actortest.Envelope) actortest.Verdict {
	from, to := w.host(e.From), w.host(e.To)
	if from == nil && to != nil && to.astray { // no client asks it: that nobody is told anything by such a one nobody promises
		return actortest.Drop
	}
	if from == nil {
		w.overhearTwin(e)
		return w.pass(e)
	}
	if from.dead != nil {
		w.Unsent++
		return actortest.Drop
	}
	if from.astray {
		return w.apart(e)
	}
	if e.From != e.To && from.sends > 0 {
		if from.sends--; from.sends == 0 {
			w.kill(from)
			if from.unsent {
				w.Unsent++
				return actortest.Drop
			}
		}
	}
	w.inspect(from, e.Message)
	if m, ok := e.Message.(*messages.Hello); ok {
		from.writes = log.Proposal(m.GetWriter())
	}
	if e.From == e.To {
		return actortest.Deliver
	}
	return w.pass(e)
}

// pass decides on a message between nodes that does leave.
func (w *wire) pass(e actortest.Envelope) actortest.Verdict {
	switch {
	case w.stalled[e.From], w.stalled[e.To]:
		return actortest.Hold
	case w.healed || w.now() < w.calmUntil || w.host(e.From) == nil || w.host(e.To) == nil:
		return actortest.Deliver
	}
	w.stranger.overhear(e)
	k := kindOf(e.Message)
	w.Sent[k]++
	switch {
	case w.strandsAt(e), w.doublesAt(e), w.random.Float64() < w.mute[k]:
		w.Lost[k]++
		return actortest.Drop
	case w.random.Float64() < max(w.late, w.slow[k]):
		w.Late[k]++
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
			w.Stranded++
			w.after(about(w.random, 10*time.Millisecond), func() { w.part(w.host(e.From)) })
		}
	}
	return stranded && w.random.IntN(3) > 0
}

// doublesAt says whether a replica that lost its disk does not make itself known to this one. It is about to lose its disk
// again, and touch with those that heard of it, so that its next life does not know of this one.
func (w *wire) doublesAt(e actortest.Envelope) bool {
	m, ok := e.Message.(*messages.RecoverRequest)
	h := w.host(e.From)
	if !ok || w.double == 0 || !h.lost || m.GetHeader().GetIncarnation().GetGeneration() == 1 {
		return false // with its first generation it is refused by all who knew its last life
	}
	request := m.GetHeader().GetRequest()
	stranded, seen := w.stranded[request]
	if !seen {
		stranded = w.random.Float64() < w.double
		w.stranded[request] = stranded
		if stranded {
			w.after(about(w.random, 20*time.Millisecond), func() {
				if w.mayLose(h) {
					w.faults[wipe]++
					w.lose(h, "wipe behind a question")
				}
			})
		}
	}
	if !stranded || w.random.IntN(4) > 0 {
		return stranded
	}
	w.after(10*time.Millisecond, func() { w.cutFor(about(w.random, 2*time.Second), []path{{e.From, e.To}, {e.To, e.From}}) })
	return false
}

// part takes a writer from the others.
func (w *wire) part(h *host) {
	if w.now() < w.calmUntil {
		return
	}
	if w.random.IntN(2) == 0 {
		w.end(h, "crash behind a write")
		return
	}
	w.cut(isolation, h)
}

func (w *wire) delay(m proto.Message, by time.Duration) {
	w.after(by, func() {
		w.cluster.World.Release(func(e actortest.Envelope) bool {
			return e.Message == m && !w.stalled[e.From] && !w.stalled[e.To]
		})
	})
}
