package disk

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// mustBeCorrupt opens damaged files in both ways, and looks for words in what is said of them.
func mustBeCorrupt(t *testing.T, f files, words ...string) {
	t.Helper()
	for _, readOnly := range []bool{true, false} {
		_, err := read(f.mem(t), readOnly)
		if !errors.Is(err, storage.ErrCorrupt) {
			t.Fatalf("read only %v: got %v, want ErrCorrupt", readOnly, err)
		}
		for _, word := range append(words, "/data") {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q does not say %q", err, word)
			}
		}
	}
}

// logs returns the names of the logs with something in them, the oldest first.
func (f files) logs() (names []string) {
	for name, data := range f {
		if strings.HasSuffix(name, logSuffix) && len(data) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (f files) marks(t *testing.T) *marks {
	t.Helper()
	m, err := directory{f.mem(t), "/data"}.readMarks()
	must(t, err)
	return m
}

// synced is how many bytes of a file are marked.
func (f files) synced(t *testing.T, name string) int64 {
	t.Helper()
	m := f.marks(t)
	i := m.find(name)
	if i < 0 {
		t.Fatalf("%s is not marked, but %+v", name, m.files)
	}
	return m.files[i].length
}

func TestDamageAtTheEndOfTheNewestLogIsCorruption(t *testing.T) {
	f := closedFiles(t)
	newest := f.logs()[len(f.logs())-1]
	f[newest][f.synced(t, newest)-20] ^= 1
	mustBeCorrupt(t, f, newest)
}

// Pebble compares the number of a log before the checksum, and a log ends where there is the next one's.
func TestOlderLogThatNamesTheNextIsCorruption(t *testing.T) {
	f := killedFiles(t)
	oldest := f.logs()[0]
	f[oldest][7]++
	mustBeCorrupt(t, f, oldest)
}

// Pebble ends a manifest at the first edit that it cannot read, and then removes the tables that the rest names.
func TestManifestThatLostAnEditIsCorruption(t *testing.T) {
	f := closedFiles(t)
	for name, data := range f {
		if strings.HasPrefix(name, "MANIFEST") {
			data[len(data)-1] ^= 1
		}
	}
	mustBeCorrupt(t, f, "MANIFEST")
}

func TestMissingLogIsCorruption(t *testing.T) {
	for i := range 2 {
		f := killedFiles(t)
		gone := f.logs()[i]
		delete(f, gone)
		mustBeCorrupt(t, f, gone)
	}
}

func TestMissingOrDamagedMarksAreCorruption(t *testing.T) {
	f := closedFiles(t)
	whole := f[marksFile]
	f[marksFile] = bytes.Repeat([]byte{'x'}, len(whole))
	mustBeCorrupt(t, f, marksFile)
	f[marksFile] = nil
	mustBeCorrupt(t, f, marksFile)
	delete(f, marksFile)
	mustBeCorrupt(t, f, marksFile)
}

func TestTornPageOfMarksLeavesTheOther(t *testing.T) {
	f := closedFiles(t)
	before := f.marks(t)
	copy(f[marksFile][before.turn%2*pageSize+5:], "torn")
	if after := f.marks(t); after.turn != before.turn-1 {
		t.Errorf("turn %d after turn %d was torn", after.turn, before.turn)
	}
	_, err := read(f.mem(t), false)
	must(t, err)
}

// Pebble writes from several goroutines: while the marks of one fail to be written, another may be past the fence, and wait.
func TestFailedWriteOfMarksLeavesTheOtherPage(t *testing.T) {
	for n := 2; n <= 5; n++ { // either page may be the one that fails
		fs := closedFiles(t).mem(t)
		b := &saboteur{sabotage: sabotage{kind: operations["write"], n: n, with: syscall.EIO, forever: true, short: true}}
		m, err := directory{b.wrap(fs), "/data"}.openMarks(false)
		must(t, err)
		for i := range int64(3) {
			for _, err := range []error{
				m.synced(mark{name: "1" + logSuffix, length: i}), m.synced(mark{name: "MANIFEST-1", length: i}),
				m.rename("MANIFEST-1", "MANIFEST-2"), m.forget("1" + logSuffix),
			} {
				if err != nil && !errors.Is(err, syscall.EIO) {
					t.Errorf("write %d: got %v", n, err)
				}
			}
		}
		if _, err := (directory{fs, "/data"}).readMarks(); err != nil {
			t.Errorf("write %d and all after it fail: %v", n, err)
		}
		b.end() // the system is well again; but it may be too late
		if err := m.synced(mark{name: "1" + logSuffix}); !errors.Is(err, syscall.EIO) {
			t.Errorf("write %d: got %v from the marks after the failure", n, err)
		}
	}
}

func TestTornEndThatWasNotSyncedOpens(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	defer mustClose(t, s)
	write(t, s, 1, 49)
	before := filesOf(t, fs)
	write(t, s, 50, 1) // has several blocks
	f := filesOf(t, fs)
	f[marksFile] = before[marksFile] // the crash comes before the sync is done
	newest := f.logs()[len(f.logs())-1]
	whole, synced := f[newest], int(f.synced(t, newest))
	if synced != len(before[newest]) || len(whole)-synced < 70_000 {
		t.Fatalf("%d bytes of %d are marked, want %d", synced, len(whole), len(before[newest]))
	}
	for _, end := range []int{synced, synced + 1, synced + 20, synced + 40_000, len(whole) - 100} {
		f[newest] = append(slices.Clone(whole[:end]), make([]byte, 1000)...)
		for _, readOnly := range []bool{true, false} {
			if got, err := read(f.mem(t), readOnly); err != nil || len(got.records) != 49 {
				t.Errorf("torn at %d of %d: got %d records, %v, want 49", end, len(whole), len(got.records), err)
			}
		}
	}
}

func TestEverySyncIsMarked(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	defer mustClose(t, s)
	for p := log.Position(1); p < 100; p++ {
		write(t, s, p, 1)
		f := filesOf(t, fs)
		newest := f.logs()[len(f.logs())-1]
		if synced := f.synced(t, newest); synced != int64(len(f[newest])) {
			t.Fatalf("after position %d: %d bytes of %s are marked, want %d", p, synced, newest, len(f[newest]))
		}
	}
}

func TestMarksAreKeptOnlyOfFilesThatAreThere(t *testing.T) {
	for _, f := range []files{closedFiles(t), killedFiles(t)} {
		m := f.marks(t)
		for _, marked := range m.files {
			if _, found := f[marked.name]; !found {
				t.Errorf("%s is marked", marked.name)
			}
		}
		if len(m.files) > 12 {
			t.Errorf("%d files are marked: %+v", len(m.files), m.files)
		}
	}
}

func TestTooManyMarksFailAndAreNotCutOff(t *testing.T) {
	f := closedFiles(t)
	m, err := directory{f.mem(t), "/data"}.openMarks(false)
	must(t, err)
	for n := 0; err == nil && n < 1000; n++ {
		err = m.synced(mark{name: strings.Repeat("x", 10+n) + logSuffix})
	}
	if err == nil || len(m.files) < 30 {
		t.Errorf("got %v after %d files", err, len(m.files))
	}
	must(t, m.close())
}
