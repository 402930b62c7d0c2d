package disk

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log"
)

// BenchmarkLogs is what appends to several logs cost that are written at once, each of which waits for its sync, on one disk; and, to
// compare, what they cost in a directory each.
//
//	go test -run '^$' -bench Logs ./log/storage/disk
func BenchmarkLogs(b *testing.B) {
	for _, n := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("shared/%d", n), func(b *testing.B) {
			var syncs atomic.Int64
			e := mustOpenEngine(b, options(filepath.Join(b.TempDir(), "data"), counting{vfs.Default, &syncs}))
			var stores []*Store
			for i := range n {
				stores = append(stores, mustOpenLog(b, e, fmt.Sprint("log-", i)))
			}
			appendToAll(b, stores, &syncs)
			must(b, e.Close())
		})
		b.Run(fmt.Sprintf("apart/%d", n), func(b *testing.B) {
			var syncs atomic.Int64
			var stores []*Store
			for range n {
				stores = append(stores, mustOpen(b, options(filepath.Join(b.TempDir(), "data"), counting{vfs.Default, &syncs})))
			}
			appendToAll(b, stores, &syncs)
		})
	}
}

// counting is the operating system's file system, of which the syncs of logs are counted; also of those that are written into an older one,
// which errorfs does not see.
type counting struct {
	vfs.FS
	syncs *atomic.Int64
}

func (c counting) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := c.FS.Create(name, category)
	return c.counted(name, f), err
}

func (c counting) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := c.FS.ReuseForWrite(from, to, category)
	return c.counted(to, f), err
}

func (c counting) counted(name string, f vfs.File) vfs.File {
	if f == nil || !strings.HasSuffix(name, logSuffix) {
		return f
	}
	return countedFile{f, c.syncs}
}

type countedFile struct {
	vfs.File
	syncs *atomic.Int64
}

func (f countedFile) Sync() error {
	f.syncs.Add(1)
	return f.File.Sync()
}

func (f countedFile) SyncData() error {
	f.syncs.Add(1)
	return f.File.SyncData()
}

// appendToAll appends b.N entries, an equal share to each log, and closes them.
func appendToAll(b *testing.B, stores []*Store, syncs *atomic.Int64) {
	value := strings.Repeat("x", 200)
	before := syncs.Load()
	b.ResetTimer()
	var done sync.WaitGroup
	for i, s := range stores {
		done.Go(func() {
			for p := log.Position(1); p <= log.Position((b.N+i)/len(stores)); p++ {
				must(b, s.Put(entry(p, value)))
				must(b, s.Sync())
			}
		})
	}
	done.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(syncs.Load()-before)/float64(b.N), "syncs/append")
	for _, s := range stores {
		mustClose(b, s)
	}
}
