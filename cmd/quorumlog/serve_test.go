package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

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

// A process that stayed without a log would serve nobody, and nobody would start it again.
func TestAMemberThatHasStoppedBeforeItIsWatchedEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	node, err := cluster.Start(t.Context(), cluster.Config{ID: 1, Data: t.TempDir(), Members: []cluster.Member{{ID: 1, Address: address}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s := steps{logger: zerolog.Nop(), ending: func() { t.Error("it waits for somebody to end it") }}
	if err := s.until(ctx, node); err == nil {
		t.Error("it ends as if it were told to")
	}
}

func TestMemberThatWasRemovedFromAllItsLogsEndedAsItWasAskedTo(t *testing.T) {
	gone, other := fmt.Errorf("%w: 1 is none of its members", cluster.ErrRemoved), errors.New("it failed")
	for _, r := range []struct {
		faults []error
		code   int
	}{
		{[]error{gone}, exitFine},
		{[]error{gone, gone}, exitFine},
		{[]error{gone, other}, exitFailed},
		{[]error{gone, fmt.Errorf("%w: a bad record", cluster.ErrCorrupt)}, exitDataFault},
		{[]error{other}, exitFailed},
		{[]error{nil}, exitFailed},
	} {
		var said bytes.Buffer
		s := &steps{logger: zerolog.New(&said)}
		if code := exitCode(s.over(r.faults)); code != r.code {
			t.Errorf("%v: it ends with %d, expected %d", r.faults, code, r.code)
		}
		if told := strings.Contains(said.String(), "take its service"); told != (r.code == exitFine) {
			t.Errorf("%v: it says %q", r.faults, &said)
		}
	}
}
