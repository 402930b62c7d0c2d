package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// leaveLogs makes the directory of a stopped member with three logs, each of which has learned up to so many entries, which say whose they are.
// Where more is learned than there is, something is lost.
func leaveLogs(t *testing.T, entries int, learned map[string]int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	e, err := disk.OpenEngine(disk.Options{Dir: dir, Create: true, Cluster: "old", Replica: 2, Members: []log.ReplicaID{1, 2, 3}, Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"", "orders", "users"} {
		s, err := e.OpenLog(disk.Log{Name: name})
		must(err)
		for p := log.Position(1); p <= log.Position(entries); p++ {
			must(s.Put(log.Action{Position: p, Promised: 7, Performed: 7, Value: log.Value{Kind: log.Append, Data: []byte("of " + name)}}))
		}
		must(s.Learn(log.Span(1, learned[name])))
		must(s.Close())
	}
	must(e.Close())
	return dir
}

func TestVerifyReadsAllLogsOfADirectory(t *testing.T) {
	dir := leaveLogs(t, 3, map[string]int{"": 3, "orders": 2, "users": 3})
	s := newShell("", nil)
	if code := s.run("verify --data " + dir); code != exitFine || !strings.Contains(s.out.String(), "9 positions of 3 logs are whole") ||
		!strings.Contains(s.out.String(), "orders") {
		t.Errorf("exit code %d:\n%s%s", code, &s.out, &s.err)
	}
	s = newShell("", nil)
	if code := s.run("verify --log orders --data " + dir); code != exitFine || !strings.Contains(s.out.String(), "3 positions from 1 to 3") {
		t.Errorf("exit code %d:\n%s%s", code, &s.out, &s.err)
	}
}

func TestVerifyNamesTheLogThatIsDamaged(t *testing.T) {
	dir := leaveLogs(t, 3, map[string]int{"": 3, "orders": 4, "users": 3})
	s := newShell("", nil)
	code := s.run("verify -o json --data " + dir)
	var v verdict
	if err := json.Unmarshal(s.out.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if code != exitDataFault || v.Healthy || len(v.Faults) != 1 || v.Faults[0].Log != "orders" || v.Faults[0].First != 4 ||
		!strings.HasPrefix(v.Faults[0].Text, "log orders: ") || len(v.Members) != 3 {
		t.Errorf("exit code %d: %+v", code, v)
	}
}

func TestTheLogsOfADirectoryAreReadByName(t *testing.T) {
	dir := leaveLogs(t, 1, map[string]int{"": 1, "orders": 1, "users": 1})
	for _, c := range []struct {
		args, out, err string
		code           int
	}{
		{"", "1\tof \n", "", exitFine},
		{"--log orders", "1\tof orders\n", "", exitFine},
		{"--log nobody", "", "its logs are the one without a name, orders, users", exitFailed},
	} {
		s := newShell("", nil)
		if code := s.run("read --data " + dir + " " + c.args); code != c.code || s.out.String() != c.out || !strings.Contains(s.err.String(), c.err) {
			t.Errorf("%q: exit code %d:\n%s%s", c.args, code, &s.out, &s.err)
		}
	}
}

func TestALogIsInitializedByHandBesideOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := newShell("", nil)
	if code := s.run("initialize --log orders --id 1 --members 1=a:1,2=b:1,3=c:1 --data " + dir); code != exitFine {
		t.Fatalf("exit code %d: %s", code, &s.err)
	}
	s = newShell("", nil)
	if code := s.run("verify -o json --data " + dir); code != exitFine {
		t.Fatalf("exit code %d: %s", code, &s.err)
	}
	var v verdict
	if err := json.Unmarshal(s.out.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Members) != 2 || v.Members[0].Status != "EMPTY" || v.Members[1].Status != "VOTING" || v.Members[1].Log != "orders" {
		t.Errorf("the logs are %+v", v.Members)
	}
}
