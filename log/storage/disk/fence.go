package disk

import (
	"io"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fence stands between Pebble and the file system. The first change that fails ends the store and never returns, and no
// change after it begins.
//
// Pebble must not see such an error. It answers most with Fatalf, but where it cannot close or make a log file it panics
// in a way that no recover can hold (a deferred unlock of a lock that is not held), and a flush that fails is tried again
// at once, for ever.
type fence struct {
	vfs.FS
	fault *fault
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

func (f *fence) file(open func() (vfs.File, error)) (vfs.File, error) {
	var file vfs.File
	f.fault.change(func() (err error) { file, err = open(); return err })
	return fenced{file, f.fault}, nil
}

// Create implements vfs.FS. A marker names another file, which Pebble has synced, but not the name of it: a file system
// that keeps the newer of two names through a crash would leave a marker that points nowhere, and no way to open the disk.
func (f *fence) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(f.PathBase(name), "marker.") {
		f.fault.change(directory{f.FS, f.PathDir(name)}.sync)
	}
	return f.file(func() (vfs.File, error) { return f.FS.Create(name, c) })
}

// ReuseForWrite implements vfs.FS.
func (f *fence) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, c) })
}

// OpenReadWrite implements vfs.FS.
func (f *fence) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, o...) })
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
	return nil
}

// Remove implements vfs.FS. Pebble can live with a file that stays, so an error is returned.
func (f *fence) Remove(name string) error {
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
