package exhaustive

import (
	"hash/maphash"
	"slices"
)

// table numbers things, from 0.
type table[T comparable, ID ~uint16 | ~uint32] struct {
	ids   map[T]ID
	items []T
}

func (t *table[T, ID]) of(id ID) T { return t.items[id] }

func (t *table[T, ID]) id(x T) ID {
	id, found := t.ids[x]
	if !found {
		if t.ids == nil {
			t.ids = map[T]ID{}
		}
		id = ID(len(t.items))
		t.ids[x] = id
		t.items = append(t.items, x)
	}
	return id
}

// states are the states that were found, in the order in which they were.
type states struct {
	all     []state
	parents []uint32
	slots   []uint32 // an open hash table of indices into all, plus 1
	seed    maphash.Seed
}

func newStates() *states { return &states{slots: make([]uint32, 1<<16), seed: maphash.MakeSeed()} }

// add adds a state, unless it was found before.
func (t *states) add(s state, parent uint32) bool {
	if 4*len(t.all) > 3*len(t.slots) {
		t.grow()
	}
	at := t.find(s)
	if t.slots[at] != 0 {
		return false
	}
	t.all, t.parents = append(t.all, s), append(t.parents, parent)
	t.slots[at] = uint32(len(t.all))
	return true
}

// find returns the slot of a state, or the free one in which it belongs.
func (t *states) find(s state) uint64 {
	mask := uint64(len(t.slots) - 1)
	at := maphash.Comparable(t.seed, s) & mask
	for t.slots[at] != 0 && t.all[t.slots[at]-1] != s {
		at = (at + 1) & mask
	}
	return at
}

func (t *states) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	for i, s := range t.all {
		t.slots[t.find(s)] = uint32(i + 1)
	}
}

// result is what a search has found.
type result struct {
	states int
	fault  string // empty if nothing is wrong in any state
	story  []string
	cut    bool // there are more states than were asked for
}

// search visits every state of a world, those with fewer steps first, and ends where one is wrong: the story is the
// shortest there is.
func search(w *world, most int) result {
	found := newStates()
	found.add(w.canonical(w.first()), 0)
	for i := 0; i < len(found.all); i++ {
		if len(found.all) > most {
			return result{states: len(found.all), cut: true}
		}
		for _, next := range w.steps(found.all[i]) {
			if next.fault != "" {
				return result{states: len(found.all), fault: next.fault, story: w.tell(found.path(uint32(i)), next)}
			}
			found.add(w.canonical(next.to), uint32(i))
		}
	}
	return result{states: len(found.all)}
}

// canonical puts the replicas of a state in order.
func (w *world) canonical(s state) state {
	slices.Sort(s.replicas[:w.size])
	return s
}

// path returns the states from the first one to this.
func (t *states) path(i uint32) []state {
	path := []state{t.all[i]}
	for i != 0 {
		i = t.parents[i]
		path = append(path, t.all[i])
	}
	slices.Reverse(path)
	return path
}
