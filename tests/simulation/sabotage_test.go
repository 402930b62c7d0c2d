package simulation

import (
	"fmt"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
)

// unsynced is a disk that says that it synced, and did not.
type unsynced struct{ storage.Store }

func (unsynced) Sync() error { return nil }

// unpromising is a disk that forgets implicit promises when its process ends.
type unpromising struct {
	storage.Store
	promised log.Proposal
}

func (u *unpromising) Metadata() storage.Metadata {
	m := u.Store.Metadata()
	m.Promised = u.promised
	return m
}

func (u *unpromising) SetMetadata(m storage.Metadata) error {
	u.promised = m.Promised
	m.Promised = 0
	return u.Store.SetMetadata(m)
}

// forgetful is a disk that lowers the promise of each record to what was accepted.
type forgetful struct{ storage.Store }

func (f forgetful) Put(actions ...log.Action) error {
	lowered := append([]log.Action(nil), actions...)
	for i := range lowered {
		lowered[i].Promised = lowered[i].Performed
	}
	return f.Store.Put(lowered...)
}

// swapped is a disk that mixes up two records of one write.
type swapped struct{ storage.Store }

func (s swapped) Put(actions ...log.Action) error {
	mixed := append([]log.Action(nil), actions...)
	if n := len(mixed); n > 1 {
		mixed[0].Value, mixed[n-1].Value = mixed[n-1].Value, mixed[0].Value
	}
	return s.Store.Put(mixed...)
}

func TestDisksThatLieAreNoticed(t *testing.T) {
	const most = 40 // runs
	for name, sabotage := range map[string]func(storage.Store) storage.Store{
		"unsynced":    func(s storage.Store) storage.Store { return unsynced{s} },
		"unpromising": func(s storage.Store) storage.Store { return &unpromising{Store: s} },
		"forgetful":   func(s storage.Store) storage.Store { return forgetful{s} },
		"swapped":     func(s storage.Store) storage.Store { return swapped{s} },
	} {
		t.Run(name, func(t *testing.T) {
			noticed := false
			for seed := uint64(1); seed <= most && !noticed; seed++ {
				t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
					s := run(t, Options{Seed: seed, Sabotage: sabotage})
					noticed = !s.ok()
					t.Logf("seed %d: %s", seed, s.broken)
				})
			}
			if !noticed {
				t.Errorf("nothing was noticed in %d runs", most)
			}
		})
	}
}
