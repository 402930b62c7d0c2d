package journal

import (
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/log"
)

// Limits of an entry.
const (
	MaxOwner  = 1024 // bytes of a persistence id
	MaxBy     = 1024 // bytes of what an activation says of itself
	MaxEvents = 1024 // events of one entry
)

// Kind says what an entry is.
type Kind uint8

// The kinds of entries.
const (
	Activation Kind = iota + 1 // its position is the activation of the journal from here on
	Events                     // adds events
	Snapshot                   // stands for everything before it
)

// Entry is what a fold has to know of one entry; what is in the events and the snapshot is no concern of it.
type Entry struct {
	Owner      string // the persistence id of the journal's actor
	Kind       Kind
	By         string       // of an activation: where the actor runs, for people
	Activation log.Position // of events and a snapshot: under which they are written
	Index      uint64       // of the first event; of a snapshot, how many events are in its state
	Count      uint64       // how many events it holds; of a snapshot, those behind its state
}

// ErrMalformed: it is no entry of a journal.
var ErrMalformed = errors.New("malformed journal entry")

// Check says what is wrong with an entry, whoever wrote it.
func (e Entry) Check() error {
	switch {
	case e.Owner == "" || len(e.Owner) > MaxOwner:
		return fmt.Errorf("%w: its owner has a name of %d bytes: 1 to %d are allowed", ErrMalformed, len(e.Owner), MaxOwner)
	case len(e.By) > MaxBy:
		return fmt.Errorf("%w: its activation says %d bytes of itself: at most %d are allowed", ErrMalformed, len(e.By), MaxBy)
	case e.Kind == Activation:
		return nil
	case e.Kind != Events && e.Kind != Snapshot:
		return fmt.Errorf("%w: it is of kind %d", ErrMalformed, e.Kind)
	case e.Activation == 0:
		return fmt.Errorf("%w: it has no activation", ErrMalformed)
	case e.Count > MaxEvents || e.Kind == Events && e.Count == 0:
		return fmt.Errorf("%w: it has %d events: 1 to %d are allowed", ErrMalformed, e.Count, MaxEvents)
	case e.Index > MaxIndex-e.Count:
		return fmt.Errorf("%w: its index is %d", ErrMalformed, e.Index)
	}
	return nil
}

// MaxIndex is the highest index that comes next. A journal cannot get there.
const MaxIndex = 1 << 62

// next is the index behind the entry.
func (e Entry) next() uint64 { return e.Index + e.Count }
