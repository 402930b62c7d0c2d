package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// leftBehind makes the directory of replica 2 of 1, 2 and 3 as a lost quorum leaves it: positions 1 to 3 are learned, 4 and 6 are
// accepted, of 5 nothing is known, 7 is a truncation that was accepted, and 8 is promised only.
func leftBehind(t *testing.T, as status.Status) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "2")
	store, err := disk.Open(disk.Options{Dir: dir, Create: true, Cluster: "old", Replica: 2, Members: []log.ReplicaID{1, 2, 3}, Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	by, higher := log.NewProposal(3, 1), log.NewProposal(5, 3)
	entry := func(at log.Position, text string) log.Action {
		return log.Action{Position: at, Promised: by, Performed: by, Value: log.Value{Kind: log.Append, Data: []byte(text)}}
	}
	m := store.Metadata()
	m.Status, m.Promised, m.Highest = as, by, by
	err = errors.Join(store.SetMetadata(m),
		store.Put(entry(1, "one"), entry(2, "two"), entry(3, "three"), entry(4, "four"), entry(6, "six"),
			log.Action{Position: 7, Promised: by, Performed: by, Value: log.Value{Kind: log.Truncate, To: 6}},
			log.Action{Position: 8, Promised: higher}),
		store.Learn(log.Range{First: 1, Last: 3}), store.Close())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestARescueKeepsWhatWasAcceptedAndSaysWhatMayBeLost(t *testing.T) {
	dir, to := leftBehind(t, status.Voting), filepath.Join(t.TempDir(), "new")
	s := newShell("", nil)
	code := s.run("rescue --keep 2 --data " + dir + " --to " + to + " --members 1=a:1,2=b:1,3=c:1 --i-accept-data-loss -o json")
	if code != exitFine {
		t.Fatalf("exit code %d: %s", code, &s.err)
	}
	var plan rescuePlan
	if err := json.Unmarshal(s.out.Bytes(), &plan); err != nil {
		t.Fatal(err)
	}
	if !plan.Done || plan.Learned != 3 || plan.End != 7 || !reflect.DeepEqual(plan.Doubted, []stretch{{4, 4}, {6, 7}}) ||
		!reflect.DeepEqual(plan.Empty, []stretch{{5, 5}}) || len(plan.Losses) != 3 || len(plan.New.Directories) != 3 {
		t.Errorf("the plan is %+v", plan)
	}
	if !strings.HasPrefix(plan.New.Cluster, "old@") {
		t.Errorf("the new cluster is called %s", plan.New.Cluster)
	}
	for _, made := range plan.New.Directories {
		s := newShell("", nil)
		if code := s.run("read --data " + made); code != exitFine || s.out.String() != "1\tone\n2\ttwo\n3\tthree\n4\tfour\n6\tsix\n" {
			t.Errorf("%s holds, with exit code %d:\n%s%s", made, code, &s.out, &s.err)
		}
		if origin, err := os.ReadFile(filepath.Join(made, "ORIGIN")); err != nil || !strings.Contains(string(origin), "positions 4 to 4, 6 to 7 are kept") {
			t.Errorf("%s comes from %q, %v", made, origin, err)
		}
	}
	store, err := disk.Open(disk.Options{Dir: plan.New.Directories[0], ReadOnly: true, Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // it was only read
	if m := store.Metadata(); m.Begin != 1 || m.Highest != log.NewProposal(5, 3) || m.Status != status.Voting || len(m.Known) != 3 {
		t.Errorf("the metadata are %+v", m)
	}
}

func TestARescueThatIsNotAcceptedDoesNothing(t *testing.T) {
	dir, to := leftBehind(t, status.Voting), filepath.Join(t.TempDir(), "new")
	s := newShell("", nil)
	if code := s.run("rescue --keep 2 --data " + dir + " --to " + to); code != exitFine || !strings.Contains(s.out.String(), "nothing was done") ||
		strings.Count(s.out.String(), "loss: ") != 3 {
		t.Errorf("exit code %d:\n%s%s", code, &s.out, &s.err)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("it has made the directory")
	}
}

func TestARescueRefusesWhatItCannotKeep(t *testing.T) {
	voting, empty := leftBehind(t, status.Voting), leftBehind(t, status.Empty)
	taken := t.TempDir()
	for _, r := range []struct {
		args string
		code int
		hint string
	}{
		{"--keep 2", exitUsage, "say with --data"},
		{"--data " + voting, exitUsage, "say with --keep"},
		{"--keep 1 --data " + voting, exitUsage, "is the directory of replica 2"},
		{"--keep 2 --i-accept-data-loss --data " + voting, exitUsage, "say --to DIR"},
		{"--keep 2 --members 1=a:1 --data " + voting, exitUsage, "--members has no replica 2"},
		{"--keep 2 --i-accept-data-loss --to " + taken + " --data " + voting, exitUsage, "it is there already"},
		{"--keep 2 --data " + empty, exitFailed, "has nothing to keep"},
		{"--keep 2 --data nowhere", exitFailed, "no data directory"},
	} {
		s := newShell("", nil)
		if code := s.run("rescue " + r.args); code != r.code || !strings.Contains(s.err.String(), r.hint) {
			t.Errorf("%q: exit code %d, expected %d with %q:\n%s%s", r.args, code, r.code, r.hint, &s.err, &s.out)
		}
	}
}

// A directory as a rescue finds it may be in use, after all.
func TestADirectoryThatAProcessUsesIsNotRescued(t *testing.T) {
	dir := leftBehind(t, status.Voting)
	store, err := disk.Open(disk.Options{Dir: dir, Cluster: "old", Replica: 2, Members: []log.ReplicaID{1, 2, 3}, Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // it was only held
	for _, args := range []string{"rescue --keep 2 --data ", "verify --data ", "backup --to " + filepath.Join(t.TempDir(), "b") + " --data "} {
		s := newShell("", nil)
		if code := s.run(args + dir); code != exitFailed || !strings.Contains(s.err.String(), "stop the process that uses it") {
			t.Errorf("%s: exit code %d: %s", args, code, &s.err)
		}
	}
}

func TestWhatIsInterruptedLeavesNothing(t *testing.T) {
	dir, place := leftBehind(t, status.Voting), t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	s := newShell("", nil)
	args := "rescue --keep 2 --i-accept-data-loss --data " + dir + " --to " + filepath.Join(place, "new")
	if code := run(ctx, strings.Fields(args), s.console); code != exitFailed || !strings.Contains(s.err.String(), "interrupted") {
		t.Errorf("exit code %d: %s", code, &s.err)
	}
	if left, err := os.ReadDir(place); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
