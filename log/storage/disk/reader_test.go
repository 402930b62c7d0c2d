package disk

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// TestReadThatHangsIsLeftBehindByAStoreThatFails has the disk hang in a read: whoever reads ends all the same, once the store fails.
func TestReadThatHangsIsLeftBehindByAStoreThatFails(t *testing.T) {
	none := func(log.Action) bool { return true }
	for name, read := range map[string]func(*Store) error{
		"Reader":  func(s *Store) error { return s.Reader().Scan(log.Span(1, 9), none) },
		"Scan":    func(s *Store) error { return s.Scan(log.Span(1, 9), none) },
		"Get":     func(s *Store) error { _, _, err := s.Get(1); return err },
		"Summary": func(s *Store) error { _, err := s.Summary(); return err },
	} {
		synctest.Test(t, func(t *testing.T) {
			goOn := make(chan struct{})
			b := newBreakable(func(op errorfs.Op) bool {
				if op.Kind == errorfs.OpFileReadAt && strings.HasSuffix(op.Path, ".sst") {
					<-goOn
				}
				return false
			}, nil)
			s := mustOpen(t, options("/data", b.fs))
			must(t, s.Put(entry(1, "data")))
			must(t, s.db.Flush())
			b.broken.Store(true)
			ended := make(chan error, 1)
			go func() { ended <- read(s) }()
			synctest.Wait()
			if len(ended) > 0 {
				t.Fatalf("%s does not hang: %v", name, <-ended)
			}
			_ = s.fault.fail(syscall.EIO) // what else fails
			if err := <-ended; !errors.Is(err, storage.ErrFailed) || !errors.Is(err, syscall.EIO) {
				t.Errorf("%s: got %v", name, err)
			}
			close(goOn)
			mustClose(t, s)
		})
	}
}

// TestNobodyIsVisitedOnceTheStoreHasFailed lets a store fail in the middle of a read.
func TestNobodyIsVisitedOnceTheStoreHasFailed(t *testing.T) {
	for name, scan := range map[string]func(s *Store, visit func(log.Action) bool) error{
		"Reader": func(s *Store, visit func(log.Action) bool) error { return s.Reader().Scan(log.Span(1, 9), visit) },
		"Scan":   func(s *Store, visit func(log.Action) bool) error { return s.Scan(log.Span(1, 9), visit) },
	} {
		s := mustOpen(t, options("/data", vfs.NewMem()))
		must(t, s.Put(entry(1, "a"), entry(2, "b"), entry(3, "c")))
		visits := 0
		err := scan(s, func(log.Action) bool {
			visits++
			_ = s.fault.fail(syscall.EIO)
			return true
		})
		if visits != 1 || !errors.Is(err, storage.ErrFailed) {
			t.Errorf("%s: %d visits, %v", name, visits, err)
		}
		mustClose(t, s)
	}
}

// TestPanicOfAVisitIsTheCallers looks whether a broken invariant stops the one who reads, as it would without the goroutine.
func TestPanicOfAVisitIsTheCallers(t *testing.T) {
	s := mustOpen(t, options("/data", vfs.NewMem()))
	must(t, s.Put(entry(1, "data")))
	func() {
		defer func() {
			if got := recover(); got != "broken" {
				t.Errorf("got %v", got)
			}
		}()
		_ = s.Reader().Scan(log.Span(1, 9), func(log.Action) bool { panic("broken") }) // never returns
	}()
	mustClose(t, s) // or the iterator would still be open
}
