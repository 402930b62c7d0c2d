package replica

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/messages"
)

// admit decides whether a message of another replica is handled. Whoever is admitted is registered: its incarnation is
// durable before any answer leaves, in every status (holes S3 and S17).
func (r *replica) admit(ctx actor.Context, e codec.Envelope, err error) (identity.Refusal, bool) {
	if r.fault != nil {
		return r.broken(), false
	}
	if err != nil {
		return identity.Refusal{Reason: identity.Malformed, Detail: err.Error()}, false
	}
	if refusal, ok := r.known(e.From); !ok {
		r.Log.Warn().Stringer("reason", refusal.Reason).Str("detail", refusal.Detail).Msg("a message was refused")
		return refusal, false
	}
	return identity.Refusal{}, r.register(ctx, e.From)
}

// greeting is when a replica greeted, and in which of its lives.
type greeting struct {
	life identity.Incarnation
	at   time.Time
}

// known holds a sender against what is known of its replica. A life that is refused is told whether the one that is known
// in its place is there: then it must end, and else it may recover as a new one.
func (r *replica) known(from identity.Identity) (identity.Refusal, bool) {
	refusal, ok := r.admission.Admit(from)
	if refusal.Reason == identity.DeadIncarnation {
		last := r.greeted[from.Replica]
		refusal.Votes = r.voting()
		refusal.Alive = last.life == refusal.Known && r.Clock.Now().Sub(last.at) <= r.Absence
	}
	return refusal, ok
}

func (r *replica) register(ctx actor.Context, from identity.Identity) bool {
	known, newer := r.admission.Register(from)
	if !newer {
		return true
	}
	meta := r.meta
	meta.Known = known
	if !r.setMetadata(ctx, meta) {
		return false
	}
	r.admission.Known = known
	r.Log.Info().Uint16("replica", uint16(from.Replica)).Stringer("incarnation", from.Incarnation).Msg("an incarnation is registered")
	return true
}

// header is the header of an answer: it repeats the request's number and carries the crash vector.
func (r *replica) header(to *messages.Header) *messages.Header {
	return codec.EncodeHeader(r.answering(), to.GetRequest(), r.meta.Known)
}

// answering is who this replica is when an answer leaves that is given now: all that it may rest on is synced then, which
// makes the disk older.
func (r *replica) answering() identity.Identity {
	self := r.admission.Self
	self.Age += r.group.syncs()
	return self
}
