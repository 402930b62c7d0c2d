package ensemble

import (
	"maps"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/membership"
)

// Moved tells an actor that the members have changed: from now on it works with this ensemble. The one before stays as it was,
// for an ensemble is never changed; what was begun with it counts no answers but those of its own configuration.
type Moved struct{ Ensemble *Ensemble }

// With returns the ensemble with other members. Reach names the replica of a member that was none before.
func (e *Ensemble) With(c membership.Configuration, reach func(membership.Member) *actor.PID) *Ensemble {
	next := *e
	next.Configuration, next.Members, next.voters = c, c.IDs(), c.Voters()
	next.Peers = maps.Clone(e.Peers)
	for _, m := range c.Members {
		if next.Peers[m.ID] == nil {
			next.Peers[m.ID] = reach(m)
		}
	}
	return &next
}

// Voters are the members whose votes count, in order.
func (e *Ensemble) Voters() []log.ReplicaID {
	if e.voters == nil {
		return e.Members
	}
	return e.voters
}

// Belongs says whether a message may be heeded by self: a member of the same log says it, an observer perhaps, and knows
// the same members.
func (e *Ensemble) Belongs(self, from identity.Identity) bool {
	same := from.Cluster == self.Cluster && from.Configuration == self.Configuration && from.Epoch == self.Epoch
	return same && slices.Contains(e.Members, from.Replica)
}

// Counts says whether a vote may be counted by self: one whose vote counts gives it, and the configuration is that of the
// ensemble. So a quorum is always one of a single configuration, however late an actor, or an answer, is (docs/adr/0017).
func (e *Ensemble) Counts(self, from identity.Identity) bool {
	return e.Belongs(self, from) && self.Epoch == e.Configuration.Epoch && slices.Contains(e.Voters(), from.Replica)
}
