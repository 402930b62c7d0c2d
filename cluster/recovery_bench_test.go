package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// BenchmarkRecovery has an empty replica recover from two voting ones, on real disks and over real connections. It counts the
// time from RECOVERING to VOTING, and what all three use of the processor meanwhile: they share one process.
func BenchmarkRecovery(b *testing.B) {
	for _, c := range []struct{ entries, size int }{{50_000, 128}, {50_000, 1024}, {500_000, 128}} {
		b.Run(fmt.Sprintf("%dx%d", c.entries, c.size), func(b *testing.B) {
			var spent, used time.Duration
			for range b.N {
				r := rebuild{TB: b, dir: b.TempDir(), members: localMembers(b)}
				took, processor := r.run(c.entries, c.size)
				spent, used = spent+took, used+processor
			}
			b.ReportMetric(0, "ns/op") // it would count the making of the disks
			b.ReportMetric(float64(b.N*c.entries)/spent.Seconds(), "entries/s")
			b.ReportMetric(float64(b.N*c.entries*c.size)/spent.Seconds()/1e6, "MB/s")
			b.ReportMetric(float64(used.Nanoseconds())/float64(b.N*c.entries), "cpu-ns/entry")
		})
	}
}

// rebuild is three members, of which the last has lost its disk.
type rebuild struct {
	testing.TB
	dir     string
	members []Member
}

func (r *rebuild) run(entries, size int) (took, used time.Duration) {
	for _, m := range r.members[:2] {
		r.must(fill(r.options(m.ID), entries, size))
		n := r.start(m.ID)
		defer func() { r.must(n.Close()) }()
		r.must(n.Recovered(r.Context()))
	}
	n := r.start(r.members[2].ID)
	defer func() { r.must(n.Close()) }()
	var began time.Time
	for e := range n.Events(r.Context()) {
		switch s, ok := e.(StatusChanged); {
		case ok && s.To == status.Recovering.String():
			began, used = s.At, processorTime()
		case ok && s.To == status.Voting.String():
			return s.At.Sub(began), processorTime() - used
		}
	}
	r.Fatal("the member stopped")
	return 0, 0
}

func (r *rebuild) must(err error) {
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rebuild) data(id log.ReplicaID) string { return filepath.Join(r.dir, fmt.Sprint(id)) }

func (r *rebuild) options(id log.ReplicaID) disk.Options {
	return disk.Options{Dir: r.data(id), Cluster: DefaultCluster, Replica: id, Members: ids(ordered(r.members)), Create: true}
}

func (r *rebuild) start(id log.ReplicaID) *Node {
	n, err := Start(context.Background(), Config{ID: id, Data: r.data(id), Members: r.members})
	r.must(err)
	return n
}

func localMembers(t testing.TB) []Member {
	var members []Member
	for id := range log.ReplicaID(3) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }() // all at the end, or two members could get one port
		members = append(members, Member{ID: id + 1, Address: l.Addr().String()})
	}
	return members
}

// fill makes the disk of a voting replica that has learned so many entries.
func fill(o disk.Options, entries, size int) error {
	if err := disk.Initialize(o); err != nil {
		return err
	}
	s, err := disk.Open(o)
	if err != nil {
		return err
	}
	by := log.NewProposal(1, 1)
	const run = 1000
	for from := 1; from <= entries; from += run {
		var actions []log.Action
		for at := from; at < from+run; at++ {
			data := bytes.Repeat([]byte{byte(at)}, size)
			copy(data, fmt.Sprintf("%d %x", at, at*2654435761))
			actions = append(actions, log.Action{
				Position: log.Position(at), Promised: by, Performed: by, Value: log.Value{Kind: log.Append, Data: data},
			})
		}
		if err := s.Put(actions...); err != nil {
			return err
		}
	}
	m := s.Metadata()
	m.Promised, m.Highest = by, by
	return errors.Join(s.Learn(log.Range{First: 1, Last: log.Position(entries)}), s.SetMetadata(m), s.Close())
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
