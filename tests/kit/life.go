package kit

import (
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
)

// Replace gives a member that is not running the disk that takes the place of a damaged one.
func (m *Member) Replace() {
	m.lives++
	m.Store = memory.New(storage.Replacement(m.owner(), m.disk()))
}

// owner is the part of the metadata that says whose disk it is.
func (m *Member) owner() storage.Metadata {
	return storage.Metadata{Cluster: "test", Replica: m.ID, Members: m.cluster.ids}
}

// disk is the number of the member's present disk.
func (m *Member) disk() uint64 { return uint64(m.ID)<<32 | m.lives }
