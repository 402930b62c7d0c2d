package paxos_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// standpoint is written as "2:17", replica 2 holds something up to 17; lives and crash vectors are written as in votes.
func standpoint(s string) paxos.Standpoint {
	s, knows, _ := strings.Cut(s, "/")
	from, end, _ := strings.Cut(s, ":")
	p := paxos.Standpoint{End: log.Position(number(end))}
	p.From, p.Incarnation = life(from)
	for _, k := range strings.FieldsFunc(knows, func(c rune) bool { return c == ',' }) {
		p.Known = p.Known.With(life(k))
	}
	return p
}

func TestFrontierIsTheHighestEndOfAQuorum(t *testing.T) {
	for _, c := range []struct {
		claim   string
		members int
		heard   string
		want    string
	}{
		{"nobody", 3, "", "-"},
		{"one of three", 3, "1:5", "-"},
		{"two of three", 3, "1:5 2:7", "7"},
		{"one twice", 3, "1:5 1:7", "-"},
		{"two of four", 4, "1:5 2:7", "-"},
		{"three of four", 4, "1:5 2:7 3:0", "7"},
		{"alone", 1, "1:0", "0"},
		{"the same one twice, and another", 3, "1:7 1:5 2:0", "7"},
		{"a dead life", 3, "1:9 2:3/1.2", "-"},
		{"a dead life, and its next one", 3, "1:9 2:3/1.2 1.2:4", "9"},
		{"a dead life, late", 3, "1.2:4 2:3/1.2 1:9", "4"},
		{"a dead life, and enough others", 5, "1:1 2:3/1.2 3:4 4:2", "4"},
	} {
		f := paxos.NewFrontier(c.members)
		got := "-"
		for _, s := range strings.Fields(c.heard) {
			got = "-"
			if end, ok := f.Add(standpoint(s)); ok {
				got = fmt.Sprint(end)
			}
		}
		if got != c.want {
			t.Errorf("%s: heard %q: %s, want %s", c.claim, c.heard, got, c.want)
		}
	}
}

func TestFrontierAsksAgainWhomItDoesNotCount(t *testing.T) {
	f := paxos.NewFrontier(3)
	f.Add(standpoint("1:9"))
	if !f.Answered(1) || f.Answered(2) {
		t.Error("it counts another one than the one that answered")
	}
	f.Add(standpoint("2:3/1.2"))
	if f.Answered(1) || !f.Answered(2) {
		t.Error("a life that another answer knows to be dead counts")
	}
}

// TestFrontierIsNotBelowWhatWasAcknowledged plays writes, lost disks, and processes that go on with a disk that was deleted:
// whatever a quorum accepted before the question is at or below what a quorum of answers says.
func TestFrontierIsNotBelowWhatWasAcknowledged(t *testing.T) {
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 2))
		n := 3 + random.IntN(5)
		w := newReadWorld(random, n)
		for range 30 {
			w.step()
		}
		f := paxos.NewFrontier(n)
		for _, i := range random.Perm(2 * n) {
			s, votes := w.answer(i)
			if !votes {
				continue
			}
			if end, ok := f.Add(s); ok && end < w.acknowledged {
				t.Fatalf("seed %d: %d members say %d, and %d was acknowledged", seed, n, end, w.acknowledged)
			}
		}
	}
}

// readWorld is members that accept, lose their disks and recover from a quorum of the others; their former lives go on.
type readWorld struct {
	random       *rand.Rand
	alive, dead  []paxos.Standpoint // by member; a dead one has what it had when its disk was lost
	lost         []bool
	acknowledged log.Position
}

func newReadWorld(random *rand.Rand, n int) *readWorld {
	w := &readWorld{random: random, dead: make([]paxos.Standpoint, n), lost: make([]bool, n)}
	for i := range n {
		w.alive = append(w.alive, paxos.Standpoint{From: log.ReplicaID(i + 1), Incarnation: identity.Incarnation{Generation: 1}})
	}
	return w
}

func (w *readWorld) step() {
	i := w.random.IntN(len(w.alive))
	switch w.random.IntN(4) {
	case 0:
		if !w.lost[i] {
			w.lost[i], w.dead[i] = true, w.alive[i]
		}
	case 1:
		w.recover(i)
	default:
		w.write()
	}
}

// write has a quorum of living members accept the next position, if there is one.
func (w *readWorld) write() {
	var voters []int
	for _, i := range w.random.Perm(len(w.alive)) {
		if !w.lost[i] {
			voters = append(voters, i)
		}
	}
	if q := paxos.Quorum(len(w.alive)); len(voters) >= q {
		w.acknowledged++
		for _, i := range voters[:q] {
			w.alive[i].End = w.acknowledged
		}
	}
}

// recover gives a member that lost its disk a life that a quorum of the others knows, and what they hold.
func (w *readWorld) recover(i int) {
	var helpers []int
	for _, o := range w.random.Perm(len(w.alive)) {
		if o != i && !w.lost[o] {
			helpers = append(helpers, o)
		}
	}
	q := paxos.Quorum(len(w.alive))
	if !w.lost[i] || len(helpers) < q {
		return
	}
	next := paxos.Standpoint{From: w.alive[i].From, Incarnation: identity.Incarnation{Generation: w.alive[i].Incarnation.Generation + 1}}
	for _, o := range helpers[:q] {
		w.alive[o].Known = w.alive[o].Known.With(next.From, next.Incarnation)
		next.Known, next.End = next.Known.Merge(w.alive[o].Known), max(next.End, w.alive[o].End)
	}
	w.alive[i], w.lost[i] = next, false
}

// answer is what a member says, or, from the number of the members on, what the process says that goes on with its former disk.
func (w *readWorld) answer(i int) (paxos.Standpoint, bool) {
	if i < len(w.alive) {
		return w.alive[i], !w.lost[i]
	}
	s := w.dead[i-len(w.alive)]
	return s, s.From > 0
}
