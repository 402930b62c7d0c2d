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
	for _, r := range []struct {
		members memberList
		err     error
		want    string
	}{
		{three, cluster.ErrCorrupt, ": delete the directory and start the replica under the same id: it recovers from the others"},
		{three, cluster.ErrDiskFailed, ": replace the disk or make room, then start it again; if it does not start, delete the directory: " +
			"it recovers from the others"},
		{three[:1], cluster.ErrCorrupt, ": keep the directory: the other members are too few to recover it from"},
		{three[:2], cluster.ErrCorrupt, ": keep the directory: the other members are too few to recover it from"},
		{three, cluster.ErrReplaced, "it failed"},
		{three, errors.New("any"), "any: it failed"},
	} {
		p := &program{settings: settings{members: r.members}}
		err := p.advised(fmt.Errorf("%w: it failed", r.err))
		if !errors.Is(err, r.err) || !strings.HasSuffix(err.Error(), r.want) {
			t.Errorf("%v: expected it to end with %q", err, r.want)
		}
	}
	if err := (&program{}).advised(nil); err != nil {
		t.Error(err)
	}
}
