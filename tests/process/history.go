package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// Outcome is what a client was told of an append.
type Outcome uint8

// The outcomes.
const (
	Acknowledged  Outcome = iota + 1 // it is in the log, at a position
	Indeterminate                    // it may be
	Failed                           // it is not
)

// Operation is one append, as its client saw it.
type Operation struct {
	Worker, Sequence int           // an entry is never appended twice, so these two name it
	Call, Return     time.Duration // since the load began
	Outcome          Outcome
	Position         log.Position // if it was acknowledged
	Err              error        // if it was not
}

// Entry is what was appended.
func (o Operation) Entry() string { return fmt.Sprintf("worker %d entry %d", o.Worker, o.Sequence) }

// History is what all clients saw.
type History []Operation

// Copy is the log as one replica holds it.
type Copy struct {
	Replica log.ReplicaID
	Learned log.Position // up to where it holds everything
	Holes   uint64       // positions that it has not learned
	Entries []cluster.Entry
}

// ReadCopy has a replica catch up, and reads it up to a position.
func ReadCopy(ctx context.Context, client *cluster.Client, id log.ReplicaID, to log.Position) (Copy, error) {
	c := Copy{Replica: id}
	reader := client.ReaderOf(id)
	learned, err := reader.Catchup(ctx)
	if err != nil {
		return c, fmt.Errorf("replica %d: %w", id, err)
	}
	c.Learned = learned
	for entry, err := range reader.Read(ctx, 0, to) {
		if err != nil {
			return c, fmt.Errorf("read replica %d: %w", id, err)
		}
		c.Entries = append(c.Entries, entry)
	}
	s, err := client.StatusOf(ctx, id)
	c.Holes = s.Holes
	return c, err
}

// Count is how many appends had this outcome.
func (h History) Count(outcome Outcome) int {
	n := 0
	for _, o := range h {
		if o.Outcome == outcome {
			n++
		}
	}
	return n
}

// Last is the highest position that was acknowledged.
func (h History) Last() log.Position {
	var last log.Position
	for _, o := range h {
		last = max(last, o.Position)
	}
	return last
}

// LongestGap is the longest time without an acknowledged append, and when it began. The load's own start counts as one.
func (h History) LongestGap() (gap, began time.Duration) {
	var before time.Duration
	for _, o := range h.sorted(func(o Operation) time.Duration { return o.Return }) {
		if o.Outcome != Acknowledged {
			continue
		}
		if o.Return-before > gap {
			gap, began = o.Return-before, before
		}
		before = o.Return
	}
	return gap, began
}

func (h History) sorted(by func(Operation) time.Duration) History {
	return slices.SortedFunc(slices.Values(h), func(a, b Operation) int { return cmp.Compare(by(a), by(b)) })
}

// Check compares what the clients were told with what the replicas hold, and returns the first faults. What must hold:
// every acknowledged entry is on every replica, once, at the position that was acknowledged; an indeterminate one at most
// once; a failed one nowhere, nor one that nobody appended. An append that began after another one was acknowledged is
// behind it. No replica has a hole, and all are equal.
func (h History) Check(copies []Copy) error {
	c := checker{history: h, operations: make(map[string]Operation, len(h))}
	for _, o := range h {
		c.operations[o.Entry()] = o
	}
	for i, replica := range copies {
		c.copy(replica)
		if i > 0 {
			c.equal(copies[0], replica)
		}
	}
	if len(copies) > 0 {
		c.order(copies[0])
	}
	return c.result()
}

// mostFaults is how many faults are told: one cause has many.
const mostFaults = 10

type checker struct {
	history    History
	operations map[string]Operation // by their entries
	faults     []error
	untold     int
}

func (c *checker) faultf(format string, args ...any) {
	if len(c.faults) == mostFaults {
		c.untold++
		return
	}
	c.faults = append(c.faults, fmt.Errorf(format, args...))
}

func (c *checker) result() error {
	if c.untold > 0 {
		c.faults = append(c.faults, fmt.Errorf("and %d more", c.untold))
	}
	return errors.Join(c.faults...)
}

// copy checks one replica against the history.
func (c *checker) copy(replica Copy) {
	if replica.Holes > 0 {
		c.faultf("replica %d has %d holes", replica.Replica, replica.Holes)
	}
	if last := c.history.Last(); replica.Learned < last {
		c.faultf("replica %d has everything up to %d, and %d was acknowledged", replica.Replica, replica.Learned, last)
	}
	places := make(map[string]log.Position, len(replica.Entries))
	var before log.Position
	for _, e := range replica.Entries {
		c.entry(replica.Replica, e)
		entry := string(e.Data)
		if at, twice := places[entry]; twice {
			c.faultf("replica %d has %q twice, at %d and at %d", replica.Replica, entry, at, e.Position)
		}
		if e.Position <= before {
			c.faultf("replica %d has position %d behind %d", replica.Replica, e.Position, before)
		}
		places[entry], before = e.Position, e.Position
	}
	for _, o := range c.history {
		if _, found := places[o.Entry()]; o.Outcome == Acknowledged && !found {
			c.faultf("replica %d has lost %q, which was acknowledged at %d", replica.Replica, o.Entry(), o.Position)
		}
	}
}

// entry checks one entry of a replica.
func (c *checker) entry(id log.ReplicaID, e cluster.Entry) {
	o, appended := c.operations[string(e.Data)]
	switch {
	case !appended:
		c.faultf("replica %d has %q at %d, which nobody appended", id, e.Data, e.Position)
	case o.Outcome == Failed:
		c.faultf("replica %d has %q at %d, which failed: %w", id, e.Data, e.Position, o.Err)
	case o.Outcome == Acknowledged && o.Position != e.Position:
		c.faultf("replica %d has %q at %d, and it was acknowledged at %d", id, e.Data, e.Position, o.Position)
	}
}

// equal compares two replicas.
func (c *checker) equal(a, b Copy) {
	for i := range min(len(a.Entries), len(b.Entries)) {
		x, y := a.Entries[i], b.Entries[i]
		if x.Position != y.Position || string(x.Data) != string(y.Data) {
			c.faultf("replica %d has %q at %d, where replica %d has %q at %d",
				a.Replica, x.Data, x.Position, b.Replica, y.Data, y.Position)
			return
		}
	}
	if len(a.Entries) != len(b.Entries) {
		c.faultf("replica %d has %d entries, and replica %d has %d", a.Replica, len(a.Entries), b.Replica, len(b.Entries))
	}
}

// order checks that whoever called after somebody else was told a position, got a higher one. An indeterminate append that
// is in the log began some time, too, but may have taken effect at any time after: nobody has to be behind it.
func (c *checker) order(replica Copy) {
	places := make(map[string]log.Position, len(replica.Entries))
	for _, e := range replica.Entries {
		places[string(e.Data)] = e.Position
	}
	returned := c.history.sorted(func(o Operation) time.Duration { return o.Return })
	returned = slices.DeleteFunc(returned, func(o Operation) bool { return o.Outcome != Acknowledged })
	var highest Operation // of those that had returned when the next one was called
	for _, o := range c.history.sorted(func(o Operation) time.Duration { return o.Call }) {
		for len(returned) > 0 && returned[0].Return < o.Call {
			if returned[0].Position > highest.Position {
				highest = returned[0]
			}
			returned = returned[1:]
		}
		at, found := places[o.Entry()]
		if o.Outcome == Acknowledged {
			at, found = o.Position, true
		}
		if found && highest.Position >= at {
			c.faultf("%q is at %d, and %q had been acknowledged at %d before it was appended",
				o.Entry(), at, highest.Entry(), highest.Position)
		}
	}
}
