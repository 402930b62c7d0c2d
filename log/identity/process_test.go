package identity_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
)

// directory is a data directory of replica 2, and how the process on it calls itself.
type directory struct{ process }

// start starts a process on it.
func (d *directory) start(nonce uint64) {
	d.boot++
	d.age++
	d.bootAge, d.nonce = d.age, nonce
}

// copied is a copy as somebody takes it who does not stop the process.
func (d *directory) copied() *directory {
	c := *d
	return &c
}

// A replica that starts again and again is never taken for another one, whatever is late, and by whomever it is heard.
func TestOneDirectoryIsAlwaysAdmitted(t *testing.T) {
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1))
		d := &directory{process{generation: 1}}
		var said []process
		peers := []*identity.Admission{guard(), guard(), guard()}
		for nonce := range uint64(6) {
			d.start(nonce)
			for range random.IntN(10) {
				d.age += random.Uint64N(3)
				said = append(said, d.process)
				peer := peers[random.IntN(len(peers))]
				if refusal, ok := peer.Admit(d.identity()); !ok {
					t.Fatalf("seed %d: %s", seed, refusal)
				}
				_, _ = peer.Admit(said[random.IntN(len(said))].identity()) // late: refused or not
				peer.Hear(peers[random.IntN(len(peers))].Sightings())
			}
		}
	}
}

// A copy is refused by everybody who knows of one sync that it does not have, also if it was started many times since, and
// the original is admitted, in whatever order the two are heard. Only once both have voted, and each has syncs that the other
// one has not, may either of them seem to be right.
func TestCopyOfAnEarlierStateIsRefused(t *testing.T) {
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 2))
		d := &directory{process{generation: 1, age: random.Uint64N(5)}}
		d.start(1)
		d.age += random.Uint64N(5)
		older := d.copied()
		d.age += 1 + random.Uint64N(5)
		for range random.IntN(4) {
			d.start(2)
		}
		for range 1 + random.IntN(9) {
			older.start(3)
		}
		peer := guard()
		if random.IntN(2) == 0 {
			_, _ = peer.Admit(older.identity()) // the first is admitted
		} else if older.boot >= d.boot {
			older.age += random.Uint64N(100) // it votes elsewhere
		}
		for range 3 {
			if refusal, ok := peer.Admit(d.identity()); !ok {
				t.Fatalf("seed %d: the original is refused: %s", seed, refusal)
			}
			if _, ok := peer.Admit(older.identity()); ok {
				t.Fatalf("seed %d: %+v is admitted beside %+v", seed, older, d)
			}
		}
	}
}

// told is a guard that heard this of replica 2 from a peer.
func told(heard ...process) *identity.Admission {
	g := guard()
	for _, p := range heard {
		g.Hear([]identity.Heard{p.identity().Sighting()})
	}
	return g
}

func TestWhatAPeerHasHeardIsKnown(t *testing.T) {
	original, older := process{1, 5, 100, 40, 60}, process{1, 6, 200, 50, 50}
	for _, c := range []struct {
		claim string
		peer  *identity.Admission
		asks  process
		want  bool
	}{
		{"an earlier state is refused", told(original), older, false},
		{"the original is admitted", told(original), original, true},
		{"its successor is admitted", told(original), process{1, 6, 300, 61, 61}, true},
		{"the peer's memory may be older", told(original, process{1, 5, 100, 40, 45}), older, false},
		{"the peer may have heard the copy", told(original, older), original, true},
		{"or the copy first", told(older, original), older, false},
	} {
		if _, ok := c.peer.Admit(c.asks.identity()); ok != c.want {
			t.Errorf("%s: admitted %t", c.claim, ok)
		}
	}
}

func TestWhatAPeerHeardOfStrangersAndTheDeadIsNotTakenOver(t *testing.T) {
	row := func(r log.ReplicaID, i identity.Incarnation) identity.Heard {
		return identity.Heard{Replica: r, Process: identity.Process{Incarnation: i, Boot: 9, Nonce: 9, BootAge: 9, Age: 9}}
	}
	g := guard()
	g.Hear([]identity.Heard{row(1, life(1)), row(3, life(1)), row(4, life(1))}) // itself, a dead one, nobody
	if len(g.Heard) != 0 {
		t.Errorf("it knows %v", g.Heard)
	}
	g.Hear([]identity.Heard{row(2, life(2))})
	g.Hear([]identity.Heard{row(2, life(1))})
	if got := g.Heard[2].Incarnation; got != life(2) {
		t.Errorf("it forgot the newer life for %s", got)
	}
}

func TestSightingsAreInTheOrderOfTheIDs(t *testing.T) {
	g := guard()
	for _, id := range []log.ReplicaID{3, 1, 2} {
		i := from()
		i.Replica, i.Incarnation = id, life(2)
		g.Known = nil
		if refusal, admitted := g.Admit(i); !admitted {
			t.Fatal(refusal)
		}
	}
	again := guard()
	again.Known = nil
	again.Self.Replica = 9
	again.Hear(g.Sightings())
	if got := g.Sightings(); len(got) != 3 || got[0].Replica != 1 || got[2].Replica != 3 || !reflect.DeepEqual(got, again.Sightings()) {
		t.Errorf("got %v", got)
	}
}

func TestOnlyAnOlderAgeOfTheVeryProcessThatWasHeardWasPutBack(t *testing.T) {
	self := process{1, 5, 100, 40, 60}
	for _, c := range []struct {
		claim string
		from  log.ReplicaID
		heard process
		want  bool
	}{
		{"its disk has what was heard", 1, self, false},
		{"it has more", 1, process{1, 5, 100, 40, 59}, false},
		{"it lacks a sync", 1, process{1, 5, 100, 40, 61}, true},
		{"another process of the start", 1, process{1, 5, 200, 40, 61}, false},
		{"a process before", 1, process{1, 4, 100, 40, 61}, false},
		{"another life", 1, process{2, 5, 100, 40, 61}, false},
		{"another replica", 2, process{1, 5, 100, 40, 61}, false},
	} {
		g := guard()
		g.Self = self.identity()
		g.Self.Replica = 1
		heard := c.heard.identity().Sighting()
		heard.Replica = c.from
		refusal, rewound := g.Rewound([]identity.Heard{heard})
		if rewound != c.want {
			t.Errorf("%s: put back %t", c.claim, rewound)
		}
		if rewound && (refusal.Reason != identity.DuplicateIdentity || !strings.Contains(refusal.Detail, "61 syncs")) {
			t.Errorf("got %s", refusal)
		}
	}
}
