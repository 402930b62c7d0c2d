package disk

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// operations are the kinds of operations of a file system that can fail.
var operations = map[string][]errorfs.OpKind{
	"open":       {errorfs.OpOpen},
	"open a dir": {errorfs.OpOpenDir},
	"list":       {errorfs.OpList},
	"stat":       {errorfs.OpStat, errorfs.OpFileStat},
	"read":       {errorfs.OpFileRead, errorfs.OpFileReadAt},
	"create":     {errorfs.OpCreate, errorfs.OpReuseForWrite, errorfs.OpMkdirAll},
	"lock":       {errorfs.OpLock},
	"write":      {errorfs.OpFileWrite, errorfs.OpFileWriteAt},
	"sync":       {errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo, errorfs.OpFileFlush},
	"rename":     {errorfs.OpRename, errorfs.OpLink},
	"remove":     {errorfs.OpRemove, errorfs.OpRemoveAll},
}

// sabotage is a failure to try: of the n-th operation of a kind, or of all from then on.
type sabotage struct {
	kind    []errorfs.OpKind
	n       int
	with    error
	forever bool
	short   bool // writes write half of what they should before they fail
}

// saboteur makes operations fail.
type saboteur struct {
	sabotage
	lock sync.Mutex
	seen int
	over bool
}

func (s *saboteur) hit(kind errorfs.OpKind) bool {
	if !slices.Contains(s.kind, kind) {
		return false
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.seen++
	return !s.over && (s.seen == s.n || s.forever && s.seen > s.n)
}

// end lets everything succeed from now on, and says whether anything has failed.
func (s *saboteur) end() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.over = true
	return s.seen >= s.n
}

func (s *saboteur) wrap(fs vfs.FS) vfs.FS {
	if s.short {
		return shortFS{fs, s}
	}
	return inject(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if s.hit(op.Kind) {
			return s.with
		}
		return nil
	}))
}

func (s sabotage) String() string {
	return fmt.Sprintf("%v at operation %d of kind %v, forever %v, short %v", s.with, s.n, s.kind, s.forever, s.short)
}

// shortFS has files that write half.
type shortFS struct {
	vfs.FS
	saboteur *saboteur
}

func (f shortFS) file(inner vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return shortFile{inner, f.saboteur}, nil
}

// Create implements vfs.FS.
func (f shortFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(f.FS.Create(name, c))
}

// ReuseForWrite implements vfs.FS.
func (f shortFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(f.FS.ReuseForWrite(from, to, c))
}

// OpenReadWrite implements vfs.FS.
func (f shortFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.file(f.FS.OpenReadWrite(name, c, o...))
}

// Unwrap implements vfs.FS.
func (f shortFS) Unwrap() vfs.FS { return f.FS }

type shortFile struct {
	vfs.File
	saboteur *saboteur
}

// Write implements vfs.File.
func (f shortFile) Write(p []byte) (n int, err error) {
	if !f.saboteur.hit(errorfs.OpFileWrite) {
		return f.File.Write(p)
	}
	n, err = f.File.Write(p[:len(p)/2])
	return n, errors.Join(err, f.saboteur.with)
}

// WriteAt implements vfs.File.
func (f shortFile) WriteAt(p []byte, at int64) (n int, err error) {
	if !f.saboteur.hit(errorfs.OpFileWriteAt) {
		return f.File.WriteAt(p, at)
	}
	n, err = f.File.WriteAt(p[:len(p)/2], at)
	return n, errors.Join(err, f.saboteur.with)
}

// injection tries one failure after another.
type injection struct {
	*testing.T
	plan
	fresh            bool // the directory is made while it fails
	tried, harmless  int
	inOpen, inTheRun int
}

// TestNoFailureOfTheSystemLosesOrFakesAnything fails each operation of each kind in a run, once and for ever: nothing is
// acknowledged after the first error that is returned, no failure passes for damage, and the next process finds all that
// was acknowledged, after a loss of power too.
func TestNoFailureOfTheSystemLosesOrFakesAnything(t *testing.T) {
	p := planned(t)
	for range p.rounds {
		for name, kind := range operations {
			for _, fresh := range []bool{false, true} {
				i := injection{T: t, plan: p, fresh: fresh}
				i.kind(name, kind)
				t.Logf("%s, new directory %v: %d failures, %d of them in Open, %d in the run, %d without consequences", name, fresh,
					i.tried, i.inOpen, i.inTheRun, i.harmless)
			}
		}
	}
}

