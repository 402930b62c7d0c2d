package disk

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

// BenchmarkPutAndSync is what one answer costs: to one position, and to a run.
func BenchmarkPutAndSync(b *testing.B) {
	for _, run := range []int{1, 64} {
		b.Run(fmt.Sprintf("%dx200B", run), func(b *testing.B) {
			s := mustOpen(b, options(filepath.Join(b.TempDir(), "data"), nil))
			defer mustClose(b, s)
			actions := records(run)
			b.SetBytes(int64(200 * run))
			b.ReportAllocs()
			for b.Loop() {
				must(b, s.Put(actions...))
				must(b, s.Sync())
				advance(actions)
			}
		})
	}
}

// BenchmarkPut is the same without the disk's part.
func BenchmarkPut(b *testing.B) {
	s := mustOpen(b, options(filepath.Join(b.TempDir(), "data"), nil))
	defer mustClose(b, s)
	actions := records(64)
	b.ReportAllocs()
	for b.Loop() {
		must(b, s.Put(actions...))
		advance(actions)
	}
}

func BenchmarkGet(b *testing.B) {
	s := mustOpen(b, options(filepath.Join(b.TempDir(), "data"), nil))
	defer mustClose(b, s)
	for range 100 {
		must(b, s.Put(records(64)...))
	}
	b.ReportAllocs()
	for p := log.Position(1); b.Loop(); p = p%64 + 1 {
		if _, found, err := s.Get(p); err != nil || !found {
			b.Fatal(found, err)
		}
	}
}

func records(n int) []log.Action {
	actions := make([]log.Action, n)
	for i := range actions {
		actions[i] = entry(log.Position(i+1), strings.Repeat("x", 200))
	}
	return actions
}

func advance(actions []log.Action) {
	for i := range actions {
		actions[i].Position += log.Position(len(actions))
	}
}

// BenchmarkSummary is what a restart costs: a million learned entries and a thousand that are not.
func BenchmarkSummary(b *testing.B) {
	s := mustOpen(b, options(filepath.Join(b.TempDir(), "data"), nil))
	defer mustClose(b, s)
	actions := records(1000)
	for range 1001 {
		must(b, s.Put(actions...))
		advance(actions)
	}
	must(b, s.Learn(log.Span(1, 1_000_000)))
	for b.Loop() {
		if got, err := s.Summary(); err != nil || got.Unlearned.Len() != 1000 {
			b.Fatal(got, err)
		}
	}
}
