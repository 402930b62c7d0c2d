package backup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/log"
)

// records are entries from one position to another, and a TRUNCATE at the last that keeps from to on, where that is not 0.
func records(first, last, to log.Position) []log.Action {
	by := log.NewProposal(3, 1)
	var all []log.Action
	for p := first; p <= last; p++ {
		a := log.Action{Position: p, Promised: by, Performed: by, Learned: true, Value: log.Value{
			Kind: log.Append, Data: []byte{byte(p), 'x'}, Session: log.Session{1}, Sequence: uint64(p),
		}}
		if p == last && to > 0 {
			a.Value = log.Value{Kind: log.Truncate, To: to}
		}
		all = append(all, a)
	}
	return all
}

// made writes a file into a directory, a page for each list of records.
func made(t *testing.T, dir string, m Manifest, pages ...[]log.Action) string {
	t.Helper()
	w, err := Create(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if err := w.Add(page); err != nil {
			t.Fatal(err)
		}
	}
	var path string
	_, err = w.Finish(func(m Manifest) string { path = filepath.Join(dir, m.String()); return path },
		func(m *Manifest) { m.Ended = time.Unix(1, 0).UTC() })
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// drained reads everything that a chain or a file has.
func drained(f File) (all []log.Action, err error) {
	for actions, err := range f.Records() {
		if err != nil {
			return all, err
		}
		all = append(all, actions...)
	}
	return all, nil
}

func TestWhatWasWrittenIsReadAgain(t *testing.T) {
	path := made(t, t.TempDir(), Manifest{Cluster: "c", Begin: 5, Highest: 7}, records(5, 6, 0), records(7, 9, 6))
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	m := f.Manifest
	if m.First != 5 || m.Last != 9 || m.Begin != 6 || m.Entries != 4 || m.Bytes != 8 || m.Cluster != "c" || m.Tail.First != 7 ||
		m.Highest != log.NewProposal(3, 1) || len(m.SHA256) != 64 {
		t.Errorf("the manifest is %+v", m)
	}
	all, err := drained(f)
	if err != nil || len(all) != 5 || all[4].Value.To != 6 || string(all[0].Value.Data) != "\x05x" || !all[0].Learned || all[0].Value.Sequence != 5 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestEveryByteThatIsChangedOrMissingIsFound(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile(made(t, dir, Manifest{Cluster: "c", Begin: 1}, records(1, 2, 0), records(3, 4, 0)))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "changed")
	for at := range whole {
		for _, changed := range [][]byte{
			append(append(append([]byte{}, whole[:at]...), whole[at]^1), whole[at+1:]...), // a bit
			whole[:at], // its end
			append(append([]byte{}, whole[:at]...), whole[at+1:]...), // a byte
		} {
			if err := os.WriteFile(path, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path)
			if err == nil {
				_, err = drained(f)
			}
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewerFormat) {
				t.Fatalf("with byte %d of %d changed or gone (%d left): %v", at, len(whole), len(changed), err)
			}
		}
	}
}

func TestNothingIsOverwrittenAndWhatFailsLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := made(t, dir, Manifest{Begin: 1}, records(1, 2, 0))
	w, err := Create(dir, Manifest{Begin: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(records(1, 2, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Finish(func(Manifest) string { return path }, func(*Manifest) {}); !errors.Is(err, ErrExists) {
		t.Errorf("the file was overwritten: %v", err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("there is %v, %v", names, err)
	}
}

func TestFilesThatDoNotFollowEachOtherAreNoChain(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, dir string)
		want string // part of the error; empty for none
	}{
		{"one after the other", func(t *testing.T, dir string) {
			made(t, dir, Manifest{Begin: 1}, records(1, 2, 0))
			made(t, dir, Manifest{Begin: 1}, records(3, 4, 0))
		}, ""},
		{"a gap", func(t *testing.T, dir string) {
			made(t, dir, Manifest{Begin: 1}, records(1, 2, 0))
			made(t, dir, Manifest{Begin: 1}, records(4, 5, 0))
		}, "positions 3 to 3 are in no file"},
		{"a gap that was truncated", func(t *testing.T, dir string) {
			made(t, dir, Manifest{Begin: 1}, records(1, 2, 0))
			made(t, dir, Manifest{Begin: 4}, records(4, 5, 0))
		}, ""},
		{"an overlap", func(t *testing.T, dir string) {
			made(t, dir, Manifest{Begin: 1}, records(1, 3, 0))
			made(t, dir, Manifest{Begin: 1}, records(3, 5, 0))
		}, "both hold position 3"},
		{"no beginning", func(t *testing.T, dir string) {
			made(t, dir, Manifest{Begin: 1}, records(3, 5, 0))
		}, "the log begins at position 1"},
		{"two clusters", func(t *testing.T, dir string) {
			made(t, dir, Manifest{Begin: 1, Cluster: "a"}, records(1, 2, 0))
			made(t, dir, Manifest{Begin: 1, Cluster: "b"}, records(3, 4, 0))
		}, `is of cluster "a"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			c.make(t, dir)
			_, err := OpenChain(dir)
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrNoChain) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, expected %q", err, c.want)
			}
		})
	}
}
