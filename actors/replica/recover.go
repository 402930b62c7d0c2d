package replica

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/invariant"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

// recover answers a RecoverRequest. The sender's incarnation is registered first, in every status; what a VOTING
// replica has promised, implicitly too (hole S2), goes with the answer.
func (r *replica) recover(ctx actor.Context, m *messages.RecoverRequest) {
	e, err := codec.DecodeHeader(m.GetHeader())
	if refusal, ok := r.admit(ctx, e, err); !ok {
		r.answer(ctx, codec.RefuseRecovery(r.header(m.GetHeader()), refusal))
		return
	}
	s := codec.Standing{Status: r.meta.Status}
	if r.voting() {
		s.Begin, s.End, s.Learned = r.ledger.Begin(), r.ledger.End(), r.ledger.Learned()
		s.Promised, s.Highest, s.Reign, s.Founders = r.meta.Promised, r.meta.Highest, r.meta.Reign, r.meta.Founders
	}
	r.answer(ctx, codec.EncodeRecoverResponse(r.header(m.GetHeader()), s))
}

// advance takes the replica to its next status. What a quorum has promised, and which incarnations it knows to be the
// newest, is adopted in the same write: a replica that forgot that a peer's former life is dead could count its answer
// once more.
func (r *replica) advance(ctx actor.Context, m Advance) {
	invariant.Hold(mayAdvance(r.meta.Status, m.To), "a replica does not go from %s to %s", r.meta.Status, m.To)
	meta := r.meta
	if m.To == status.Recovering && len(meta.Founders) > 0 && !meta.Founders.Share(m.Founders) {
		r.otherLog(ctx, OtherLogError{Members: meta.Configuration, Unproven: len(m.Founders) == 0})
		return
	}
	if len(meta.Founders) == 0 {
		meta.Founders = m.Founders
	}
	meta.Status = m.To
	meta.Promised = max(meta.Promised, m.Promised)
	meta.Highest = max(meta.Highest, m.Highest, meta.Promised)
	meta.Reign = meta.Reign.Later(m.Reign)
	meta.Known = adopted(meta, m)
	if r.setMetadata(ctx, meta) {
		r.admission.Known = meta.Known
		r.answer(ctx, Advanced{m.To})
	}
}

// adopted is which incarnations the replica knows once it advances. Where it knows another disk of one generation than the
// quorum that it recovers from, that was lost, or will itself recover from a quorum before it votes; see status.Next.
func adopted(meta storage.Metadata, m Advance) identity.Vector {
	own, found := meta.Known.Of(meta.Replica)
	if m.To != status.Recovering || !found {
		return meta.Known.Merge(m.Known)
	}
	return m.Known.Merge(meta.Known).With(meta.Replica, own)
}

func mayAdvance(from, to status.Status) bool {
	switch to {
	case status.Starting:
		return from == status.Empty
	case status.Recovering:
		return from != status.Voting
	case status.Voting:
		return from == status.Starting || from == status.Recovering
	case status.Empty:
	}
	return false
}

// reincarnate takes a generation above the one that the peers know: this replica had another disk before, or the disk of
// another life is known in its place. The new life has a number of its own, so that two copies of a directory that come to the
// same generation are two lives, and bury each other.
//
// One that voted is RECOVERING from the same moment on. Nobody counts what it said before, so it must learn from a quorum what
// was chosen with its votes, as if it had lost its disk.
func (r *replica) reincarnate(ctx actor.Context, m Reincarnate) {
	invariant.Hold(r.meta.Status != status.Starting, "a replica that is STARTING does not change its incarnation")
	meta := r.meta
	if r.voting() {
		meta.Status = status.Recovering
	}
	if meta.Incarnation.Generation <= m.Above {
		meta.Incarnation = identity.Incarnation{Generation: m.Above + 1, Disk: r.Random.Uint64()}
	}
	meta.Known = meta.Known.With(meta.Replica, meta.Incarnation)
	if !r.setMetadata(ctx, meta) {
		return
	}
	r.admission.Known, r.admission.Self.Incarnation = meta.Known, meta.Incarnation
	r.answer(ctx, Reincarnated{meta.Incarnation})
	r.trust(ctx) // its peers say what it becomes; what waited is put to the new life, which does not vote
}

// hello answers a greeting.
func (r *replica) hello(ctx actor.Context, m *messages.Hello) {
	h, err := r.told(ctx, m)
	header := codec.EncodeHeader(r.admission.Self, m.GetHeader().GetRequest(), r.meta.Known) // it does not wait for a sync
	var welcome *messages.Welcome
	if refusal, ok := r.greet(h.Envelope, err); !ok {
		welcome = codec.RefuseWelcome(header, refusal)
	} else {
		r.hearGreeting(ctx, h)
		welcome = codec.EncodeWelcome(header, codec.Presence{
			Status: r.meta.Status, Writer: r.lead.by, Learned: r.ledger.Learned(), Heard: r.admission.Sightings(),
			Promised: r.meta.Promised, Sync: uint64(r.pace.most(r.Clock.Now()).Microseconds()),
		})
	}
	welcome.Configuration, welcome.Founders = codec.EncodeConfiguration(r.meta.Configuration), r.meta.Founders
	if welcome.GetRefused().GetReason() == messages.Reason_REASON_UNKNOWN_MEMBER { // it ends for that: it must be durable that it may
		r.answer(ctx, welcome)
		return
	}
	ctx.Respond(welcome)
}

// greet is admit without registering: a greeting promises nothing, so it need not wait for the disk.
func (r *replica) greet(e codec.Envelope, err error) (identity.Refusal, bool) {
	refusal, ok := r.mayAsk(e, err)
	if ok {
		r.greeted[e.From.Replica] = greeting{e.From.Incarnation, r.Clock.Now()}
	}
	return refusal, ok
}
