package cluster

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
)

// Event is something that happened at one member of this process: one of the types below. They are values.
//
// Each is published on the event stream of the member's actor system (Node.System), where whoever else works with that system
// subscribes as for protoactor's own events; Node.Events hands the same ones to one subscriber at his own pace. The member keeps the
// last 1,024 of them for other processes (Client.HistoryOf), under the same sequence numbers. Later versions may have more types.
type Event interface {
	// Where says which member tells of it, and when.
	Where() Origin
	event()
}

// Origin is where an event comes from. Every event has one.
type Origin struct {
	Member   log.ReplicaID
	Log      string    // the name of the log; empty for the one that has none
	At       time.Time // by the member's clock
	Sequence uint64    // 1 for the first event of the member's process, and so on; 0 for EventsMissed
}

// Where implements Event.
func (o Origin) Where() Origin { return o }

// The events of a recovery, and of the members.
type (
	// StatusChanged: the replica's status, as status.Status names it.
	StatusChanged struct {
		Origin
		From, To string // EMPTY, STARTING, RECOVERING or VOTING
	}
	// Recovered: the replica votes, and clients are served.
	Recovered struct{ Origin }
	// Advice: why the replica cannot recover at the moment, and what to do; empty once that is over.
	Advice struct {
		Origin
		Text string // for people; empty: it does not wait any more
	}
	// CatchingUp: how far a catch-up is, at its begin and then once a second.
	CatchingUp struct {
		Origin
		CatchupProgress
	}
	// CaughtUp: a catch-up is at its end.
	CaughtUp struct {
		Origin
		CatchupProgress
	}
	// MembersChanged: the members are others, from now on.
	MembersChanged struct {
		Origin
		Membership
	}
	// PeerPresent: another member is heard.
	PeerPresent struct {
		Origin
		Peer log.ReplicaID
	}
	// PeerAbsent: another member is not heard any more.
	PeerAbsent struct {
		Origin
		Peer log.ReplicaID
	}
	// PeerRefuses: another member refuses this one.
	PeerRefuses struct {
		Origin
		Peer   log.ReplicaID
		Reason string // for people
	}
)

// The events of who writes.
type (
	// Elected: this member writes, under a proposal of its own.
	Elected struct {
		Origin
		Proposal log.Proposal
	}
	// ElectionLost: this member stood for election, and does not write. By is the proposal that stood in the way, and By.Replica() whose
	// it is; 0 where no quorum answered.
	ElectionLost struct {
		Origin
		By     log.Proposal
		Reason string // for people
	}
	// Fenced: this member wrote, and another one, By.Replica(), does from now on.
	Fenced struct {
		Origin
		Proposal log.Proposal // under which it wrote
		By       log.Proposal
	}
	// Resigned: this member wrote, and does not any more; nobody is known to have fenced it.
	Resigned struct {
		Origin
		Proposal log.Proposal // under which it wrote
	}
)

// The events of what is broken.
type (
	// DirectoryDamaged: the data directory was damaged at the start, and replaced; Detail says what was wrong, and where it is now.
	DirectoryDamaged struct {
		Origin
		Detail string
	}
	// RecordsDamaged: learned records are damaged on the disk, and copied again; Detail says where.
	RecordsDamaged struct {
		Origin
		Detail string
	}
	// RecordsMended: all damaged records are there again.
	RecordsMended struct{ Origin }
	// Diverged: the log differs from that of another member; Detail says where.
	Diverged struct {
		Origin
		Peer   log.ReplicaID
		Detail string
	}
	// Failed: the member is done for, and about to stop: its disk failed (ErrDiskFailed), is full (ErrDiskFull) or damaged
	// (ErrCorrupt), its replica lives on in another process or directory (ErrReplaced), or was removed (ErrRemoved).
	Failed struct {
		Origin
		Err error // never nil
	}
	// Stopped: the member has stopped; the last event. Err is nil after Close.
	Stopped struct {
		Origin
		Err error // why; nil: it was closed
	}
	// EventsMissed: the subscriber was so slow that the member does not keep any more what comes before the next event.
	EventsMissed struct {
		Origin
		Count uint64 // events
	}
)

// CatchupProgress is how far a catch-up is. Its JSON names are a contract.
type CatchupProgress struct {
	Total   uint64        `json:"total"`               // positions missing at its start
	Done    uint64        `json:"done"`                // positions learned or truncated since
	Bytes   uint64        `json:"bytes"`               // bytes copied since
	Elapsed time.Duration `json:"elapsed_nanoseconds"` // since its start
	Rate    uint64        `json:"bytes_per_second"`    // since its start
	Left    time.Duration `json:"left_nanoseconds"`    // until all is learned, at the speed so far or the limit; 0 while there is none
}

func (StatusChanged) event()    {}
func (Recovered) event()        {}
func (Advice) event()           {}
func (CatchingUp) event()       {}
func (CaughtUp) event()         {}
func (MembersChanged) event()   {}
func (PeerPresent) event()      {}
func (PeerAbsent) event()       {}
func (PeerRefuses) event()      {}
func (Elected) event()          {}
func (ElectionLost) event()     {}
func (Fenced) event()           {}
func (Resigned) event()         {}
func (DirectoryDamaged) event() {}
func (RecordsDamaged) event()   {}
func (RecordsMended) event()    {}
func (Diverged) event()         {}
func (Failed) event()           {}
func (Stopped) event()          {}
func (EventsMissed) event()     {}

// Events tells every event of the member from now on, in order, until the context ends: that is how to unsubscribe. The channel is
// closed then, and after the last event, Stopped. A subscriber takes its time, and holds up nobody: one that is more than 1,024
// events behind is told how many it has missed (EventsMissed).
func (n *Node) Events(ctx context.Context) <-chan Event {
	return n.EventsAfter(ctx, n.measures.Events.Last())
}

// EventsAfter is Events from behind a sequence number on: 0 begins with the member, or with the first event that is still kept.
func (n *Node) EventsAfter(ctx context.Context, sequence uint64) <-chan Event {
	events := make(chan Event)
	go func() {
		defer close(events)
		n.tell(ctx, sequence, func(e Event) bool {
			select {
			case events <- e:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	return events
}

// System is the actor system of the member: Config.System, or one of its own. It is there to look at what happens, on its
// EventStream; the node ends it if it is its own.
//
// A subscriber of the event stream is called on a goroutine that publishes events of this member and does nothing else: one that is slow
// holds up the other subscribers, and not the member; one that panics is logged, and those behind it miss that event.
func (n *Node) System() *actor.ActorSystem { return n.system }
