package replica

import (
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

// install takes over a configuration that is known to be chosen: learned here, or told by somebody who knows. From now on the
// replica speaks to its members only, and no vote leaves before it is durable. Nothing need be learned for that: to the
// members of the configuration before, the replica is one that stopped (docs/adr/0017). One of another log is never in force: see
// otherLog.
func (r *replica) install(ctx actor.Context, m Install) {
	c := m.Configuration
	if r.fault != nil || c.Epoch <= r.meta.Configuration.Epoch {
		return
	}
	if r.meta.Founders.Differ(m.Founders) {
		r.hearOtherLog(ctx, c)
		return
	}
	if _, member := c.Member(r.meta.Replica); !member && r.meta.Replica > c.Highest {
		r.tell(ctx, Reconfigured{Configuration: c, Unknown: true})
		return
	}
	meta := r.meta
	meta.Configuration = c
	meta.Known = slices.DeleteFunc(slices.Clone(meta.Known), func(k identity.Known) bool { return r.gone(c, k.Replica) })
	meta.Heard = slices.DeleteFunc(slices.Clone(meta.Heard), func(h identity.Heard) bool { return r.gone(c, h.Replica) })
	if !r.setMetadata(ctx, meta) {
		return
	}
	r.reconfigure()
	r.Log.Info().Uint64("epoch", c.Epoch).Str("configuration", c.String()).Msg("the members are others")
	r.tell(ctx, Reconfigured{Configuration: c})
}

// gone says whether a replica is no member any more. It never will be again, so nothing need be known of it.
func (r *replica) gone(c membership.Configuration, id log.ReplicaID) bool {
	_, member := c.Member(id)
	return !member && id != r.meta.Replica
}

// reconfigure has messages held against the configuration that is in force.
func (r *replica) reconfigure() {
	c, a := r.meta.Configuration, &r.admission
	if c.Epoch == 0 {
		return
	}
	a.Members, a.Known = c.IDs(), r.meta.Known
	a.Self.Epoch, a.Self.Configuration = c.Epoch, c.Hash()
	for id := range a.Heard {
		if r.gone(c, id) {
			delete(a.Heard, id)
		}
	}
}

// installChosen takes over what a CONFIG says that was learned here.
func (r *replica) installChosen(ctx actor.Context, data []byte) {
	c, err := codec.ParseConfiguration(data)
	if err != nil {
		r.fail(ctx, fmt.Errorf("%w: a CONFIG that was chosen cannot be read: %w", storage.ErrCorrupt, err))
		return
	}
	r.install(ctx, Install{Configuration: c})
}

// told takes over the configuration that a greeting tells, if somebody of this cluster greets who was not removed from it.
func (r *replica) told(ctx actor.Context, m *messages.Hello) (codec.Hello, error) {
	h, err := codec.DecodeHello(m)
	if err == nil && h.From.Cluster == r.Cluster && r.meta.Configuration.Heeds(h.From.Replica) {
		r.install(ctx, Install{h.Configuration, h.Founders})
	}
	return h, err
}

// heldConfig is a CONFIG that came before everything below it was learned. It waits for that, and its round asks again if it is
// lost.
type heldConfig struct {
	asked
	first log.Position
}

// holdConfig keeps it, in place of the one before, and has what it waits for copied.
func (r *replica) holdConfig(ctx actor.Context, m *messages.WriteRequest, first log.Position) {
	r.held = heldConfig{asked{m, ctx.Sender()}, first}
	r.tell(ctx, Lacking{log.Range{First: r.ledger.Learned() + 1, Last: first - 1}})
}

// releaseConfig handles it once everything below it is learned.
func (r *replica) releaseConfig(ctx actor.Context) {
	if r.held.first == 0 || r.ledger.Learned()+1 < r.held.first {
		return
	}
	ctx.RequestWithCustomSender(ctx.Self(), r.held.question, r.held.by)
	r.held = heldConfig{}
}
