package process

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

const (
	longestMove = 500 * time.Millisecond // without an acknowledgement, around a change of the members
	moveTime    = 30 * time.Second       // for one change, the catch-up of a new member included
)

// move is a log whose members change while clients append.
type move struct {
	*Cluster
	client *cluster.Client
	load   *Load
	blows  []blow
}

// starts starts a member that the log had none of when it began, a moment from now: it is added first.
func (m *move) starts(id int, address string) {
	done := make(chan struct{})
	m.t.Cleanup(func() { <-done })
	go func() {
		defer close(done)
		<-time.After(200 * time.Millisecond)
		m.StartMember(id, "--members", fmt.Sprintf("%s,%d=%s", m.Members, id, address))
	}()
}

// changes does something to the members, and remembers when.
func (m *move) changes(what string, do func(context.Context) (cluster.Membership, error)) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), moveTime)
	defer cancel()
	from := m.load.Since()
	now, err := do(ctx)
	if err != nil {
		m.t.Fatalf("%s: %v", what, err)
	}
	<-time.After(longestMove)
	m.blows = append(m.blows, blow{what, from, m.load.Since()})
	m.t.Logf("%s: %s", what, cluster.FormatMembers(now.Members))
}

func (m *move) adds(id log.ReplicaID, address string) {
	m.t.Helper()
	m.starts(int(id), address)
	m.changes(fmt.Sprintf("member %d was added", id), func(ctx context.Context) (cluster.Membership, error) {
		return m.client.AddMember(ctx, cluster.Member{ID: id, Address: address}, nil)
	})
}

func (m *move) removes(id log.ReplicaID) {
	m.t.Helper()
	m.changes(fmt.Sprintf("member %d was removed", id), func(ctx context.Context) (cluster.Membership, error) {
		return m.client.RemoveMember(ctx, id)
	})
}

func TestMembersComeAndGoUnderLoad(t *testing.T) {
	m := &move{Cluster: New(t, 3)}
	m.StartAll()
	m.client = dial(t, m.Members)
	m.load = StartLoad(t, []*cluster.Client{dial(t, m.Members), dial(t, m.Members)}, 8, 5*time.Millisecond)
	ports := FreePorts(t, 3)
	m.adds(4, ports[0])
	m.adds(5, ports[1])
	m.removes(1)
	m.removes(2)
	if code := m.running[1].Wait(); code != 0 {
		t.Errorf("a removed member ends with %d", code)
	}
	if said := m.running[2].Stderr.String(); !strings.Contains(said, "removed from the log") {
		m.running[2].Wait()
		if said = m.running[2].Stderr.String(); !strings.Contains(said, "removed from the log") {
			t.Errorf("a removed member says %q", said)
		}
	}
	follower := m.follower(t)
	m.Kill(int(follower))
	m.starts(6, ports[2])
	m.changes("a dead member was replaced", func(ctx context.Context) (cluster.Membership, error) {
		return m.client.ReplaceMember(ctx, follower, cluster.Member{ID: 6, Address: ports[2]}, nil)
	})
	m.finish(t)
}

// follower is a voter that does not write.
func (m *move) follower(t *testing.T) log.ReplicaID {
	t.Helper()
	for _, s := range m.client.Status(t.Context()) {
		if s.Reachable && !s.Leader && s.Role == "voter" {
			return s.ID
		}
	}
	t.Fatal("nobody follows")
	return 0
}

// finish holds what the clients were told against the logs of those who are members in the end.
func (m *move) finish(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), moveTime)
	defer cancel()
	h, err := m.load.Finish(ctx)
	if err != nil {
		t.Fatal(err)
	}
	now, err := m.client.Membership(ctx)
	if err != nil || now.Epoch != 9 || slices.Contains(now.Votes, false) {
		t.Fatalf("the members are %+v: %v", now, err)
	}
	last, err := m.client.Append(ctx, []byte("last"))
	if err != nil {
		t.Fatal(err)
	}
	var logs []history.Log
	for _, member := range now.Members {
		l, err := ReadLog(ctx, m.client, member.ID, last-1)
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, l)
	}
	if broken := history.Join(h.Check(logs...)); broken != nil {
		t.Error(broken)
	}
	found := gapsAfter(h, m.blows)
	t.Logf("%s\n%v", told(h), found)
	for what, gap := range found {
		if slices.Max(gap) > longestMove {
			t.Errorf("when %s no append was acknowledged for %s, at most %s", what, ms(slices.Max(gap)), ms(longestMove))
		}
	}
}
