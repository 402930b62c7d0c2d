package disk

import (
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// breakable is a file system in memory of which one sort of operation can be made to fail from some time on.
type breakable struct {
	fs     vfs.FS
	mem    *vfs.MemFS
	broken atomic.Bool
}

func newBreakable(breaks func(errorfs.Op) bool, with error) *breakable {
	b := &breakable{mem: vfs.NewMem()}
	b.fs = inject(b.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if b.broken.Load() && breaks(op) {
			return with
		}
		return nil
	}))
	return b
}

func isSync(op errorfs.Op) bool {
	return op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
}

func isWrite(op errorfs.Op) bool { return op.Kind == errorfs.OpFileWrite }

// openTold opens a store, and returns where OnFatal puts what it is told.
func openTold(t *testing.T, fs vfs.FS) (*Store, chan error) {
	told := make(chan error, 10)
	o := options("/data", fs)
	o.OnFatal = func(err error) { told <- err }
	return mustOpen(t, o), told
}

func entry(p log.Position, data string) log.Action {
	return log.Action{Position: p, Promised: 7, Performed: 7, Value: log.Value{Kind: log.Append, Data: []byte(data)}}
}

func TestFailedSyncIsNeverAcknowledged(t *testing.T) {
	b := newBreakable(isSync, syscall.EIO)
	s, told := openTold(t, b.fs)
	must(t, s.Put(entry(1, "data")))
	b.broken.Store(true)
	first := s.Sync()
	if !errors.Is(first, storage.ErrFailed) || !errors.Is(first, syscall.EIO) {
		t.Fatalf("got %v, want ErrFailed and EIO", first)
	}
	b.broken.Store(false) // the next sync would do; but what was written before it is lost
	if err := s.Sync(); !errors.Is(err, storage.ErrFailed) {
		t.Errorf("got %v from the sync after, want ErrFailed", err)
	}
	if err := <-told; !errors.Is(err, storage.ErrFailed) {
		t.Errorf("OnFatal was told %v, want ErrFailed", err)
	}
	mustClose(t, s)
	if len(told) > 0 {
		t.Errorf("OnFatal was told again: %v", <-told)
	}
}

func TestEveryCallAfterAFailureReturnsIt(t *testing.T) {
	b := newBreakable(isSync, syscall.EIO)
	s, told := openTold(t, b.fs)
	must(t, s.Put(entry(1, "data")))
	b.broken.Store(true)
	_ = s.Sync() // the failure; another test looks at it
	want := <-told
	_, _, get := s.Get(1)
	_, summary := s.Summary()
	_, _, size := s.Size()
	for call, err := range map[string]error{
		"Get": get, "Summary": summary, "Size": size, "Put": s.Put(entry(2, "late")), "Put of nothing": s.Put(),
		"Learn": s.Learn(log.Span(1, 1)), "Truncate": s.Truncate(2), "SetMetadata": s.SetMetadata(s.Metadata()),
		"Scan": s.Scan(log.Span(1, 1), func(log.Action) bool { return true }),
	} {
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", call, err, want)
		}
	}
	mustClose(t, s)
}

func TestDiskThatIsFullEndsTheStore(t *testing.T) {
	b := newBreakable(isWrite, syscall.ENOSPC)
	s, told := openTold(t, b.fs)
	b.broken.Store(true)
	var err error
	for p := log.Position(1); err == nil && p < 1000; p++ { // enough for Pebble to meet the error by itself
		err = s.Put(entry(p, strings.Repeat("x", 100_000)))
	}
	if err == nil {
		err = s.Sync()
	}
	if !errors.Is(err, storage.ErrFailed) {
		t.Errorf("got %v, want ErrFailed", err)
	}
	if err := <-told; !errors.Is(err, storage.ErrFailed) {
		t.Errorf("OnFatal was told %v, want ErrFailed", err)
	}
	mustClose(t, s)
}

func TestFailedManifestFreezesPebble(t *testing.T) {
	b := newBreakable(func(op errorfs.Op) bool { return isSync(op) && strings.Contains(op.Path, "MANIFEST") }, syscall.EIO)
	s, told := openTold(t, b.fs)
	must(t, s.Put(entry(1, "data")))
	b.broken.Store(true)
	must(t, s.Truncate(2)) // gives bytes back, which flushes, which writes the manifest: Pebble calls that fatal
	if err := <-told; !errors.Is(err, storage.ErrFailed) {
		t.Errorf("OnFatal was told %v, want ErrFailed", err)
	}
	if err := s.Put(entry(3, "late")); !errors.Is(err, storage.ErrFailed) {
		t.Errorf("got %v, want ErrFailed", err)
	}
	mustClose(t, s)
}

