package cluster

import (
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/actors/audit"
	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/recovery"
	"github.com/quorumlog/quorumlog/actors/replica"
)

// Event is a step of the local member: one of the types below.
//
//sumtype:decl
type Event interface{ event() }

type (
	// StatusChanged: the replica's status, as status.Status names it.
	StatusChanged struct {
		From, To string    // EMPTY, STARTING, RECOVERING or VOTING
		At       time.Time // by the clock of this process
	}
	// CatchupProgress: how far a catch-up is.
	CatchupProgress struct {
		Total   uint64        `json:"total"`               // positions missing at its start
		Done    uint64        `json:"done"`                // positions learned or truncated since
		Bytes   uint64        `json:"bytes"`               // bytes copied since
		Elapsed time.Duration `json:"elapsed_nanoseconds"` // since its start
		Rate    uint64        `json:"bytes_per_second"`    // since its start
		Left    time.Duration `json:"left_nanoseconds"`    // until all is learned, at the speed so far or the limit; 0 while there is none
	}
	// Advice: why the replica cannot recover at the moment, and what to do; empty once that is over.
	Advice struct{ Text string }
	// Recovered: the replica votes.
	Recovered struct{}
	// MembersChanged: the members are others, from now on.
	MembersChanged struct{ Membership }
	// Stopped: the node is done for, and why; the last event.
	Stopped struct{ Err error }
)

func (StatusChanged) event()   {}
func (CatchupProgress) event() {}
func (Advice) event()          {}
func (Recovered) event()       {}
func (MembersChanged) event()  {}
func (Stopped) event()         {}

// maxEvents is how many events a subscriber may be behind; what comes beyond that is dropped.
const maxEvents = 1024

// bus hands events to subscribers.
type bus struct {
	mu          sync.Mutex
	subscribers []chan Event
	closed      bool
}

func (b *bus) subscribe() <-chan Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := make(chan Event, maxEvents)
	if b.closed {
		close(c)
		return c
	}
	b.subscribers = append(b.subscribers, c)
	return c
}

func (b *bus) publish(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	for _, c := range b.subscribers {
		select {
		case c <- e:
		default: // a slow subscriber must not hold up the replica
		}
	}
}

func (b *bus) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	for _, c := range b.subscribers {
		close(c)
	}
}

// event turns what the member reports into an event; nil where it is none.
func event(report any) Event {
	switch e := report.(type) {
	case replica.StatusChanged:
		return StatusChanged{From: e.From.String(), To: e.To.String(), At: e.At}
	case catchup.Progress:
		return CatchupProgress(e)
	case recovery.Advice:
		return Advice(e)
	case audit.Diverged:
		return Advice{member.Divergence(e)}
	case member.Changed:
		return MembersChanged{newMembership(e.Configuration)}
	case member.Recovered:
		return Recovered{}
	}
	return nil
}
