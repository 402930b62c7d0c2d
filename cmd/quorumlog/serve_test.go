package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/cluster"
)

func TestMemberWhoseDiskFailsSaysWhatToDo(t *testing.T) {
	three := memberList{{ID: 1, Address: "a:1"}, {ID: 2, Address: "b:1"}, {ID: 3, Address: "c:1"}}
	const remade = ": if the directory is this replica's, delete it and start the replica under the same id: it recovers from the others"
	for _, r := range []struct {
		members memberList
		running bool
		repair  cluster.Repair
		err     error
		want    string
	}{
		{three, true, cluster.RepairAuto, cluster.ErrCorrupt, ": start it again: it keeps the damaged files aside, and recovers from the others"},
		{three, true, cluster.RepairNever, cluster.ErrCorrupt, remade},
		{three, false, cluster.RepairAuto, cluster.ErrCorrupt, remade},
		{three, true, cluster.RepairAuto, cluster.ErrDiskFailed, ": start it again; where that does not help replace the disk, or delete " +
			"the directory: it recovers from the others"},
		{three, true, cluster.RepairAuto, cluster.ErrDiskFull, "disk failed: no space left: it failed"},
		{three[:1], true, cluster.RepairAuto, cluster.ErrCorrupt, ": keep the directory: the other members are too few to recover it from"},
		{three[:2], false, cluster.RepairAuto, cluster.ErrCorrupt, ": keep the directory: the other members are too few to recover it from"},
		{three, true, cluster.RepairAuto, cluster.ErrReplaced, "it failed"},
		{three, true, cluster.RepairAuto, errors.New("any"), "any: it failed"},
	} {
		p := &program{settings: settings{members: r.members, repair: repair(r.repair)}}
		err := p.advised(fmt.Errorf("%w: it failed", r.err), r.running)
		if !errors.Is(err, r.err) || !strings.HasSuffix(err.Error(), r.want) {
			t.Errorf("%v: expected it to end with %q", err, r.want)
		}
	}
	if err := (&program{}).advised(nil, true); err != nil {
		t.Error(err)
	}
}
