package storage_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

func TestReplacementIsRecoveringOnALaterDisk(t *testing.T) {
	owner := storage.Metadata{Cluster: "test", Replica: 2, Members: []log.ReplicaID{1, 2, 3}}
	first, second := storage.Fresh(owner, 7), storage.Replacement(owner, 8)
	if first.Status != status.Empty || first.Incarnation.Generation != 1 || first.Incarnation.Disk != 7 {
		t.Errorf("the first is %+v", first)
	}
	if second.Status != status.Recovering || second.Incarnation.Generation != 2 || second.Incarnation.Disk != 8 {
		t.Errorf("the second is %+v", second)
	}
	if second.Boot != 1 || second.Begin != 1 || second.Replica != 2 || second.Cluster != "test" {
		t.Errorf("the second is %+v", second)
	}
}
