package memory_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/log/storage/storagetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	storagetest.Run(t, newDisk)
}

func TestMemoryKeepsTheContractAcrossCrashes(t *testing.T) {
	storagetest.RunCrashes(t, newDisk)
}

// disk hands the store of a crashed or closed one on.
type disk struct{ store *memory.Store }

func newDisk(testing.TB) storagetest.Disk {
	return &disk{memory.New(storage.Metadata{Cluster: "test", Replica: 1, Members: []log.ReplicaID{1, 2, 3}, Status: status.Empty})}
}

func (d *disk) Open(testing.TB) storage.Store {
	d.store = d.store.Crash(nil)
	return d.store
}

func (d *disk) Crash(_ testing.TB, random *rand.Rand) {
	d.store = d.store.Crash(random)
	if err := d.store.Close(); err != nil {
		panic(err) // it has nothing that could fail
	}
}

func TestFailedSyncIsForGood(t *testing.T) {
	full := errors.New("no space left")
	s := memory.New(storage.Metadata{})
	if err := s.Put(log.Action{Position: 1, Promised: 1}); err != nil {
		t.Fatal(err)
	}
	s.FailNext(memory.Sync, full)
	for range 2 {
		if err := s.Sync(); !errors.Is(err, storage.ErrFailed) || !errors.Is(err, full) {
			t.Errorf("got %v, want ErrFailed and why", err)
		}
	}
	if err := s.Put(log.Action{Position: 2}); !errors.Is(err, storage.ErrFailed) {
		t.Errorf("got %v after the failure, want ErrFailed", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if _, found, err := s.Crash(nil).Get(1); found || err != nil {
		t.Errorf("found %v, %v: what could not be synced is durable", found, err)
	}
}

func TestFailedReadIsCorruption(t *testing.T) {
	s := memory.New(storage.Metadata{})
	s.FailNext(memory.Read, errors.New("bad checksum"))
	if _, _, err := s.Get(1); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
	if err := s.Sync(); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v after the corruption, want ErrCorrupt", err)
	}
}

func TestFailedChangeHasNoEffect(t *testing.T) {
	s := memory.New(storage.Metadata{})
	s.FailNext(memory.Change, errors.New("no space left"))
	if err := s.Put(log.Action{Position: 1}); !errors.Is(err, storage.ErrFailed) {
		t.Errorf("got %v, want ErrFailed", err)
	}
	if _, found, err := s.Crash(nil).Get(1); found || err != nil {
		t.Errorf("found %v, %v: what failed was done", found, err)
	}
}

func TestAVoteThatRotsEndsTheStore(t *testing.T) {
	s := memory.New(storage.Metadata{Replica: 1})
	for p := log.Position(1); p <= 2; p++ {
		if err := s.Put(log.Action{Position: p, Performed: 1, Value: log.Value{Kind: log.NOP}}); err != nil {
			t.Fatal(err)
		}
		s.Rot(p)
	}
	if err := s.Learn(log.Span(1, 1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Get(1); !errors.As(err, new(storage.Damage)) {
		t.Errorf("the rotten record of a learned position is read as %v, want Damage", err)
	}
	if _, _, err := s.Get(2); !errors.Is(err, storage.ErrCorrupt) || errors.As(err, new(storage.Damage)) {
		t.Errorf("a rotten vote is read as %v, want ErrCorrupt and no Damage", err)
	}
}
