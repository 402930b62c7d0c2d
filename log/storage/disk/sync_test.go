package disk

import (
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// hanging is a file system in memory of which the syncs of logs can be made to hang until they are let go, and then to fail.
type hanging struct {
	fs    vfs.FS
	mem   *vfs.MemFS
	hangs atomic.Bool
	inner chan struct{} // has one for each sync that hangs
	goOn  chan error
}

func newHanging() *hanging {
	h := &hanging{mem: vfs.NewMem(), inner: make(chan struct{}, 100), goOn: make(chan error)}
	h.fs = inject(h.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !h.hangs.Load() || !isSync(op) || !strings.HasSuffix(op.Path, logSuffix) {
			return nil
		}
		h.inner <- struct{}{}
		return <-h.goOn
	}))
	return h
}

// hang begins a sync of one record, and returns once it hangs.
func (h *hanging) hang(t *testing.T, s *Store) (done chan error) {
	t.Helper()
	must(t, s.Put(entry(1, "covered")))
	h.hangs.Store(true)
	wait, done := s.StartSync(), make(chan error, 1)
	go func() { done <- wait() }()
	<-h.inner
	return done
}

func TestAStoreGoesOnWhileTheDiskHangsInASync(t *testing.T) {
	h := newHanging()
	s := mustOpen(t, options("/data", h.fs))
	done := h.hang(t, s)
	before := s.Age()
	for p := log.Position(2); p < 100; p++ {
		must(t, s.Put(entry(p, strings.Repeat("x", 1000))))
		must(t, s.Learn(log.Span(p, 1)))
	}
	if _, found, err := s.Get(99); err != nil || !found {
		t.Errorf("got %v, %v", found, err)
	}
	if len(done) > 0 || s.Age() != before {
		t.Errorf("the sync is done at age %d, and hangs", s.Age())
	}
	h.hangs.Store(false)
	h.goOn <- nil
	must(t, <-done)
	if s.Age() != before+1 {
		t.Errorf("one sync made the disk %d, from %d", s.Age(), before)
	}
	mustClose(t, s)
}

func TestASyncThatFailsWhileTheStoreGoesOnIsNotAcknowledged(t *testing.T) {
	h := newHanging()
	s, told := openTold(t, h.fs)
	done := h.hang(t, s)
	before := s.Age()
	must(t, s.Put(entry(2, "later")))
	h.goOn <- syscall.EIO
	if err := <-done; !errors.Is(err, storage.ErrFailed) || !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v, want ErrFailed and EIO", err)
	}
	if err := <-told; !errors.Is(err, storage.ErrFailed) {
		t.Errorf("OnFatal was told %v, want ErrFailed", err)
	}
	if err := s.Put(entry(3, "late")); !errors.Is(err, storage.ErrFailed) || s.Age() != before {
		t.Errorf("then got %v at age %d, from %d", err, s.Age(), before)
	}
	mustClose(t, s)
}

// What is written while a sync runs is marked by the next one, not by this.
func TestMarksAreNeverAheadOfASyncThatRuns(t *testing.T) {
	h := newHanging()
	s := mustOpen(t, options("/data", h.fs))
	write(t, s, 1, 1)
	before := filesOf(t, h.mem)
	newest := before.logs()[len(before.logs())-1]
	done := h.hang(t, s)
	for p := log.Position(2); p < 100; p++ {
		must(t, s.Put(entry(p, strings.Repeat("x", 1000))))
	}
	during := filesOf(t, h.mem)
	if got, was := during.synced(t, newest), before.synced(t, newest); got != was {
		t.Errorf("%d bytes are marked while the sync hangs, and %d were before", got, was)
	}
	h.hangs.Store(false)
	h.goOn <- nil
	must(t, <-done)
	must(t, s.Sync())
	after := filesOf(t, h.mem)
	if got := after.synced(t, newest); got != int64(len(after[newest])) {
		t.Errorf("%d bytes of %d are marked once all is synced", got, len(after[newest]))
	}
	if got, err := read(after.mem(t), false); err != nil || len(got.records) != 99 {
		t.Errorf("got %d records, %v", len(got.records), err)
	}
	mustClose(t, s)
}

func TestCloseWaitsForASyncThatNobodyWaitsFor(t *testing.T) {
	h := newHanging()
	s := mustOpen(t, options("/data", h.fs))
	done := h.hang(t, s)
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		t.Errorf("closed with %v while a sync hangs", err)
	case <-time.After(20 * time.Millisecond):
	}
	h.hangs.Store(false)
	h.goOn <- nil
	must(t, <-done)
	must(t, <-closed)
}
