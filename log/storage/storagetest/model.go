package storagetest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// model is a disk as dumb as can be.
type model struct {
	metadata storage.Metadata
	records  map[log.Position]log.Action
	learned  map[log.Position]bool

	checkpoint storage.Checkpoint
}

func (m model) clone() model {
	return model{m.metadata, maps.Clone(m.records), maps.Clone(m.learned), m.checkpoint}
}

func (m model) truncate(begin log.Position) model {
	m = m.clone()
	m.metadata.Begin = max(m.metadata.Begin, begin)
	maps.DeleteFunc(m.records, func(p log.Position, _ log.Action) bool { return p < begin })
	maps.DeleteFunc(m.learned, func(p log.Position, _ bool) bool { return p < begin })
	return m
}

func (m model) summary() storage.Summary {
	var s storage.Summary
	for p := range m.records {
		set := &s.Unlearned
		if m.learned[p] {
			set = &s.Learned
		}
		set.Add(log.Range{First: p, Last: p})
	}
	return s
}

// differs says what a store has otherwise than the model; nothing if all is the same.
func (m model) differs(s storage.Store) string {
	metadata := s.Metadata()
	metadata.Boot = m.metadata.Boot // an engine may count
	if !reflect.DeepEqual(metadata, m.metadata) {
		return fmt.Sprintf("metadata are %+v, want %+v", metadata, m.metadata)
	}
	if c, err := s.Checkpoint(); err != nil || c.UpTo != m.checkpoint.UpTo || !bytes.Equal(c.Table, m.checkpoint.Table) {
		return fmt.Sprintf("checkpoint is %+v, %v, want %+v", c, err, m.checkpoint)
	}
	seen, wrong := 0, ""
	err := s.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
		want := m.records[a.Position]
		want.Learned = m.learned[a.Position]
		if seen++; !same(a, want) {
			wrong = fmt.Sprintf("record is %+v, want %+v", a, want)
		}
		return wrong == ""
	})
	if err != nil || wrong != "" || seen != len(m.records) {
		return fmt.Sprintf("scan: error %v, %s, saw %d of %d records", err, wrong, seen, len(m.records))
	}
	got, err := s.Summary()
	if want := m.summary(); err != nil || !got.Learned.Equal(want.Learned) || !got.Unlearned.Equal(want.Unlearned) {
		return fmt.Sprintf("summary is %+v, %v, want %+v", got, err, want)
	}
	return m.differsAt(s)
}

func (m model) differsAt(s storage.Store) string {
	for _, base := range windows {
		for p := base; p < base+width; p++ {
			want, held := m.records[p]
			want.Learned = m.learned[p]
			if got, found, err := s.Get(p); err != nil || found != held || held && !same(got, want) {
				return fmt.Sprintf("at %d: got %+v, %v, %v, want %+v", p, got, found, err, want)
			}
		}
	}
	return ""
}

// Where the random operations happen.
const width = 8

var windows = []log.Position{1, 1<<31 - 4, 1<<32 - 4, 10_000_000_000 - 4, 1<<63 - 4, log.MaxPosition - 7}

// walk is one random sequence of operations on a store and on its model.
type walk struct {
	*rig
	random  *rand.Rand
	states  []model // since the begin of the last sync that was done; the last one is what a reader sees
	wait    func() error
	covered int // the state that is durable once the wait for the sync that runs returns; none runs where that is nil
	crashes bool
}

// steps is the number of operations in one walk.
const steps = 30

func followModel(t *testing.T, disks Factory, sequences int, crashes bool) {
	for range sequences {
		seed := rand.Uint64()
		w := &walk{rig: &rig{T: t, disk: disks(t)}, random: rand.New(rand.NewPCG(seed, 0)), crashes: crashes}
		w.store = w.disk.Open(t)
		w.states = []model{{metadata: w.store.Metadata(), records: map[log.Position]log.Action{}, learned: map[log.Position]bool{}}}
		for step := range steps {
			what := w.step()
			if wrong := w.now().differs(w.store); wrong != "" {
				t.Fatalf("seed %d, step %d (%s): %s", seed, step, what, wrong)
			}
		}
		w.must(w.store.Close())
	}
}

func (w *walk) now() model { return w.states[len(w.states)-1] }

