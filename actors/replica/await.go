package replica

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/messages"
)

// What readers ask: how far the log goes, and to be told once it is learned so far.

// awaited is an actor of this process that waits until everything up to a position is learned.
type awaited struct {
	pid *actor.PID
	at  log.Position
}

// remind has an actor told, once, that all is learned up to a position, at once where it is. What it waited for before it does not
// wait for any more; a position of 0 is nothing.
func (r *replica) remind(ctx actor.Context, m Await) {
	r.awaited = slices.DeleteFunc(r.awaited, func(a awaited) bool { return a.pid.Equal(m.By) })
	if m.At > 0 {
		r.awaited = append(r.awaited, awaited{m.By, m.At})
		r.tellReached(ctx)
	}
}

// tellReached tells those whose position is reached.
func (r *replica) tellReached(ctx actor.Context) {
	if len(r.awaited) == 0 {
		return
	}
	learned := r.ledger.Learned()
	r.awaited = slices.DeleteFunc(r.awaited, func(a awaited) bool {
		if a.at > learned {
			return false
		}
		ctx.Send(a.pid, Reached{learned})
		return true
	})
}

// frontier answers a FrontierRequest at once: an end that is not durable yet is told too early, which harms nobody.
func (r *replica) frontier(ctx actor.Context, m *messages.FrontierRequest) {
	e, err := codec.DecodeHeader(m.GetHeader())
	header := codec.EncodeHeader(r.admission.Self, m.GetHeader().GetRequest(), r.meta.Known)
	if refusal, ok := r.mayAsk(e, err); !ok {
		ctx.Respond(codec.RefuseFrontier(header, refusal))
		return
	}
	ctx.Respond(codec.EncodeFrontierResponse(header, r.meta.Status, r.ledger.End()))
}

// mayAsk is admit without registering: a question that promises nothing need not wait for the disk.
func (r *replica) mayAsk(e codec.Envelope, err error) (identity.Refusal, bool) {
	switch {
	case r.fault != nil:
		return r.broken(), false
	case err != nil:
		return identity.Refusal{Reason: identity.Malformed, Detail: err.Error()}, false
	}
	return r.known(e.From)
}
