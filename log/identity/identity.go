// Package identity tells one life of a replica from another.
//
// A replica whose disk is lost comes back under the same id with nothing on it. What its former life answered may still
// be on its way, and must never be counted together with what its peers say after they met the new one (hole S3 of the
// original). So every disk is an incarnation, every member durably remembers the newest one of each other, and every
// answer carries that memory: the crash vector of Michael et al., "Recovering Shared Objects Without Stable Storage"
// (DISC 2017), of which only the recovering replica's half is needed here.
package identity

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/log"
)

// Incarnation names one life of a replica's disk.
type Incarnation struct {
	Generation uint64 // counts the lives, from 1
	Disk       uint64 // random; tells two disks of one generation apart
}

// String writes the incarnation as "generation-disk".
func (i Incarnation) String() string { return fmt.Sprintf("%d-%016x", i.Generation, i.Disk) }

// ClusterID names a cluster on the wire. It is derived from the cluster's name.
type ClusterID [16]byte

// Identity is who a message comes from.
type Identity struct {
	Cluster       ClusterID
	Epoch         uint64 // counts the changes of the members that it knows of; 0 while there was none
	Configuration uint64 // hash of the configuration, or of the member list while that was never changed
	Replica       log.ReplicaID
	Incarnation   Incarnation
	Boot          uint64 // counts the starts of a process on this disk
	Process       uint64 // random; drawn at the start of the process
	BootAge       uint64 // how many syncs the disk had seen when the process started, its start included
	Age           uint64 // how many syncs the disk has seen; at least BootAge
}

// Known is the newest incarnation that is known of one replica.
type Known struct {
	Replica     log.ReplicaID
	Incarnation Incarnation
}

// Vector is a crash vector: at most one row per replica, in the order of their ids. It is never changed in place.
type Vector []Known

// Of returns the newest known incarnation of a replica.
func (v Vector) Of(r log.ReplicaID) (Incarnation, bool) {
	i, found := v.find(r)
	if !found {
		return Incarnation{}, false
	}
	return v[i].Incarnation, true
}

// With returns the vector with the replica's row set to i.
func (v Vector) With(r log.ReplicaID, i Incarnation) Vector {
	at, found := v.find(r)
	if found {
		next := slices.Clone(v)
		next[at].Incarnation = i
		return next
	}
	return slices.Insert(slices.Clone(v), at, Known{r, i})
}

// Merge returns the vector with every row of o that names a newer generation, or a replica that v does not know.
func (v Vector) Merge(o Vector) Vector {
	for _, k := range o {
		if known, found := v.Of(k.Replica); !found || known.Generation < k.Incarnation.Generation {
			v = v.With(k.Replica, k.Incarnation)
		}
	}
	return v
}

// Buries says whether the vector knows that incarnation i of r is dead: a newer one is registered.
func (v Vector) Buries(r log.ReplicaID, i Incarnation) bool {
	known, found := v.Of(r)
	return found && (known.Generation > i.Generation || known.Generation == i.Generation && known.Disk != i.Disk)
}

func (v Vector) find(r log.ReplicaID) (int, bool) {
	return slices.BinarySearchFunc(v, r, func(k Known, r log.ReplicaID) int { return cmp.Compare(k.Replica, r) })
}
