package kit

import (
	"math/rand/v2"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
)

// Initialized makes a cluster of n members whose disks are VOTING and empty. None is started.
func Initialized(t testing.TB, seed uint64, n int) *Cluster {
	t.Helper()
	c := New(t, seed, n, false)
	for _, m := range c.Members {
		m.Prepare(func(meta *storage.Metadata) { meta.Status = status.Voting })
	}
	return c
}

// Prepare gives a member that is not running a disk with other metadata, and with these records besides; those that are
// Learned are marked so. A nil change leaves the metadata. Whoever made the records' proposals remembers that it did.
func (m *Member) Prepare(change func(*storage.Metadata), actions ...log.Action) {
	m.cluster.t.Helper()
	meta := m.Store.Metadata()
	held := m.records()
	if change != nil {
		change(&meta)
	}
	age := m.Store.Age()
	m.Store = memory.New(meta)
	m.Store.Grow(age)
	for _, a := range append(held, actions...) {
		m.must(m.Store.Put(a))
		m.raise(a.Promised)
		m.cluster.Member(a.Promised.Replica()).raise(a.Promised)
		if a.Learned {
			m.must(m.Store.Learn(log.Range{First: a.Position, Last: a.Position}))
		}
	}
	m.must(m.Store.Sync())
}

// raise makes the highest proposal that a member remembers at least this one.
func (m *Member) raise(by log.Proposal) {
	m.cluster.t.Helper()
	meta := m.Store.Metadata()
	meta.Highest = max(meta.Highest, by)
	m.must(m.Store.SetMetadata(meta))
	m.must(m.Store.Sync())
}

// CrashKeeping is Crash, but some of what was not synced may be on the disk all the same.
func (m *Member) CrashKeeping(random *rand.Rand) { m.KillKeeping(random) }

// records is everything on the member's disk.
func (m *Member) records() []log.Action {
	m.cluster.t.Helper()
	var all []log.Action
	m.must(m.Store.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
		all = append(all, a)
		return true
	}))
	return all
}

func (m *Member) must(err error) {
	m.cluster.t.Helper()
	if err != nil {
		m.cluster.t.Fatalf("the disk of member %d: %v", m.ID, err)
	}
}

// Chosen is a record with a learned entry, as it is on every disk.
func Chosen(at log.Position, by log.Proposal, entry string) log.Action {
	a := Accepted(at, by, entry)
	a.Learned = true
	return a
}

// Accepted is a record with an entry that was accepted, and is not known to be chosen.
func Accepted(at log.Position, by log.Proposal, entry string) log.Action {
	return log.Action{Position: at, Promised: by, Performed: by, Value: Entry(entry)}
}
