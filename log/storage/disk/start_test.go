package disk

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// A start that is counted without its sync makes the disk look as if it had been rolled back.
func TestACrashInAStartLeavesBothTheCountAndTheAgeOrNone(t *testing.T) {
	fs := vfs.NewMem()
	mustClose(t, mustOpen(t, options("/data", fs)))
	s, err := attach(options("/data", fs))
	must(t, err)
	before := filesOf(t, fs)
	m := s.Metadata()
	m.Boot++
	must(t, s.store(m))
	f := filesOf(t, fs)
	must(t, s.start(s.armAlone))
	defer mustClose(t, s)

	newest := f.logs()[len(f.logs())-1]
	f.unmark(t, newest) // the crash comes before the sync is done
	whole := f[newest]
	seen := map[uint64]int{}
	for end := len(before[newest]); end <= len(whole); end++ {
		f[newest] = whole[:end]
		torn := mustOpen(t, Options{Dir: "/data", FS: f.mem(t), ReadOnly: true})
		if boot := torn.Metadata().Boot; boot != torn.Age() {
			t.Errorf("torn at %d of %d: %d starts, and %d syncs", end, len(whole), boot, torn.Age())
		}
		seen[torn.Age()]++
		mustClose(t, torn)
	}
	if seen[1] == 0 || seen[2] == 0 {
		t.Errorf("the start was torn, or was not: %v", seen)
	}
}

// unmark drops the mark of a file.
func (f files) unmark(t *testing.T, name string) {
	t.Helper()
	m := f.marks(t)
	m.files = slices.DeleteFunc(m.files, func(f mark) bool { return f.name == name })
	f[marksFile] = append(m.encode(), make([]byte, 2*pageSize-len(m.page))...)
}

// A failure that Open has repaired must not end the process, and one that nobody returns must.
func TestAFailureIsEitherReturnedByOpenOrTold(t *testing.T) {
	for i := range 100_000 {
		f := newFault("/data")
		told := make(chan error, 1)
		go func() { _ = f.fail(errors.New("it failed")) }() // told, or returned by arm
		for range i % 1000 {                                // so that one comes now before the other and now after it
			_ = f.isFrozen()
		}
		returned := f.arm(t, func(err error) { told <- err }, nil)
		<-f.noted // by then whoever is told was started
		if returned != nil {
			select {
			case err := <-told:
				t.Fatalf("round %d: %v is told, and %v returned", i, err, returned)
			default:
			}
			continue
		}
		if err := <-told; err == nil {
			t.Fatalf("round %d: nothing is told", i)
		}
	}
}

// The disk is full when the damage is to be noted.
func TestDamageOnAFullDiskIsReportedAndReplacedOnceThereIsRoom(t *testing.T) {
	for kind, damage := range kinds {
		f := closedFiles(t)
		damage(t, f)
		fs := f.mem(t)
		o := repairing(inject(fs, noRoomFor(faultFile)))
		_, err := Open(o)
		if !errors.Is(err, storage.ErrFull) || !errors.Is(err, storage.ErrCorrupt) ||
			!strings.Contains(err.Error(), "/data, which is damaged") || strings.Contains(err.Error(), "nothing acknowledged is lost") {
			t.Errorf("%s: got %v, want that there is no room to replace what is damaged", kind, err)
		}
		mustBeThere(t, fs)
		mustReplace(t, fs, "damaged-1")
	}
}

// The damage is met while the store is open.
func TestDamageThatCannotBeNotedEndsTheStore(t *testing.T) {
	s, told := openTold(t, inject(vfs.NewMem(), noRoomFor(faultFile)))
	must(t, s.Put(entry(1, "data"), entry(2, "data")))
	flip(t, s, keys(0).record(2))
	if _, _, err := s.Get(2); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatalf("got %v, want ErrCorrupt", err)
	}
	if err := <-told; !errors.Is(err, storage.ErrCorrupt) || errors.Is(err, storage.ErrFull) {
		t.Errorf("OnFatal was told %v, want ErrCorrupt", err)
	}
	for call, err := range map[string]error{"Put": s.Put(entry(3, "late")), "Sync": s.Sync()} {
		if !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("%s: got %v, want ErrCorrupt", call, err)
		}
	}
	mustClose(t, s)
}

// noRoomFor has writes to a file, and to what is to become it, fail.
func noRoomFor(name string) errorfs.Injector {
	return errorfs.InjectorFunc(func(op errorfs.Op) error {
		if isWrite(op) && strings.Contains(op.Path, name) {
			return syscall.ENOSPC
		}
		return nil
	})
}

// The disk had failed, and what it lost has left no trace but the mark that it was learned.
func TestALearnedPositionThatLostItsRecordIsDamageAfterAFailure(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options("/data", fs))
	must(t, s.Put(entry(1, "a"), entry(2, "b"), entry(3, "c")))
	must(t, s.Learn(log.Span(1, 3)))
	must(t, s.db.Delete(keys(0).record(2), pebble.Sync))
	mustClose(t, s)
	f := filesOf(t, fs)
	f[faultFile] = []byte(noteFailed + " a sync\n")
	if _, err := Open(options("/data", f.mem(t))); !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "have no record") {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
	mustReplace(t, f.mem(t), "damaged-1")
}
