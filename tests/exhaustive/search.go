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

// states are the states that were found, in the order in which they were. They lie in blocks: a slice of millions that grows
// is there twice.
type states struct {
	blocks [][]found
	n      uint32
	slots  []uint32 // an open hash table of their numbers, plus 1
	seed   maphash.Seed
}

// found is a state, and the number of the one that it was reached from.
type found struct {
	state
	parent uint32
}

const blockSize = 1 << 16

func newStates() *states { return &states{slots: make([]uint32, 1<<16), seed: maphash.MakeSeed()} }

func (t *states) at(i uint32) *found { return &t.blocks[i/blockSize][i%blockSize] }

// add adds a state, unless it was found before.
func (t *states) add(s state, parent uint32) {
	if 4*int(t.n) > 3*len(t.slots) {
		t.grow()
	}
	at := t.find(s)
	if t.slots[at] != 0 {
		return
	}
	if t.n%blockSize == 0 {
		t.blocks = append(t.blocks, make([]found, blockSize))
	}
	*t.at(t.n) = found{s, parent}
	t.n++
	t.slots[at] = t.n
}

// find returns the slot of a state, or the free one in which it belongs.
func (t *states) find(s state) uint64 {
	mask := uint64(len(t.slots) - 1)
	at := maphash.Comparable(t.seed, s) & mask
	for t.slots[at] != 0 && t.at(t.slots[at]-1).state != s {
		at = (at + 1) & mask
	}
	return at
}

func (t *states) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	for i := range t.n {
		t.slots[t.find(t.at(i).state)] = i + 1
	}
}

// path returns the states from the first one to this.
func (t *states) path(i uint32) []state {
	path := []state{t.at(i).state}
	for i != 0 {
		i = t.at(i).parent
		path = append(path, t.at(i).state)
	}
	slices.Reverse(path)
	return path
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
func search(w *world, most int) result { return searchAloud(w, most, func(int, int) {}) }

// searchAloud is search, and tells now and then how many states it has visited, of how many that were found so far.
func searchAloud(w *world, most int, tell func(visited, found int)) result {
	const often = 1 << 14
	all := newStates()
	all.add(w.canonical(w.first()), 0)
	for i := uint32(0); i < all.n; i++ {
		if i%often == often-1 {
			tell(int(i)+1, int(all.n))
		}
		if int(all.n) > most {
			return result{states: int(all.n), cut: true}
		}
		for _, next := range w.steps(all.at(i).state) {
			if next.fault != "" {
				return result{states: int(all.n), fault: next.fault, story: w.tell(all.path(i), next)}
			}
			all.add(w.canonical(next.to), i)
		}
	}
	return result{states: int(all.n)}
}

// canonical puts the replicas of a state in order.
func (w *world) canonical(s state) state {
	slices.Sort(s.replicas[:w.size])
	return s
}
