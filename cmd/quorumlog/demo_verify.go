package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// check compares what one replica holds with what was acknowledged: position by position, byte by byte.
type check struct {
	replica log.ReplicaID
	entries *demoEntries
	missing []acknowledged // in the order of positions: what is still to come
	seen    int
	digest  hash.Hash
	faults  int
	first   string // of the faults
}

func newCheck(replica log.ReplicaID, entries *demoEntries, inOrder []acknowledged) *check {
	return &check{replica: replica, entries: entries, missing: inOrder, digest: sha256.New()}
}

func (c *check) faultf(format string, args ...any) {
	if c.faults++; c.faults == 1 {
		c.first = fmt.Sprintf(format, args...)
	}
}

// entry is given what the replica holds, in the order of positions.
func (c *check) entry(e cluster.Entry) {
	c.lost(e.Position)
	c.seen++
	c.digest.Write(binary.BigEndian.AppendUint64(nil, uint64(e.Position))) // a hash never fails
	c.digest.Write(binary.BigEndian.AppendUint64(nil, uint64(len(e.Data))))
	c.digest.Write(e.Data)
	if len(c.missing) == 0 || c.missing[0].at != e.Position {
		c.faultf("position %d holds an entry that was never acknowledged: %.40q", e.Position, e.Data)
		return
	}
	if want := c.entries.at(c.missing[0].index); !bytes.Equal(e.Data, want) {
		c.faultf("position %d holds %.40q, and acknowledged was %.40q", e.Position, e.Data, want)
	}
	c.missing = c.missing[1:]
}

// lost is every acknowledged entry below a position that has not come.
func (c *check) lost(below log.Position) {
	for len(c.missing) > 0 && c.missing[0].at < below {
		c.faultf("entry %d was acknowledged at position %d, and is not there", c.missing[0].index, c.missing[0].at)
		c.missing = c.missing[1:]
	}
}

// end says what is wrong.
func (c *check) end() error {
	c.lost(log.MaxPosition)
	if c.faults == 0 {
		return nil
	}
	return fmt.Errorf("replica %d has %d faults, the first: %s", c.replica, c.faults, c.first)
}

func (c *check) sum() string { return hex.EncodeToString(c.digest.Sum(nil)) }

// verify reads all of one replica. Tell is called with the number of entries that were read.
func (c *check) verify(ctx context.Context, client *cluster.Client, tell func(read int) error) (demoVerified, error) {
	reader := client.ReaderOf(c.replica)
	learned, err := reader.Catchup(ctx)
	if err != nil {
		return demoVerified{}, fmt.Errorf("replica %d: %w", c.replica, err)
	}
	for entry, err := range reader.Read(ctx, 0, learned) {
		if err != nil {
			return demoVerified{}, fmt.Errorf("read replica %d: %w", c.replica, err)
		}
		c.entry(entry)
		if c.seen%1000 == 0 {
			if err := tell(c.seen); err != nil {
				return demoVerified{}, err
			}
		}
	}
	if err := c.end(); err != nil {
		return demoVerified{}, err
	}
	s, err := withoutHoles(ctx, client, c.replica)
	return demoVerified{
		Replica: c.replica, Status: s.Status, Entries: c.seen, Learned: learned, Holes: s.Holes, SHA256: c.sum(),
	}, err
}

// withoutHoles waits until the replica has learned every position that it knows of: what was chosen last may be on its way.
func withoutHoles(ctx context.Context, client *cluster.Client, replica log.ReplicaID) (cluster.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	for {
		s, err := client.StatusOf(ctx, replica)
		switch {
		case err != nil:
			return s, fmt.Errorf("ask replica %d for holes: %w", replica, err)
		case s.Holes == 0:
			return s, nil
		}
		select {
		case <-time.After(demoTick):
		case <-ctx.Done():
			return s, fmt.Errorf("replica %d still has %d holes after %s", replica, s.Holes, demoPatience)
		}
	}
}
