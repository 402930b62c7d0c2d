package measure

import (
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
)

// Event is something that happened at one member.
type Event struct {
	Sequence uint64        // 1 for the first of the process, and so on
	At       time.Time     // by the member's clock
	Kind     string        // StatusChanged, Recovered and so on
	From, To string        // statuses, or proposals; empty where there are none
	Peer     log.ReplicaID // another member; 0 where there is none
	Detail   string        // for people
	Progress Progress      // of CatchingUp and CaughtUp

	// What only the process itself is told: a client of another one gets the Detail.
	Err     error                    // of Failed and Stopped; nil where the member was ended
	Members membership.Configuration // of MembersChanged
}

// The kinds of events. They are a contract.
const (
	StatusChanged    = "status"            // of the replica: From, To
	Recovered        = "recovered"         // the replica votes, and clients are served
	Advised          = "advice"            // why the replica cannot recover at the moment, in Detail; empty once that is over
	CatchingUp       = "catchup"           // how far it is, once a second
	CaughtUp         = "caught_up"         // a catch-up is at its end
	Elected          = "elected"           // this member writes: To is its proposal
	ElectionLost     = "election_lost"     // Detail says why; To is the proposal that stood in the way, if one did, and Peer whose it is
	Fenced           = "fenced"            // this member wrote under From, and no more: To is the proposal of another writer, which is Peer
	Resigned         = "resigned"          // this member wrote under From, and no more
	PeerPresent      = "peer_present"      // Peer is heard
	PeerAbsent       = "peer_absent"       // Peer is not heard any more
	PeerRefuses      = "peer_refuses"      // Peer refuses this member: Detail says why
	DirectoryDamaged = "directory_damaged" // the data directory was damaged, and replaced at the start
	Diverged         = "diverged"          // the log differs from that of Peer: Detail says where
	RecordsDamaged   = "records_damaged"   // learned records are damaged on the disk, and copied again: Detail says where
	RecordsMended    = "records_mended"    // all of them are there again
	MembersChanged   = "members_changed"   // the members are others from now on: Detail lists them
	Failed           = "failed"            // the member is done for: Detail says why
	Stopped          = "stopped"           // the member has stopped: the last event; nobody is left to tell other processes
)

// Progress is how far a catch-up is.
type Progress struct {
	Total, Done, Bytes uint64        // positions missing at its start, positions learned since, bytes copied since
	Elapsed            time.Duration // since its start
	Rate               uint64        // bytes a second, since its start
	Left               time.Duration // 0 while nobody knows
}

// MaxEvents is how many events are kept: the last ones.
const MaxEvents = 1024

// progressPause is how long no event tells how far a catch-up is after one did.
const progressPause = time.Second

// Events are the last events of one member. Any goroutine may use them.
type Events struct {
	mu     sync.Mutex
	life   uint64
	last   uint64  // sequence number of the newest
	ring   []Event // of the last ones; the one with sequence number n is at n modulo its length, once it is full
	report time.Time
	fresh  chan struct{} // closed with the next event; nil while nobody waits for it
}

func newEvents(now time.Time) *Events { return &Events{life: uint64(max(now.UnixMicro(), 1))} }

// Life names the process: sequence numbers begin anew with each.
func (e *Events) Life() uint64 { return e.life }

// Last is the sequence number of the newest event; 0 before there is one.
func (e *Events) Last() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

// Beyond returns a channel that is closed once there is an event behind a sequence number. Whoever notes an event waits for nobody
// who listens.
func (e *Events) Beyond(sequence uint64) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.last > sequence {
		there := make(chan struct{})
		close(there)
		return there
	}
	if e.fresh == nil {
		e.fresh = make(chan struct{})
	}
	return e.fresh
}

// Note keeps an event, and drops the oldest where there are too many.
func (e *Events) Note(event Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.note(event)
}

func (e *Events) note(event Event) {
	e.last++
	event.Sequence = e.last
	if e.fresh != nil {
		close(e.fresh)
		e.fresh = nil
	}
	if len(e.ring) < MaxEvents {
		e.ring = append(e.ring, event)
		return
	}
	e.ring[int((e.last-1)%MaxEvents)] = event
}

// NoteProgress keeps how far a catch-up is, if something is left and a second has passed since it was kept last.
func (e *Events) NoteProgress(now time.Time, p Progress) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p.Done >= p.Total || now.Sub(e.report) < progressPause {
		return
	}
	e.report = now
	e.note(Event{At: now, Kind: CatchingUp, Progress: p})
}

// After returns up to most events behind a sequence number, in their order, and how many between are not kept any more. A
// number above the newest is taken for the newest.
func (e *Events) After(sequence uint64, most int) (events []Event, missed uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	oldest := e.last - uint64(len(e.ring)) // the newest that is not kept
	if sequence < oldest {
		missed, sequence = oldest-sequence, oldest
	}
	for n := sequence + 1; n <= e.last && len(events) < most && n > sequence; n++ {
		events = append(events, e.ring[int((n-1)%MaxEvents)])
	}
	return events, missed
}