// kind fails every operation of a kind in every way.
func (i *injection) kind(name string, kind []errorfs.OpKind) {
	for _, s := range []sabotage{
		{with: syscall.EIO}, {with: syscall.EIO, forever: true},
		{with: syscall.ENOSPC}, {with: syscall.ENOSPC, forever: true},
		{with: syscall.ENOSPC, short: true}, {with: syscall.EIO, short: true, forever: true},
	} {
		if !s.short || name == "write" {
			s.kind = kind
			i.all(s)
		}
	}
}

// all tries every n. What is not asked for more than once tries one in some.
func (i *injection) all(s sabotage) {
	step := 1
	if !i.long && len(s.kind) > 1 {
		step = 7 // kinds of several operations are those with many
	}
	for s.n = 1 + i.random.IntN(step); i.one(&saboteur{sabotage: s}); s.n += step {
		i.tried++
	}
}

// one tries one failure, and says whether the run has come to it.
func (i *injection) one(s *saboteur) bool {
	fs := vfs.NewCrashableMem()
	if !i.fresh {
		mustClose(i, mustOpen(i, options("/var/data", fs)))
	}
	w := &work{last: 9}
	o := options("/var/data", s.wrap(fs))
	o.Repair = true
	failed := i.work(w, o, s)
	if !s.end() {
		return false
	}
	if !failed {
		i.harmless++
	}
	acknowledged := w.acknowledged.Load()
	i.mustGoOn(fs.CrashClone(vfs.CrashCloneCfg{}), w, acknowledged, s, "loss of power")
	i.mustGoOn(fs, w, acknowledged, s, "end of the process")
	return true
}

// work does the work, and says whether that met an error.
func (i *injection) work(w *work, o Options, s *saboteur) (failed bool) {
	store, err := Open(o)
	if err != nil {
		i.inOpen++
		i.mustBeOf(err, s)
		return true
	}
	if _, replaced := store.Replaced(); replaced {
		i.Fatalf("seed %d, %v: the directory was replaced", i.seed, s)
	}
	if err = w.do(store); err != nil {
		i.inTheRun++
		i.mustBeOf(err, s)
		s.end() // the system is well again; but nobody knows what is on the disk
		i.mustRefuse(store, s)
	}
	return errors.Join(err, store.Close()) != nil
}

// mustBeOf looks whether an error says what happened, and no more.
func (i *injection) mustBeOf(err error, s *saboteur) {
	i.Helper()
	if errors.Is(err, storage.ErrCorrupt) || errors.Is(err, storage.ErrForeign) || errors.Is(err, storage.ErrNewerFormat) {
		i.Fatalf("seed %d, %v passes for damage: %v", i.seed, s, err)
	}
	if full := errors.Is(s.with, syscall.ENOSPC); full != errors.Is(err, storage.ErrFull) {
		i.Fatalf("seed %d, %v: got %v", i.seed, s, err)
	}
}

// mustRefuse tries everything that a failed store must not do.
func (i *injection) mustRefuse(store *Store, s *saboteur) {
	i.Helper()
	_, _, get := store.Get(1)
	for call, err := range map[string]error{
		"Put": store.Put(worked(50)), "Sync": store.Sync(), "SetMetadata": store.SetMetadata(store.Metadata()),
		"Learn": store.Learn(log.Span(1, 1)), "Truncate": store.Truncate(2), "Get": get,
	} {
		if !errors.Is(err, storage.ErrFailed) {
			i.Fatalf("seed %d, %v: %s after the failure returns %v", i.seed, s, call, err)
		}
	}
}

// mustGoOn looks whether the next process finds what was acknowledged, in a directory that is no damaged one.
func (i *injection) mustGoOn(fs *vfs.MemFS, w *work, acknowledged uint64, s *saboteur, after string) {
	i.Helper()
	o := options("/var/data", fs)
	o.Repair = true
	store, err := Open(o)
	if err != nil {
		i.Fatalf("seed %d, %v, %s: %v", i.seed, s, after, err)
	}
	defer mustClose(i, store)
	if r, replaced := store.Replaced(); replaced {
		i.Fatalf("seed %d, %v, %s: the directory was replaced: %s", i.seed, s, after, r.Why)
	}
	if wrong := w.wrong(store, acknowledged); wrong != "" {
		i.Fatalf("seed %d, %v, %s: %s", i.seed, s, after, wrong)
	}
}
