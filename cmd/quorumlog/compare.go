package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// comparison compares what the members of a running log hold.
type comparison struct {
	*program
	client  *cluster.Client
	readers []*cluster.Reader // one for each member, in the order of the verdict's
	verdict verdict
}

// prepare has every member learn what was acknowledged, and finds the range that all of them know.
func (c *comparison) prepare(ctx context.Context) error {
	statuses := c.statuses(ctx)
	if err := sameMembers(c.client.Configuration(), statuses); err != nil {
		return err
	}
	if err := allVote(statuses); err != nil {
		return err
	}
	for _, s := range statuses {
		c.readers = append(c.readers, c.client.ReaderOf(s.ID))
	}
	if err := c.catchUp(ctx); err != nil {
		return err
	}
	statuses = c.statuses(ctx)
	if err := allVote(statuses); err != nil {
		return err
	}
	c.measure(statuses)
	return nil
}

func (c *comparison) statuses(ctx context.Context) []cluster.Status {
	limited, cancel := c.limited(ctx)
	defer cancel()
	return c.client.Status(limited)
}

func allVote(statuses []cluster.Status) error {
	var missing []string
	for _, s := range statuses {
		switch {
		case !s.Reachable:
			missing = append(missing, s.Error)
		case s.Status != voting:
			missing = append(missing, fmt.Sprintf("member %d at %s is %s", s.ID, s.Address, s.Status))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return notReadyf("all members must be there and vote: %s", strings.Join(missing, "; "))
}

func (c *comparison) catchUp(ctx context.Context) error {
	bar := c.progress("catch up", "members", uint64(len(c.readers)))
	defer bar.end()
	for i, r := range c.readers {
		limited, cancel := c.limited(ctx)
		_, err := r.Catchup(limited)
		cancel()
		if err != nil {
			return err
		}
		bar.set(uint64(i) + 1)
	}
	return nil
}

// measure finds the range to compare, and what is wrong already. Members may differ in where the log begins and ends while
// somebody writes; two that know it up to the same position may not differ in where it begins.
func (c *comparison) measure(statuses []cluster.Status) {
	v := &c.verdict
	v.Begin, v.End = statuses[0].Begin, statuses[0].Learned
	for _, s := range statuses {
		v.Begin, v.End = max(v.Begin, s.Begin), min(v.End, s.Learned)
		v.Members = append(v.Members, verifiedSide{
			ID: s.ID, Status: s.Status, Begin: s.Begin, End: s.End, Learned: s.Learned, Holes: s.Holes,
		})
		open := uint64(s.End - s.Learned)
		if s.Holes > open {
			v.fault(log.Range{First: s.Begin, Last: s.Learned}, []log.ReplicaID{s.ID},
				"member %d has %d holes from position %d to %d", s.ID, s.Holes-open, s.Begin, s.Learned)
		} else if open > 0 {
			v.note("member %d does not know positions %d to %d yet: nobody was told that they are in the log",
				s.ID, s.Learned+1, s.End)
		}
		if first := statuses[0]; s.Learned == first.Learned && s.Begin != first.Begin {
			v.fault(log.Range{}, []log.ReplicaID{first.ID, s.ID}, "member %d begins at position %d, and member %d at %d, though both know the log up to %d",
				first.ID, first.Begin, s.ID, s.Begin, s.Learned)
		}
	}
	v.End = max(v.End, v.Begin-1)
}

// compare has every member take digests of the range, piece by piece.
func (c *comparison) compare(ctx context.Context) error {
	within := log.Range{First: c.verdict.Begin, Last: c.verdict.End}
	bar := c.progress("compare", positionsUnit, within.Len())
	defer bar.end()
	for !within.Empty() {
		digests, err := c.digests(ctx, within)
		if gone := (*cluster.TruncatedError)(nil); errors.As(err, &gone) && gone.Begin > within.First {
			within.First, c.verdict.Begin = gone.Begin, gone.Begin // somebody truncated the log meanwhile
			c.verdict.Positions = 0
			continue
		}
		if err != nil {
			return err
		}
		within.First = c.piece(digests) + 1
		bar.set(uint64(within.First - c.verdict.Begin))
	}
	return nil
}

// digests asks all members for the digest of a first part of a range, at once.
func (c *comparison) digests(ctx context.Context, within log.Range) ([]cluster.Digest, error) {
	ctx, cancel := c.limited(ctx)
	defer cancel()
	digests, errs := make([]cluster.Digest, len(c.readers)), make([]error, len(c.readers))
	var group sync.WaitGroup
	for i, r := range c.readers {
		group.Go(func() { digests[i], errs[i] = r.Digest(ctx, within) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, cluster.ErrTruncated) {
			return nil, err
		}
	}
	return digests, errors.Join(errs...)
}

// piece compares the digests of one piece and returns its last position. A piece of equal content ends at the same
// position everywhere.
func (c *comparison) piece(digests []cluster.Digest) log.Position {
	at := digests[0].Range
	for _, d := range digests {
		at.Last = max(at.Last, d.Range.Last)
	}
	groups := c.groups(digests)
	if len(groups) == 1 {
		c.verdict.Positions += at.Len()
		return at.Last
	}
	sides := make([]string, len(groups))
	var all []log.ReplicaID
	for i, g := range groups {
		sides[i] = strings.Trim(fmt.Sprint(g), "[]")
		all = append(all, g...)
	}
	slices.Sort(all)
	c.verdict.fault(at, all, "the members differ in positions %v: they fall apart into %s", at, strings.Join(sides, " | "))
	return at.Last
}

// groups puts the members together that have the same digest.
func (c *comparison) groups(digests []cluster.Digest) [][]log.ReplicaID {
	var kinds []cluster.Digest
	var groups [][]log.ReplicaID
	for i, d := range digests {
		at := slices.Index(kinds, d)
		if at < 0 {
			at, kinds, groups = len(kinds), append(kinds, d), append(groups, nil)
		}
		groups[at] = append(groups[at], c.verdict.Members[i].ID)
	}
	return groups
}
