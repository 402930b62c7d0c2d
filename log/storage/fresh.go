package storage

import (
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
)

// Fresh completes the metadata of a data directory that is being made, from the cluster, the replica, the members, and the
// random number of its disk. It is EMPTY, in its first start.
func Fresh(m Metadata, disk uint64) Metadata {
	m.Incarnation = identity.Incarnation{Generation: 1, Disk: disk}
	m.Boot, m.Status, m.Begin = 1, status.Empty, 1
	return m
}

// Replacement is Fresh for a directory that takes the place of one that is damaged or cannot be trusted. The replica had
// data, so it is RECOVERING from the start: it waits for a quorum of VOTING members, for ever if need be, and neither it
// nor anybody who hears it starts a new log (rules B2 and B3 want all members EMPTY or STARTING). Its generation is not the
// first, for the directory is not; members that know a later one refuse it, and it then goes above that.
func Replacement(m Metadata, disk uint64) Metadata {
	m = Fresh(m, disk)
	m.Incarnation.Generation, m.Status = 2, status.Recovering
	return m
}
