package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// TestNoRotIsSilent damages every file of a directory in many places, and reads the directory after each of them: either
// that is told, or all that was synced is still there.
func TestNoRotIsSilent(t *testing.T) {
	for name, directory := range map[string]func(*testing.T) files{"closed": closedFiles, "killed": killedFiles} {
		t.Run(name, func(t *testing.T) {
			p := planned(t)
			r := rotten{original: directory(t), random: p.random}
			var err error
			r.want, err = read(r.original.mem(t), true)
			must(t, err)
			for name, data := range r.original {
				r.found, r.unseen = 0, 0
				for range p.rounds {
					r.damage(t, name, data)
				}
				t.Logf("%s with %d bytes: %d damages were found, %d others left all that was synced as it was", name, len(data), r.found, r.unseen)
				if isNumbered := strings.ContainsAny(name, "123456789"); isNumbered && len(data) > 0 && r.found == 0 {
					t.Errorf("of %s nothing was found, in %d places: a table of a few keys is properties mostly, but not only", name, r.unseen)
				}
			}
		})
	}
}

// rotten is a directory that is damaged in one place after another.
type rotten struct {
	original      files
	want          content
	random        *rand.Rand
	found, unseen int
}

// damage tries every sort of damage on a file, each in some places.
func (r *rotten) damage(t *testing.T, name string, data []byte) {
	for at := range offsets(len(data), r.random) {
		r.flip(t, name, at)
	}
	for range min(len(data), 3) {
		r.zero(t, name, r.random.IntN(len(data)))
		r.cut(t, name, r.random.IntN(len(data)))
		r.swap(t, name, r.random.IntN(len(data)), r.random.IntN(len(data)))
		r.scribble(t, name, r.random.IntN(len(data)))
	}
}

// swap exchanges two sectors, as a disk does that writes to the wrong place.
func (r *rotten) swap(t *testing.T, name string, a, b int) {
	damaged := slices.Clone(r.original[name])
	const sector = 512
	a, b = a&^(sector-1), b&^(sector-1)
	whole := len(damaged) / sector * sector
	if a == b || a >= whole || b >= whole {
		return
	}
	copy(damaged[a:], r.original[name][b:b+sector])
	copy(damaged[b:], r.original[name][a:a+sector])
	r.try(t, name, damaged, fmt.Sprintf("sectors at %d and %d are exchanged", a, b))
}

// scribble puts up to 64 random bytes somewhere.
func (r *rotten) scribble(t *testing.T, name string, at int) {
	damaged := slices.Clone(r.original[name])
	for i := range damaged[at:min(at+1+r.random.IntN(64), len(damaged))] {
		damaged[at+i] = byte(r.random.Uint32())
	}
	r.try(t, name, damaged, fmt.Sprintf("rubbish from %d", at))
}

func (r *rotten) flip(t *testing.T, name string, at int) {
	damaged := slices.Clone(r.original[name])
	damaged[at] ^= 1 << r.random.IntN(8)
	r.try(t, name, damaged, fmt.Sprintf("byte %d is %02x", at, damaged[at]))
}

// zero clears a sector.
func (r *rotten) zero(t *testing.T, name string, at int) {
	damaged := slices.Clone(r.original[name])
	at &^= 511
	clear(damaged[at:min(at+512, len(damaged))])
	r.try(t, name, damaged, fmt.Sprintf("zero from %d", at))
}

func (r *rotten) cut(t *testing.T, name string, at int) {
	r.try(t, name, r.original[name][:at], fmt.Sprintf("cut at %d", at))
}

func (r *rotten) try(t *testing.T, name string, damaged []byte, what string) {
	t.Helper()
	f := maps.Clone(r.original)
	f[name] = damaged
	got, err := read(f.mem(t), r.random.IntN(4) > 0)
	switch {
	case err != nil && !errors.Is(err, storage.ErrCorrupt):
		t.Errorf("%s with %d bytes, %s: %v", name, len(r.original[name]), what, err)
	case err != nil:
		r.found++
	case !reflect.DeepEqual(got, r.want):
		t.Errorf("%s with %d bytes, %s: silently %s", name, len(r.original[name]), what, got.differ(r.want))
	default:
		r.unseen++
	}
}

// offsets are the first and last bytes of a file, and some between them.
func offsets(size int, random *rand.Rand) func(func(int) bool) {
	const edge, between = 12, 12
	return func(yield func(int) bool) {
		for at := 0; at < size; {
			if !yield(at) {
				return
			}
			if at < edge || at >= size-edge {
				at++
				continue
			}
			at = min(at+1+random.IntN(max(1, 2*size/between)), max(at+1, size-edge))
		}
	}
}

// files are those of a data directory, by name.
type files map[string][]byte

