package disk

import (
	"hash/crc32"
	"io"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log/invariant"
)

// fence stands between Pebble and the file system. The first change that fails ends the store and never returns, and no
// change after it begins.
//
// Pebble must not see such an error. It answers most with Fatalf, but where it cannot close or make a log file it panics
// in a way that no recover can hold (a deferred unlock of a lock that is not held), and a flush that fails is tried again
// at once, for ever.
//
// It also keeps the marks of what was synced.
type fence struct {
	vfs.FS
	fault *fault
	marks *marks
}

// change makes one change, and returns only if that is done.
func (f *fault) change(do func() error) {
	if !f.isFrozen() {
		err := do()
		if err == nil {
			return
		}
		f.freeze(err)
	}
	select {}
}

// file opens a file that is written from its start.
func (f *fence) file(name string, open func() (vfs.File, error)) (vfs.File, error) {
	name = f.PathBase(name)
	f.fault.change(func() error { return f.marks.forget(name) })
	var file vfs.File
	f.fault.change(func() (err error) { file, err = open(); return err })
	inside := fenced{file, f.fault}
	if !isMarked(name) {
		return inside, nil
	}
	return &marked{fenced: inside, marks: f.marks, written: mark{name: name}}, nil
}

// Create implements vfs.FS. A marker names another file, which Pebble has synced, but not the name of it: a file system
// that keeps the newer of two names through a crash would leave a marker that points nowhere, and no way to open the disk.
// Without its newest marker a database is taken for an older one, or for a new one, so it is marked as soon as it is durable.
func (f *fence) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	marker := isMarker(f.PathBase(name))
	if marker {
		f.fault.change(directory{f.FS, f.PathDir(name)}.sync)
	}
	file, err := f.file(name, func() (vfs.File, error) { return f.FS.Create(name, c) })
	if marker && err == nil {
		f.fault.change(directory{f.FS, f.PathDir(name)}.sync)
		f.fault.change(func() error { return f.marks.synced(mark{name: f.PathBase(name)}) })
	}
	return file, err
}

// ReuseForWrite implements vfs.FS.
func (f *fence) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f.fault.change(func() error { return f.marks.forget(f.PathBase(from)) })
	return f.file(to, func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, c) })
}

// OpenReadWrite implements vfs.FS. What is written in the middle of a file cannot be marked; Pebble has no such file.
func (f *fence) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	invariant.Hold(!isMarked(f.PathBase(name)), "pebble opens %s to write in the middle of it", name)
	return f.file(name, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, o...) })
}

// OpenDir implements vfs.FS. A directory is opened to be synced.
func (f *fence) OpenDir(name string) (vfs.File, error) {
	dir, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return fenced{dir, f.fault}, nil
}

// Link implements vfs.FS.
func (f *fence) Link(from, to string) error {
	f.fault.change(func() error { return f.FS.Link(from, to) })
	return nil
}

// Rename implements vfs.FS.
func (f *fence) Rename(from, to string) error {
	f.fault.change(func() error { return f.FS.Rename(from, to) })
	f.fault.change(func() error { return f.marks.rename(f.PathBase(from), f.PathBase(to)) })
	return nil
}

// Remove implements vfs.FS. Pebble can live with a file that stays, so an error is returned.
func (f *fence) Remove(name string) error {
	f.fault.change(func() error { return f.marks.forget(f.PathBase(name)) })
	var err error
	f.fault.change(func() error { err = f.FS.Remove(name); return nil })
	return err
}

// RemoveAll implements vfs.FS.
func (f *fence) RemoveAll(name string) error {
	var err error
	f.fault.change(func() error { err = f.FS.RemoveAll(name); return nil })
	return err
}

// Lock implements vfs.FS. The store holds the lock itself, for it outlives a Pebble that is left behind.
func (f *fence) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// Unwrap implements vfs.FS.
func (f *fence) Unwrap() vfs.FS { return f.FS }

// fenced is a file, or a directory, behind the fence.
type fenced struct {
	vfs.File
	fault *fault
}

// Write implements vfs.File.
func (f fenced) Write(p []byte) (n int, err error) {
	f.fault.change(func() (err error) { n, err = f.File.Write(p); return err })
	return n, nil
}

// WriteAt implements vfs.File.
func (f fenced) WriteAt(p []byte, at int64) (n int, err error) {
	f.fault.change(func() (err error) { n, err = f.File.WriteAt(p, at); return err })
	return n, nil
}

// Sync implements vfs.File.
func (f fenced) Sync() error {
	f.fault.change(f.File.Sync)
	return nil
}

// SyncData implements vfs.File.
func (f fenced) SyncData() error {
	f.fault.change(f.File.SyncData)
	return nil
}

// SyncTo implements vfs.File.
func (f fenced) SyncTo(length int64) (full bool, err error) {
	f.fault.change(func() (err error) { full, err = f.File.SyncTo(length); return err })
	return full, nil
}

// Close implements vfs.File. It may be what tells that a write was lost.
func (f fenced) Close() error {
	f.fault.change(f.File.Close)
	return nil
}

// marked is a file behind the fence, written from its start to its end, of which is marked what was synced.
type marked struct {
	fenced
	marks   *marks
	written mark
}

// Write implements vfs.File.
func (f *marked) Write(p []byte) (n int, err error) {
	sum := crc32.Update(f.written.checksum, castagnoli(), p) // before the write, which may change p
	n, err = f.fenced.Write(p)
	f.written.length += int64(n)
	f.written.checksum = sum
	return n, err
}

// Sync implements vfs.File. What is written while it runs is not marked.
func (f *marked) Sync() error {
	now := f.written
	err := f.fenced.Sync()
	f.fault.change(func() error { return f.marks.synced(now) })
	return err
}

// SyncData implements vfs.File.
func (f *marked) SyncData() error {
	now := f.written
	err := f.fenced.SyncData()
	f.fault.change(func() error { return f.marks.synced(now) })
	return err
}

// Stat implements vfs.File. Pebble asks for the size of an older log that it writes a new one into, and panics, as where it cannot make
// one, if that is not told.
func (f *marked) Stat() (info vfs.FileInfo, err error) {
	f.fault.change(func() (err error) { info, err = f.fenced.Stat(); return err })
	return info, nil
}

// Preallocate implements vfs.File. A write-ahead log gets its size with its space: a sync then has to write what is in it, and
// not, each time, how long it has become. What is not written yet reads as zeros, which
// Pebble takes for the end of a log.
func (f *marked) Preallocate(offset, length int64) error {
	file := f.Fd()
	if file == vfs.InvalidFd || !strings.HasSuffix(f.written.name, logSuffix) {
		return f.fenced.Preallocate(offset, length)
	}
	var err error
	f.fault.change(func() error { err = allocate(file, offset, length); return nil })
	return err // Pebble goes on: a full disk says so when it is written to
}
