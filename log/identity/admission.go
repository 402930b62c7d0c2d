package identity

import (
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/log"
)

// Admission is what one replica holds a message's sender against.
type Admission struct {
	Self    Identity
	Members []log.ReplicaID // in order
	Known   Vector          // durable
	// Heard is the newest process of each replica that this one heard, or was told of by a peer.
	Heard map[log.ReplicaID]Process
}

// Admit says whether a message from this sender may be handled; if not, the refusal says why.
func (a *Admission) Admit(from Identity) (Refusal, bool) {
	switch {
	case from.Cluster != a.Self.Cluster:
		return Refusal{Reason: WrongCluster, Detail: "the sender belongs to another cluster: give all members the same --cluster"}, false
	case from.Epoch != a.Self.Epoch:
		return Refusal{Reason: WrongConfiguration, Detail: fmt.Sprintf(
			"replica %d knows change %d of the members, and replica %d change %d: whoever is behind is told", from.Replica, from.Epoch, a.Self.Replica, a.Self.Epoch)}, false
	case from.Configuration != a.Self.Configuration:
		return Refusal{Reason: WrongConfiguration, Detail: fmt.Sprintf(
			"replica %d has another member list than replica %d: give all members the same --members", from.Replica, a.Self.Replica)}, false
	case !slices.Contains(a.Members, from.Replica):
		return Refusal{Reason: UnknownMember, Detail: fmt.Sprintf("no member has the id %d", from.Replica)}, false
	case a.Known.Buries(from.Replica, from.Incarnation):
		return a.buried(from), false
	}
	return a.admitProcess(from)
}

func (a *Admission) buried(from Identity) Refusal {
	known, _ := a.Known.Of(from.Replica)
	return Refusal{Reason: DeadIncarnation, Known: known, Detail: fmt.Sprintf(
		"replica %d is known as incarnation %s, and incarnation %s asks", from.Replica, known, from.Incarnation)}
}

// admitProcess remembers the sender's process, unless it contradicts one that was heard.
func (a *Admission) admitProcess(from Identity) (Refusal, bool) {
	p := from.process()
	if right, ok := a.note(from.Replica, p); !ok {
		return Refusal{Reason: DuplicateIdentity, Detail: right.contradiction(from.Replica, p)}, false
	}
	return Refusal{}, true
}

// Register returns the vector with the sender's incarnation in it, and whether that is new. The sender was admitted, so
// its incarnation is the known one or a newer one.
func (a *Admission) Register(from Identity) (Vector, bool) {
	known, found := a.Known.Of(from.Replica)
	if found && known == from.Incarnation {
		return a.Known, false
	}
	return a.Known.With(from.Replica, from.Incarnation), true
}
