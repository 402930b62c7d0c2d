package identity_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
)

// model is a crash vector as a map.
type model map[log.ReplicaID]identity.Incarnation

func (m model) merged(o model) model {
	merged := maps.Clone(m)
	for r, i := range o {
		if known, found := m[r]; !found || i.Generation > known.Generation {
			merged[r] = i
		}
	}
	return merged
}

func (m model) buries(r log.ReplicaID, i identity.Incarnation) bool {
	known, found := m[r]
	return found && known != i && known.Generation >= i.Generation
}

// draw is a vector of some of six replicas, with few lives, so that two vectors often agree.
func draw(random *rand.Rand) (identity.Vector, model) {
	var v identity.Vector
	m := model{}
	for range random.IntN(8) {
		r, i := drawLife(random)
		v, m[r] = v.With(r, i), i
	}
	return v, m
}

func drawLife(random *rand.Rand) (log.ReplicaID, identity.Incarnation) {
	r := log.ReplicaID(1 + random.IntN(6))
	return r, identity.Incarnation{Generation: 1 + random.Uint64N(3), Disk: random.Uint64N(2)}
}

// same compares a vector with the model: every row, and their order.
func same(v identity.Vector, m model) error {
	ids := slices.Sorted(maps.Keys(m))
	if len(v) != len(ids) {
		return fmt.Errorf("%d rows, want %d", len(v), len(ids))
	}
	for at, r := range ids {
		if v[at] != (identity.Known{Replica: r, Incarnation: m[r]}) {
			return fmt.Errorf("row %d is %v, want replica %d as %s", at, v[at], r, m[r])
		}
		if i, found := v.Of(r); !found || i != m[r] {
			return fmt.Errorf("replica %d is %s, want %s", r, i, m[r])
		}
	}
	return nil
}

func TestVectorIsSortedMap(t *testing.T) {
	for seed := range uint64(2000) {
		v, m := draw(rand.New(rand.NewPCG(seed, 7)))
		if err := same(v, m); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func TestUnknownReplicaIsNotFound(t *testing.T) {
	for seed := range uint64(500) {
		v, m := draw(rand.New(rand.NewPCG(seed, 8)))
		for r := range log.ReplicaID(9) {
			_, known := m[r]
			if i, found := v.Of(r); found != known || !found && i != (identity.Incarnation{}) {
				t.Fatalf("seed %d: replica %d: found %t as %s", seed, r, found, i)
			}
		}
	}
}

func TestMergeTakesNewerGeneration(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 9))
		v, m := draw(random)
		w, n := draw(random)
		if err := same(v.Merge(w), m.merged(n)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func TestVectorBuriesWhatIsOlderOrAnotherDisk(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 10))
		v, m := draw(random)
		r, i := drawLife(random)
		if v.Buries(r, i) != m.buries(r, i) {
			t.Fatalf("seed %d: %v buries %d as %s: %t", seed, v, r, i, v.Buries(r, i))
		}
	}
}

func TestVectorBuries(t *testing.T) {
	v := identity.Vector{}.With(3, identity.Incarnation{Generation: 2, Disk: 7})
	for _, c := range []struct {
		claim   string
		replica log.ReplicaID
		life    identity.Incarnation
		want    bool
	}{
		{"an older generation", 3, identity.Incarnation{Generation: 1, Disk: 7}, true},
		{"another disk of the same generation", 3, identity.Incarnation{Generation: 2, Disk: 8}, true},
		{"not what it knows", 3, identity.Incarnation{Generation: 2, Disk: 7}, false},
		{"not a newer generation", 3, identity.Incarnation{Generation: 3, Disk: 1}, false},
		{"not whom it does not know", 4, identity.Incarnation{Generation: 1, Disk: 7}, false},
	} {
		if got := v.Buries(c.replica, c.life); got != c.want {
			t.Errorf("%s: got %t", c.claim, got)
		}
	}
}

// TestVectorIsNeverChangedInPlace keeps every vector on the way and looks at all of them again in the end.
func TestVectorIsNeverChangedInPlace(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 11))
		vectors, models := []identity.Vector{nil}, []model{{}}
		for range 30 {
			a, b := random.IntN(len(vectors)), random.IntN(len(vectors))
			next, want := vectors[a].Merge(vectors[b]), models[a].merged(models[b])
			if random.IntN(2) == 0 {
				r, i := drawLife(random)
				next, want = vectors[a].With(r, i), maps.Clone(models[a])
				want[r] = i
			}
			vectors, models = append(vectors, next), append(models, want)
		}
		for i := range vectors {
			if err := same(vectors[i], models[i]); err != nil {
				t.Fatalf("seed %d: vector %d: %v", seed, i, err)
			}
		}
	}
}
