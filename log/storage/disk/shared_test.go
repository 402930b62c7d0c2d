package disk

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/storagetest"
)

func TestALogAmongBusyOnesKeepsTheContract(t *testing.T) {
	storagetest.RunShared(t, func(t testing.TB) storagetest.Disk { return newShared(t) })
}

// shared is a directory in which other logs are written while one is tested. What these had acknowledged must be there after a crash, too.
type shared struct {
	fs     *vfs.MemFS
	engine *Engine
	others []*busy
	tested *Store
}

func newShared(t testing.TB) *shared {
	s := &shared{fs: vfs.NewCrashableMem(), others: []*busy{{name: ""}, {name: "busy"}}}
	t.Cleanup(func() { s.close(t) })
	return s
}

func (s *shared) Open(t testing.TB) storage.Store {
	if s.engine == nil {
		s.engine = mustOpenEngine(t, options("/var/data", s.fs))
		for _, b := range s.others {
			b.begin(t, mustOpenLog(t, s.engine, b.name))
		}
	}
	s.tested = mustOpenLog(t, s.engine, "tested")
	return beside{s.tested, s.others}
}

func (s *shared) Crash(t testing.TB, random *rand.Rand) {
	for _, b := range s.others {
		b.mustHold = b.acknowledged.Load()
	}
	after := s.fs.CrashClone(loss(random))
	mustClose(t, s.tested)
	s.close(t)
	s.fs = after
}

func (s *shared) close(t testing.TB) {
	if s.engine == nil {
		return
	}
	for _, b := range s.others {
		b.end(t)
	}
	must(t, s.engine.Close())
	s.engine = nil
}

// busy is another log, which is written whenever it is kicked.
type busy struct {
	name         string
	store        *Store
	kicks        chan struct{}
	ended        chan struct{}
	acknowledged atomic.Uint64
	mustHold     uint64 // what was acknowledged before a crash
}

// begin looks what a crash has left, and goes on behind it.
func (b *busy) begin(t testing.TB, s *Store) {
	t.Helper()
	held := uint64(0)
	must(t, s.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
		if held++; uint64(a.Position) != held || string(a.Value.Data) != b.data(a.Position) {
			t.Errorf("the log %q has %q at %d, as record %d", b.name, a.Value.Data, a.Position, held)
		}
		return true
	}))
	if held < b.mustHold {
		t.Errorf("the log %q had acknowledged %d records, and has %d", b.name, b.mustHold, held)
	}
	b.acknowledged.Store(held) // what came after the crash was of a disk that is gone
	b.store, b.kicks, b.ended = s, make(chan struct{}, 1), make(chan struct{})
	go b.run(log.Position(held) + 1)
}

func (b *busy) data(p log.Position) string { return fmt.Sprintf("%s %d", b.name, p) }

// run ends at the first error: the disk was condemned.
func (b *busy) run(next log.Position) {
	defer close(b.ended)
	for range b.kicks {
		m := b.store.Metadata()
		m.Promised = log.Proposal(next)
		err := errors.Join(b.store.Put(entry(next, b.data(next))), b.store.Learn(log.Span(next, 1)), b.store.SetMetadata(m), b.store.Sync())
		if err != nil {
			return
		}
		b.acknowledged.Store(uint64(next))
		next++
	}
}

func (b *busy) kick() {
	select {
	case b.kicks <- struct{}{}:
	default: // it has not come to the one before
	}
}

func (b *busy) end(t testing.TB) {
	close(b.kicks)
	<-b.ended
	mustClose(t, b.store)
}

// beside kicks the other logs whenever its own is changed.
type beside struct {
	storage.Store
	others []*busy
}

func (b beside) kick() {
	for _, o := range b.others {
		o.kick()
	}
}

func (b beside) Put(actions ...log.Action) error {
	b.kick()
	return b.Store.Put(actions...)
}

func (b beside) StartSync() func() error {
	b.kick()
	wait := b.Store.StartSync()
	b.kick()
	return wait
}

func (b beside) Truncate(begin log.Position) error {
	b.kick()
	return b.Store.Truncate(begin)
}

// While the disk hangs in one sync, all logs begin one: they have the next one in common.
func TestTheSyncsOfAllLogsThatWaitAreOne(t *testing.T) {
	const logs = 16
	h := newHanging()
	e := mustOpenEngine(t, options("/data", h.fs))
	first := mustOpenLog(t, e, "")
	var stores []*Store
	for i := range logs {
		s := mustOpenLog(t, e, fmt.Sprint("log-", i))
		must(t, s.Sync())
		stores = append(stores, s)
	}
	done := h.hang(t, first)
	var waits []func() error
	for _, s := range stores {
		must(t, s.Put(entry(1, strings.Repeat("x", 100))))
		waits = append(waits, s.StartSync())
	}
	before := stores[0].Age()
	h.goOn <- nil // the first
	must(t, <-done)
	<-h.inner
	h.hangs.Store(false)
	h.goOn <- nil // that of all others
	for i, wait := range waits {
		must(t, wait())
		if got := stores[i].Age(); got != before+1 {
			t.Errorf("log %d is at age %d, from %d", i, got, before)
		}
	}
	if n := len(h.inner); n != 0 {
		t.Errorf("%d syncs more", n)
	}
	for _, s := range append(stores, first) {
		mustClose(t, s)
	}
	must(t, e.Close())
}

func TestALogWhoseCallHangsHoldsUpNoOther(t *testing.T) {
	_, stores := several(t, options("/data", vfs.NewMem()), "slow", "other")
	slow, other := stores[0], stores[1]
	hangs, called := make(chan struct{}), make(chan error)
	began := make(chan struct{})
	go func() { called <- slow.worker.do(func() error { close(began); <-hangs; return nil }) }()
	<-began
	must(t, other.Put(entry(1, "data")))
	must(t, other.Sync())
	mustHaveData(t, other, "data")
	close(hangs)
	must(t, <-called)
}
