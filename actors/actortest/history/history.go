package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/log"
)

// Kind is what an operation is.
type Kind uint8

// The kinds.
const (
	Append   Kind = iota + 1 // of one or more entries
	Truncate                 // to a position
	Read                     // of a range, from one member
	Elect                    // a writer
	Catchup                  // of one member, with all that was acknowledged before
)

// String names the kind.
func (k Kind) String() string {
	return [...]string{"nothing", "append", "truncate", "read", "elect", "catch up"}[k]
}

// Outcome is what the client of an operation was told.
type Outcome uint8

// The outcomes. Pending means the same as Unknown, but that nobody was told it.
const (
	Pending   Outcome = iota // nothing yet
	Succeeded                // it is done
	Rejected                 // it is not done, and never will be
	Unknown                  // it may be done, now or later, or not
)

// String names the outcome.
func (o Outcome) String() string {
	return [...]string{"pending", "succeeded", "rejected", "unknown"}[o]
}

// Never is the time of an answer that has not come.
const Never time.Duration = math.MaxInt64

// Operation is one call, as its client saw it. A field that does not belong to its kind is zero.
type Operation struct {
	Kind    Kind
	Outcome Outcome
	Client  int           // who called
	Member  log.ReplicaID // who was called; 0 where that is not known
	Call    time.Duration // since the history began
	Return  time.Duration // the same; Never while it is pending
	Why     string        // it did not succeed

	// Fence is the proposal of the writer that wrote, or of the one that an election made; 0 where there is none.
	Fence log.Proposal
	// Fenced says that it was rejected because a later writer was elected.
	Fenced bool
	// Session: appends of one session are in the log in the order in which they were begun; 0 for none.
	Session uint64

	// Entries are what was appended, all different, also from those of every other operation.
	Entries []string
	// To is the first position that a truncation keeps.
	To log.Position
	// Told is where a write that succeeded is. Of an election its Last is the end of the log before the new writer, of a
	// catch-up the position up to which the member has everything; their First means nothing.
	Told log.Range

	// Numbered: the entries have numbers in a session of the protocol, so that an append that is sent again is in the log once. Where its
	// writer fails, other entries may come between them.
	Numbered bool
	// Pieces is where a Numbered append is that other entries lie between: Told is from the first position to the last then.
	Pieces []log.Range

	// View is what a read showed.
	View View
	// Linearizable: the read shows everything that was acknowledged before its call.
	Linearizable bool
	// Reader: what one reader sees never goes back, over its reads and catch-ups; 0 for none. One life of a member's
	// process is a reader.
	Reader uint64
}

// Places are the positions of the entries of an append that succeeded, in their order: one too many where it was told more.
func (o *Operation) Places() []log.Position {
	pieces := o.Pieces
	if len(pieces) == 0 {
		pieces = []log.Range{o.Told}
	}
	var all []log.Position
	for _, r := range pieces {
		for i := range r.Len() {
			if len(all) > len(o.Entries) {
				return all
			}
			all = append(all, r.First+log.Position(i))
		}
	}
	return all
}

// String tells an operation in one line.
func (o *Operation) String() string {
	s := fmt.Sprintf("client %d", o.Client)
	if o.Member > 0 {
		s += fmt.Sprintf(" at member %d", o.Member)
	}
	s += ": " + o.Kind.String()
	switch o.Kind {
	case Append:
		s += fmt.Sprintf(" %s(%d)", quote(o.first()), len(o.Entries))
	case Truncate:
		s += fmt.Sprintf(" to %d", o.To)
	case Read:
		s += " " + o.View.Range().String()
	case Elect, Catchup:
	}
	if o.Fence > 0 {
		s += " fence " + o.Fence.String()
	}
	if o.Return == Never {
		return s + fmt.Sprintf(" (called at %v)", o.Call)
	}
	return s + fmt.Sprintf(" (%v to %v)", o.Call, o.Return)
}

func (o *Operation) first() string {
	if len(o.Entries) == 0 {
		return ""
	}
	return o.Entries[0]
}

// writes says whether an operation writes to the log where it succeeds.
func (o *Operation) writes() bool { return o.Kind == Append || o.Kind == Truncate }

// Record is what is in the log at a position.
type Record struct {
	At    log.Position
	Value log.Value
}

// View is a part of the log as somebody was shown it.
type View struct {
	First, Last log.Position // the range that was shown; First is Last + 1 where that is nothing
	Begin       log.Position // the first position that was kept; 0 if it was not told
	Learned     log.Position // up to where the member had everything; 0 if it was not told
	All         bool         // Records has every position of the range; else the appends only
	Records     []Record     // in the order of their positions
}

// Range is the range that was shown.
func (v View) Range() log.Range { return log.Range{First: v.First, Last: v.Last} }

// reach is the highest position of which the view says that everything up to it is decided.
func (v View) reach() log.Position { return max(v.Last, v.Learned) }

// Log is what a member holds in the end, once everything is over and it has caught up. Its view is the whole log.
type Log struct {
	Member log.ReplicaID
	Holes  uint64 // positions between the first and the last that it has not learned
	View   View
}

// History is what happened.
type History struct {
	// Operations are in the order in which they were begun, as far as they are of one session.
	Operations []*Operation
	// Known is what is known to be in the log, or to have been before it was truncated, from elsewhere; in any order.
	Known []Record
}

// Count is how many operations of a kind had an outcome.
func (h *History) Count(kind Kind, outcome Outcome) int {
	n := 0
	for _, o := range h.Operations {
		if o.Kind == kind && o.Outcome == outcome {
			n++
		}
	}
	return n
}

// Highest is the highest position at which a write was acknowledged; 0 where none was.
func (h *History) Highest() log.Position {
	var highest log.Position
	for _, o := range h.Operations {
		if o.writes() && o.Outcome == Succeeded {
			highest = max(highest, o.Told.Last)
		}
	}
	return highest
}

// LongestGap is the longest time without an acknowledged append, and when it began. The time before the first one counts.
func (h *History) LongestGap() (gap, began time.Duration) {
	var before time.Duration
	for _, o := range sorted(h.Operations, byReturn) {
		if o.Kind != Append || o.Outcome != Succeeded {
			continue
		}
		if o.Return-before > gap {
			gap, began = o.Return-before, before
		}
		before = o.Return
	}
	return gap, began
}

func byCall(a, b *Operation) int   { return cmp.Compare(a.Call, b.Call) }
func byReturn(a, b *Operation) int { return cmp.Compare(a.Return, b.Return) }
func byFence(a, b *Operation) int  { return cmp.Compare(a.Fence, b.Fence) }

// sorted is a copy in another order.
func sorted(operations []*Operation, order func(a, b *Operation) int) []*Operation {
	clone := slices.Clone(operations)
	slices.SortStableFunc(clone, order)
	return clone
}

// quote shows an entry, or its beginning.
func quote(entry string) string {
	const longest = 40
	if len(entry) > longest {
		return fmt.Sprintf("%q... (%d bytes)", entry[:longest], len(entry))
	}
	return fmt.Sprintf("%q", entry)
}

// words names a value.
func words(v log.Value) string {
	switch v.Kind {
	case log.Append:
		return quote(string(v.Data))
	case log.Truncate:
		return fmt.Sprintf("TRUNCATE to %d", v.To)
	default:
		return v.Kind.String()
	}
}
