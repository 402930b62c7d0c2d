package main

import (
	"context"

	"github.com/quorumlog/quorumlog/log"
)

// cost is what a member's disk had to do: since it was made, or, as a difference, meanwhile.
type cost struct{ written, syncs uint64 }

// costs asks what the disks of the members that stay had to do so far. Their memory is measured from here on.
func (r *recovering) costs(ctx context.Context) (map[log.ReplicaID]cost, error) {
	all := make(map[log.ReplicaID]cost, len(r.others))
	for _, other := range r.others {
		s, err := r.client.StatusOf(ctx, other.ID)
		if err != nil {
			return nil, err
		}
		forgetPeak(other.process.command.Process.Pid)
		all[other.ID] = cost{written(other.process.command.Process.Pid), s.Syncs}
	}
	return all, nil
}

// account notes what the recovery cost: the memory of all members, and the disks of those that were there before.
func (r *recovering) account(ctx context.Context, run *recoverRun, before map[log.ReplicaID]cost) error {
	for _, replica := range r.replicas {
		if peak := peakMemory(replica.process.command.Process.Pid); peak > 0 {
			run.Memory = noted(run.Memory, replica.ID, peak)
		}
	}
	for _, other := range r.others {
		if now := written(other.process.command.Process.Pid); now > 0 {
			run.Written = noted(run.Written, other.ID, now-before[other.ID].written)
		}
		s, err := r.client.StatusOf(ctx, other.ID)
		if err != nil {
			return err
		}
		run.Syncs = noted(run.Syncs, other.ID, s.Syncs-before[other.ID].syncs)
	}
	return nil
}

func noted(m map[log.ReplicaID]uint64, id log.ReplicaID, value uint64) map[log.ReplicaID]uint64 {
	if m == nil {
		m = make(map[log.ReplicaID]uint64)
	}
	m[id] = value
	return m
}
