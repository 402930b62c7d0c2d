package simulation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	spec "github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/history/journals"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// unsynced is a disk that says that it synced, and did not.
type unsynced struct{ storage.Store }

func (unsynced) StartSync() (wait func() error) { return func() error { return nil } }

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

// ageless is a disk that counts the starts, and no other sync.
type ageless struct{ storage.Store }

func (a ageless) Age() uint64 { return a.Store.Metadata().Boot }

// forgotten is a disk that loses who is known to be dead when its process ends.
type forgotten struct {
	storage.Store
	known identity.Vector
}

func (f *forgotten) Metadata() storage.Metadata {
	m := f.Store.Metadata()
	m.Known = f.known
	return m
}

func (f *forgotten) SetMetadata(m storage.Metadata) error {
	f.known = m.Known
	m.Known = nil
	return f.Store.SetMetadata(m)
}

// refusing is a disk that fails a change by itself.
type refusing struct {
	storage.Store
	changes int
}

func (r *refusing) Put(actions ...log.Action) error {
	if r.changes++; r.changes > 20 {
		return fmt.Errorf("%w: by itself", storage.ErrFailed)
	}
	return r.Store.Put(actions...)
}

// unreadable is a disk that cannot be read when a process starts on it again.
type unreadable struct{ storage.Store }

func (u unreadable) Scan(r log.Range, visit func(log.Action) bool) error {
	if u.Store.Metadata().Boot > 1 && r.Last == log.MaxPosition {
		return fmt.Errorf("%w: all of it", storage.ErrCorrupt)
	}
	return u.Store.Scan(r, visit)
}

func TestRunsThatGoNowhereAreNoticed(t *testing.T) {
	for name, do := range map[string]func(*simulation){
		saysSomething: func(s *simulation) {
			for _, c := range s.clients {
				c.over = true
			}
			s.calm()
		},
		progress: func(s *simulation) { s.demand(0, time.Second, "it goes on", func() bool { return false }) },
		callsEnd: func(s *simulation) { s.demand(3, time.Second, "calls end", func() bool { return false }) },
		contiguous: func(s *simulation) {
			s.truth.write(1, log.NewProposal(1, 1), []log.Value{kit.Entry("first"), kit.Entry("second")})
			s.truth.reigns[log.NewProposal(1, 1)] = []log.Position{1}
			s.truth.place(1).chosen = &vote{value: log.Value{Kind: log.NOP}}
			s.truth.place(2).chosen = &vote{value: kit.Entry("second")}
			s.truth.linked()
		},
		inTheirOrder: func(s *simulation) {
			for _, at := range []uint64{7, 6} {
				s.hosts[0].acknowledges(&messages.AppendResponse{Outcome: &messages.AppendResponse_Range{
					Range: &messages.Range{First: at, Last: at}}}, s.truth.hasNumber, s.accuse)
			}
		},
		journalsKept: func(s *simulation) {
			s.ledger.writes = append(s.ledger.writes, &journals.Write{
				Owner: "a", Activation: 1, Events: []string{"lost"}, Call: 1, Return: 2, Outcome: spec.Succeeded,
			})
			s.ledger.activations = append(s.ledger.activations, journals.Activation{Owner: "a", At: 2, Call: 3, Return: 4})
			s.ledger.check()
		},
		equalLogs: func(s *simulation) { s.demand(4, time.Second, "all are equal", func() bool { return false }) },
	} {
		t.Run(name, func(t *testing.T) {
			s := prepare(t, Options{Seed: 1})
			do(s)
			if !strings.Contains(s.broken, name) {
				t.Errorf("got %q", s.broken)
			}
		})
	}
}

func TestDisksThatLieAreNoticed(t *testing.T) {
	const most = 60 // runs
	wants := map[string]string{"ageless": "rolled back", "refusing": onlyBroken, "unreadable": readable}
	for name, sabotage := range map[string]func(storage.Store) storage.Store{
		"ageless":     func(s storage.Store) storage.Store { return ageless{s} },
		"forgotten":   func(s storage.Store) storage.Store { return &forgotten{Store: s} },
		"refusing":    func(s storage.Store) storage.Store { return &refusing{Store: s} },
		"unreadable":  func(s storage.Store) storage.Store { return unreadable{s} },
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
					noticed = strings.Contains(s.broken, wants[name]) && !s.ok()
					t.Logf("seed %d: %s", seed, s.broken)
				})
			}
			if !noticed {
				t.Errorf("nothing was noticed in %d runs", most)
			}
		})
	}
}
