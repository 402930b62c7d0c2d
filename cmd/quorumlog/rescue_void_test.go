package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// An entry of a fenced writer was sent again, and is in the log under the writer that came after.
func TestARescueDoesNotKeepWhatAReignVoids(t *testing.T) {
	dir, to := filepath.Join(t.TempDir(), "3"), filepath.Join(t.TempDir(), "new")
	store, err := disk.Open(disk.Options{
		Dir: dir, Create: true, Cluster: "old", Replica: 3, Members: []log.ReplicaID{1, 2, 3}, Logger: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	fenced, writer := log.NewProposal(3, 1), log.NewProposal(5, 2)
	entry := func(by log.Proposal, at log.Position, sequence uint64) log.Action {
		return log.Action{Position: at, Promised: by, Performed: by, Value: log.Value{
			Kind: log.Append, Data: []byte(fmt.Sprint("entry ", sequence)), Session: log.Session{9}, Sequence: sequence,
		}}
	}
	m := store.Metadata()
	m.Status, m.Promised, m.Highest, m.Reign = status.Voting, writer, writer, log.Reign{By: writer, First: 1}
	if err := errors.Join(store.SetMetadata(m), store.Put(entry(writer, 1, 7), entry(fenced, 2, 6), entry(fenced, 3, 7)),
		store.Learn(log.Range{First: 1, Last: 1}), store.Close()); err != nil {
		t.Fatal(err)
	}
	s := newShell("", nil)
	if code := s.run("rescue --keep 3 --data " + dir + " --to " + to + " --i-accept-data-loss"); code != 0 {
		t.Fatalf("exit code %d: %s", code, s.err.String())
	}
	r := newShell("", nil)
	if code := r.run("read --text --data " + filepath.Join(to, "3")); code != 0 || strings.TrimSpace(r.out.String()) != "entry 7" {
		t.Errorf("exit code %d, the log has %q", code, r.out.String())
	}
}