// mem returns a file system with the files in /data.
func (f files) mem(t *testing.T) *vfs.MemFS {
	fs := vfs.NewMem()
	f.fill(t, fs)
	return fs
}

// fill makes the files durable in /data.
func (f files) fill(t *testing.T, fs *vfs.MemFS) {
	must(t, fs.MkdirAll("/data", 0o755))
	for name, data := range f {
		file, err := fs.Create(filepath.Join("/data", name), vfs.WriteCategoryUnspecified)
		must(t, err)
		_, err = file.Write(slices.Clone(data)) // which may be changed by it
		must(t, errors.Join(err, file.Sync(), file.Close()))
	}
	must(t, errors.Join(directory{fs, "/data"}.sync(), directory{fs, "/"}.sync()))
}

// filesOf returns the files in /data as they are at one moment: Pebble may remove some, and make others, while they are read.
func filesOf(t *testing.T, mem *vfs.MemFS) files {
	t.Helper()
	for {
		f, first := allOf(mem)
		again, second := allOf(mem)
		if err := errors.Join(first, second); !errors.Is(err, fs.ErrNotExist) {
			must(t, err)
			if maps.EqualFunc(f, again, slices.Equal) {
				return f
			}
		}
	}
}

func allOf(mem *vfs.MemFS) (files, error) {
	names, err := mem.List("/data")
	f := files{}
	for _, name := range names {
		data, err := mem.UnsafeGetFileDataBuffer(filepath.Join("/data", name))
		if err != nil {
			return nil, err
		}
		f[name] = slices.Clone(data)
	}
	return f, err
}

// content is all that a store keeps.
type content struct {
	metadata storage.Metadata
	summary  storage.Summary
	records  []log.Action
}

func (c content) differ(other content) string {
	return fmt.Sprintf("%d records and not %d, %+v and not %+v", len(c.records), len(other.records), c.metadata, other.metadata)
}

func read(fs vfs.FS, readOnly bool) (c content, err error) {
	o := options("/data", fs)
	o.ReadOnly = readOnly
	s, err := Open(o)
	if err != nil {
		return content{}, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	report, err := Check(s, nil)
	if err = errors.Join(err, report.Damage); err != nil {
		return content{}, err
	}
	c.metadata = s.Metadata()
	if !readOnly {
		c.metadata.Boot--
	}
	if c.summary, err = s.Summary(); err != nil {
		return content{}, err
	}
	err = s.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
		c.records = append(c.records, a)
		return true
	})
	return c, err
}

// closedFiles are what a store leaves that was truncated, flushed, opened, flushed twice, changed and closed. Its newest
// log has changes of each kind and many blocks, and its newest manifest more than what it began with.
func closedFiles(t *testing.T) files {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	write(t, s, 1, 200)
	must(t, s.Learn(log.Span(1, 150)))
	must(t, s.Truncate(50))
	s.reclaim.pending.Wait()
	mustClose(t, s)
	s = mustOpen(t, options("/data", fs))
	for _, p := range []log.Position{201, 301} {
		write(t, s, p, 100)
		must(t, s.db.Flush())
	}
	m := s.Metadata()
	m.Promised = 99
	must(t, s.SetMetadata(m))
	must(t, s.Learn(log.Span(151, 10)))
	must(t, s.Truncate(60))
	s.reclaim.pending.Wait()
	write(t, s, 401, 100)
	must(t, s.Learn(log.Span(201, 10)))
	m.Begin, m.Promised = 60, 100
	must(t, s.SetMetadata(m))
	mustClose(t, s)
	return filesOf(t, fs)
}

// killedFiles are what a process leaves that ends before it came to write its tables: several logs that count.
func killedFiles(t *testing.T) files {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	defer mustClose(t, s)
	write(t, s, 1, 400)
	for m := s.db.Metrics(); m.Flush.NumInProgress+m.Compact.NumInProgress > 0; m = s.db.Metrics() {
		<-time.After(time.Millisecond) // or there would be a table that nothing names yet
	}
	f := filesOf(t, fs)
	logs := 0
	for name := range f {
		if strings.HasSuffix(name, logSuffix) && len(f[name]) > 100_000 {
			logs++
		}
	}
	if logs < 2 {
		t.Fatalf("%d logs, want one that ended and one that did not", logs)
	}
	return f
}

// write puts and syncs records, some of them larger than a block of the log.
func write(t *testing.T, s *Store, first log.Position, n int) {
	t.Helper()
	for p := first; p < first+log.Position(n); p++ {
		data := make([]byte, 10+(uint64(p)*uint64(p)*7919)%3000)
		if p%50 == 0 {
			data = make([]byte, 70_000)
		}
		for i := range data {
			data[i] = byte(uint64(i) * uint64(p) >> 3)
		}
		must(t, s.Put(entry(p, string(data))))
		must(t, s.Sync())
	}
}
