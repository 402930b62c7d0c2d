// Package storagetest is the contract of storage.Store as tests, which every engine passes.
package storagetest

import (
	"math/rand/v2"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// Disk is a place that outlives the stores on it.
type Disk interface {
	// Open returns the store on the disk, with all that the one before it made durable. That one must be closed or
	// crashed. The first store on a disk is empty, and begins at 1.
	Open(t testing.TB) storage.Store
	// Crash ends the open store as a loss of power does. Without a source of randomness nothing stays but what was
	// synced; with one also some of the changes after.
	Crash(t testing.TB, random *rand.Rand)
}

// Factory makes a new disk, which the test cleans up.
type Factory func(t testing.TB) Disk

// Run checks all of the contract that needs no crash.
func Run(t *testing.T, disks Factory) {
	for name, test := range contract {
		t.Run(name, func(t *testing.T) { test(open(t, disks(t))) })
	}
	t.Run("EqualsAModel", func(t *testing.T) { followModel(t, disks, 20, false) })
}

// RunCrashes checks what a crash may take and what it may not.
func RunCrashes(t *testing.T, disks Factory) {
	for name, test := range crashes {
		t.Run(name, func(t *testing.T) { test(open(t, disks(t))) })
	}
	t.Run("EqualsAModelAcrossCrashes", func(t *testing.T) { followModel(t, disks, 150, true) })
}

// RunShared checks the contract of a store whose disk others sync too: what it has not synced is not always lost.
func RunShared(t *testing.T, disks Factory) {
	Run(t, disks)
	for name, test := range crashes {
		if name != needsNobodyElse {
			t.Run(name, func(t *testing.T) { test(open(t, disks(t))) })
		}
	}
	t.Run("EqualsAModelAcrossCrashes", func(t *testing.T) { followModel(t, disks, 50, true) })
}

// rig is one disk under test, with its store.
type rig struct {
	*testing.T
	disk  Disk
	store storage.Store
}

func open(t *testing.T, d Disk) *rig {
	r := &rig{t, d, d.Open(t)}
	t.Cleanup(func() { r.must(r.store.Close()) })
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) put(actions ...log.Action) {
	r.Helper()
	r.must(r.store.Put(actions...))
}

func (r *rig) learn(first, last log.Position) {
	r.Helper()
	r.must(r.store.Learn(log.Range{First: first, Last: last}))
}

func (r *rig) truncate(begin log.Position) {
	r.Helper()
	r.must(r.store.Truncate(begin))
}

func (r *rig) sync() {
	r.Helper()
	r.must(r.store.StartSync()())
}

func (r *rig) reopen() {
	r.Helper()
	r.must(r.store.Close())
	r.store = r.disk.Open(r.T)
}

func (r *rig) crash(random *rand.Rand) {
	r.Helper()
	r.disk.Crash(r.T, random)
	r.store = r.disk.Open(r.T)
}

// setMetadata changes one thing of the metadata.
func (r *rig) setMetadata(change func(*storage.Metadata)) {
	r.Helper()
	m := r.store.Metadata()
	change(&m)
	r.must(r.store.SetMetadata(m))
}

// holds says whether there is a record at a position.
func (r *rig) holds(p log.Position) bool {
	r.Helper()
	_, found, err := r.store.Get(p)
	r.must(err)
	return found
}

// scan returns the positions with a record in a range.
func (r *rig) scan(first, last log.Position) []log.Position {
	r.Helper()
	var found []log.Position
	r.must(r.store.Scan(log.Range{First: first, Last: last}, func(a log.Action) bool {
		found = append(found, a.Position)
		return true
	}))
	return found
}

func (r *rig) summary() storage.Summary {
	r.Helper()
	s, err := r.store.Summary()
	r.must(err)
	return s
}

// entry is a record with a value at a position.
func entry(p log.Position, data string) log.Action {
	ballot := log.NewProposal(3, 2)
	return log.Action{Position: p, Promised: ballot, Performed: ballot, Value: log.Value{Kind: log.Append, Data: []byte(data)}}
}

// entries are records with values at all positions of a range.
func entries(first, last log.Position) []log.Action {
	var all []log.Action
	for p := first; p <= last; p++ {
		all = append(all, entry(p, "entry"))
	}
	return all
}

func same(a, b log.Action) bool {
	return a.Position == b.Position && a.Promised == b.Promised && a.Performed == b.Performed && a.Learned == b.Learned &&
		a.Value.Equal(b.Value)
}

func voting(m *storage.Metadata) { m.Status = status.Voting }
