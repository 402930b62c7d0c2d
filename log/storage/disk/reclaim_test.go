package disk

import (
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/quorumlog/quorumlog/log"
)

func TestTruncatedBytesComeBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := mustOpen(t, options(dir, nil))
	const entries, size = 2000, 10_000
	fill(t, s, 1, entries, size)
	before := bytesIn(t, dir)
	must(t, s.Truncate(entries-10))
	s.reclaim.pending.Wait()
	mustClose(t, s)                              // waits until Pebble has removed its files
	mustClose(t, mustOpen(t, options(dir, nil))) // removes the old logs that it kept to write new ones into
	if after := bytesIn(t, dir); before < entries*size || after > before/4 {
		t.Errorf("%d bytes before, %d after", before, after)
	}
}

func TestBytesTruncatedBeforeACrashComeBackAfterIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := mustOpen(t, options(dir, nil))
	fill(t, s, 1, 2000, 10_000)
	s.reclaim.cancel() // the process ends before it comes to it
	<-s.reclaim.done
	must(t, s.Truncate(1990))
	mustClose(t, s)
	before := bytesIn(t, dir)
	s = mustOpen(t, options(dir, nil))
	s.reclaim.pending.Wait()
	mustClose(t, s)
	if after := bytesIn(t, dir); after > before/4 {
		t.Errorf("%d bytes before, %d after", before, after)
	}
}

func TestSizeTellsLiveBytesFromAll(t *testing.T) {
	s := mustOpen(t, options("/data", vfs.NewMem()))
	defer mustClose(t, s)
	fill(t, s, 1, 1000, 10_000)
	must(t, s.db.Flush())
	disk, live, err := s.Size()
	if err != nil || live < 9_000_000 || disk < live {
		t.Errorf("got %d bytes, %d live, %v, want about 10,000,000", disk, live, err)
	}
	must(t, s.Truncate(1001))
	s.reclaim.pending.Wait()
	if _, live, err = s.Size(); err != nil || live > 1_000_000 {
		t.Errorf("got %d live bytes, %v, of an empty log", live, err)
	}
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := mustOpen(t, options(filepath.Join(t.TempDir(), "data"), nil))
	fill(t, s, 1, 1000, 10_000)
	must(t, s.Truncate(900)) // leaves something to do in the background
	mustClose(t, s)
}

// fill puts entries that do not compress.
func fill(t *testing.T, s *Store, first log.Position, n, size int) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	for p := first; p < first+log.Position(n); p++ {
		data := make([]byte, size)
		_, _ = random.Read(data) // never fails
		must(t, s.Put(entry(p, string(data))))
	}
	must(t, s.Sync())
}

// bytesIn is the size of all files under a directory.
func bytesIn(t *testing.T, dir string) int64 {
	t.Helper()
	var total int64
	must(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	}))
	return total
}