func (w *walk) step() string {
	switch n := w.random.IntN(100); {
	case n < 35:
		return w.put()
	case n < 60:
		return w.learn()
	case n < 66:
		return w.setMetadata()
	case n < 70:
		return w.setCheckpoint()
	case n < 77:
		return w.truncate()
	case n < 90:
		return w.syncs()
	case n < 94 || !w.crashes:
		w.reopen()
		w.states, w.wait = w.states[len(w.states)-1:], nil
		return "reopen"
	case n < 96:
		return w.tear(nil)
	default:
		return w.tear(w.random)
	}
}

// syncs begins a sync, or ends it.
func (w *walk) syncs() string {
	if w.wait == nil {
		w.wait, w.covered = w.store.StartSync(), len(w.states)-1
		return "begin of a sync"
	}
	w.must(w.wait())
	w.states, w.wait = w.states[w.covered:], nil
	return "end of a sync"
}

// tear crashes, and finds out which of the states the store is in now. It may be a newer one than the synced one even
// where nothing else should stay: an engine is free to sync earlier.
func (w *walk) tear(random *rand.Rand) string {
	w.crash(random)
	w.wait = nil
	for i := len(w.states) - 1; i >= 0; i-- {
		if w.states[i].differs(w.store) == "" {
			w.states = w.states[i : i+1]
			return fmt.Sprintf("crash to state %d", i)
		}
	}
	return "crash to no state that ever was"
}

// position returns a random position that is kept, and false where there is none in a random window.
func (w *walk) position() (log.Position, bool) {
	p := windows[w.random.IntN(len(windows))] + log.Position(w.random.IntN(width))
	return p, p >= w.now().metadata.Begin
}

func (w *walk) put() string {
	next := w.now().clone()
	var actions []log.Action
	for range 1 + w.random.IntN(6) {
		p, kept := w.position()
		if !kept || next.learned[p] {
			continue
		}
		a := log.Action{Position: p, Promised: log.Proposal(w.random.Uint64N(1 << 40))}
		if kind := log.Kind(w.random.IntN(4)); kind != log.None {
			a.Performed = a.Promised
			a.Value = log.Value{Kind: kind, Data: make([]byte, w.random.IntN(300)), To: log.Position(w.random.Uint64())}
			if w.random.IntN(2) == 0 {
				a.Value.Session[w.random.IntN(16)], a.Value.Sequence = byte(w.random.Uint32()), 1+w.random.Uint64N(log.MaxSequence)
			}
		}
		actions = append(actions, a)
		next.records[p] = a
	}
	w.must(w.store.Put(actions...))
	w.states = append(w.states, next)
	return fmt.Sprintf("put %d", len(actions))
}

func (w *walk) learn() string {
	first, _ := w.position()
	next := w.now().clone()
	last := first - 1
	for next.records[last+1].Value.Kind != log.None && w.random.IntN(6) > 0 {
		last++
		next.learned[last] = true
	}
	r := log.Range{First: first, Last: last}
	w.must(w.store.Learn(r))
	w.states = append(w.states, next)
	return fmt.Sprint("learn ", r)
}

func (w *walk) setMetadata() string {
	next := w.now().clone()
	next.metadata.Status = status.Empty + status.Status(w.random.IntN(4))
	next.metadata.Promised = log.Proposal(w.random.Uint64())
	next.metadata.Highest = max(next.metadata.Highest, next.metadata.Promised)
	next.metadata.Reign = log.Reign{By: next.metadata.Promised, First: next.metadata.Begin}
	next.metadata.Known = next.metadata.Known.With(log.ReplicaID(1+w.random.IntN(3)), identity.Incarnation{Generation: w.random.Uint64()})
	w.must(w.store.SetMetadata(next.metadata))
	w.states = append(w.states, next)
	return "set metadata"
}

func (w *walk) setCheckpoint() string {
	next := w.now().clone()
	next.checkpoint = storage.Checkpoint{UpTo: log.Position(w.random.Uint64()), Table: make([]byte, w.random.IntN(3000))}
	w.must(w.store.SetCheckpoint(next.checkpoint))
	w.states = append(w.states, next)
	return "set checkpoint"
}

func (w *walk) truncate() string {
	begin, _ := w.position()
	if w.random.IntN(3) > 0 { // mostly a small step, or the low windows would soon be gone
		begin = w.now().metadata.Begin + log.Position(w.random.IntN(3))
	}
	begin = min(begin, log.MaxPosition)
	w.must(w.store.Truncate(begin))
	w.states = append(w.states, w.now().truncate(begin))
	return fmt.Sprint("truncate ", begin)
}