func TestFailureWhileOpeningIsReturned(t *testing.T) {
	for name, breaks := range map[string]func(errorfs.Op) bool{"sync": isSync, "write": isWrite} {
		b := newBreakable(breaks, syscall.EIO)
		b.broken.Store(true)
		if _, err := Open(options("/data", b.fs)); !errors.Is(err, syscall.EIO) {
			t.Errorf("new directory, %s: got %v, want EIO", name, err)
		}
	}
	b := newBreakable(isSync, syscall.EIO)
	mustClose(t, mustOpen(t, options("/data", b.fs)))
	b.broken.Store(true)
	if _, err := Open(options("/data", b.fs)); !errors.Is(err, storage.ErrFailed) || !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v, want ErrFailed and EIO", err)
	}
}

func TestChangedBitInARecordIsCorruption(t *testing.T) {
	s, told := openTold(t, vfs.NewMem())
	must(t, s.Put(entry(1, "data"), entry(2, "data")))
	flip(t, s, keys(0).record(2))
	if _, _, err := s.Get(1); err != nil {
		t.Fatalf("the record beside it: %v", err)
	}
	if _, _, err := s.Get(2); !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "position 2") {
		t.Errorf("got %v, want ErrCorrupt at position 2", err)
	}
	if err := s.Sync(); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v from the sync after, want ErrCorrupt", err)
	}
	if err := <-told; !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("OnFatal was told %v, want ErrCorrupt", err)
	}
	mustClose(t, s)
}

func TestValueUnderAnotherKeyIsCorruption(t *testing.T) {
	s, _ := openTold(t, vfs.NewMem())
	must(t, s.Put(entry(1, "data")))
	value, closer, err := s.db.Get(keys(0).record(1))
	must(t, err)
	must(t, s.db.Set(keys(0).record(2), value, nil))
	must(t, closer.Close())
	if err := s.Scan(log.Span(1, 2), func(log.Action) bool { return true }); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
	mustClose(t, s)
}

func TestChangedBitInMetadataOrRunsIsCorruption(t *testing.T) {
	for _, key := range [][]byte{keys(0).key(metadataSpace), keys(0).at(learnedSpace, 1)} {
		fs := vfs.NewMem()
		s, _ := openTold(t, fs)
		must(t, s.Put(entry(1, "data")))
		must(t, s.Learn(log.Span(1, 1)))
		flip(t, s, key)
		mustClose(t, s)
		if _, err := Open(options("/data", fs)); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("key %x: got %v, want ErrCorrupt", key, err)
		}
	}
}

func TestDamagedFileIsCorruption(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	for p := log.Position(1); p < 100; p++ {
		must(t, s.Put(entry(p, strings.Repeat("x", 10_000))))
	}
	must(t, s.db.Flush())
	mustClose(t, s)
	damageTables(t, fs)
	s, err := Open(options("/data", fs))
	if err == nil {
		err = s.Scan(log.Span(1, 100), func(log.Action) bool { return true })
		mustClose(t, s)
	}
	if !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

// flip changes one bit of a value, as a disk that rots without a block's checksum noticing.
func flip(t *testing.T, s *Store, key []byte) {
	t.Helper()
	value, closer, err := s.db.Get(key)
	must(t, err)
	damaged := append([]byte(nil), value...)
	damaged[len(damaged)/2] ^= 4
	must(t, closer.Close())
	must(t, s.db.Set(key, damaged, pebble.Sync))
}

// damage overwrites the middle of the largest file whose name ends in suffix.
func damage(t *testing.T, fs *vfs.MemFS, dir, suffix string) {
	t.Helper()
	names, err := fs.List(dir)
	must(t, err)
	var largest []byte
	for _, name := range names {
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		data, err := fs.UnsafeGetFileDataBuffer(filepath.Join(dir, name))
		must(t, err)
		if len(data) > len(largest) {
			largest = data
		}
	}
	largest[len(largest)/3] ^= 0x40
}
