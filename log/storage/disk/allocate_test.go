package disk

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

// killed returns a copy of a store's directory as a killed process leaves it, with some records.
func killed(t *testing.T, records ...log.Action) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	s := mustOpen(t, options(dir, nil))
	defer mustClose(t, s)
	for _, a := range records {
		must(t, s.Put(a))
		must(t, s.Sync())
	}
	left := filepath.Join(t.TempDir(), "left")
	must(t, os.CopyFS(left, os.DirFS(dir)))
	return left
}

func TestLogOfAKilledProcessEndsWhereItWasWritten(t *testing.T) {
	dir := killed(t, entry(1, "one"), entry(2, "two"), entry(3, "three"))
	for range 2 { // the second time it finds what the first one left
		s := mustOpen(t, options(dir, nil))
		for p, want := range map[log.Position]string{1: "one", 2: "two", 3: "three"} {
			a, found, err := s.Get(p)
			if must(t, err); !found || string(a.Value.Data) != want {
				t.Errorf("position %d: %q, %v", p, a.Value.Data, found)
			}
		}
		mustClose(t, s)
	}
}

// The first write is made before Pebble asks for space.
func TestWriteAheadLogHasItsSizeBeforeItIsWritten(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux is a log allocated: it costs more than it saves elsewhere, or is not known to")
	}
	dir := killed(t, entry(1, "one"), entry(2, "two"))
	var largest int64
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, logSuffix) {
			info, err := d.Info()
			must(t, err)
			largest = max(largest, info.Size())
		}
		return err
	}))
	if largest < memTableSize {
		t.Errorf("the largest log has %d bytes", largest)
	}
}
