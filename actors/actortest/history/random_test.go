package history_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/history/historytest"
)

// seeds is how many random histories each test makes.
const seeds = 100

func TestCorrectHistoriesAreNotAccused(t *testing.T) {
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := historytest.Correct(random, 20+random.IntN(300))
		if err := history.Join(s.Check()); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func TestAHundredThousandOperationsTakeAboutASecond(t *testing.T) {
	s := historytest.Correct(rand.New(rand.NewPCG(1, 1)), 100_000)
	began := time.Now()
	err := history.Join(s.Check())
	const most = 10 * time.Second // on a machine that does a lot else; alone it is a quarter of a second
	if took := time.Since(began); err != nil || took > most {
		t.Errorf("after %v: %v", took, err)
	}
}

func TestEveryMutationIsFound(t *testing.T) {
	for _, mutation := range historytest.Mutations() {
		t.Run(mutation.Name, func(t *testing.T) {
			spoiled := 0
			for seed := range uint64(seeds) {
				random := rand.New(rand.NewPCG(seed, 2))
				s := historytest.Correct(random, 100+random.IntN(200))
				if !mutation.Apply(random, s) {
					continue
				}
				spoiled++
				if found := s.Check(); !slices.ContainsFunc(found, func(v history.Violation) bool { return v.Rule == mutation.Rule }) {
					t.Errorf("seed %d: want a violation of %s, got: %v", seed, mutation.Rule, history.Join(found))
				}
			}
			if few := seeds / 10; spoiled < few {
				t.Errorf("only %d of %d histories could be spoiled like that", spoiled, seeds)
			}
		})
	}
}

func TestEveryRuleFindsAMutation(t *testing.T) {
	for _, rule := range history.RuleNames() {
		if !slices.ContainsFunc(historytest.Mutations(), func(m historytest.Mutation) bool { return m.Rule == rule }) {
			t.Errorf("no mutation breaks the rule %s", rule)
		}
	}
}
