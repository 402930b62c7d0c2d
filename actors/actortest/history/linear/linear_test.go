package linear_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/history/historytest"
	"github.com/quorumlog/quorumlog/actors/actortest/history/linear"
)

const (
	seeds  = 60
	small  = 60              // operations of which not every outcome is resolved
	enough = 5 * time.Second // for a window
)

// opinions are those of Porcupine: the history as it is, and with every outcome resolved.
func opinions(s *historytest.Sample) map[string]error {
	return map[string]error{
		"resolved": linear.Check(s.History, s.Logs, 1000, enough), "unresolved": linear.CheckUnresolved(s.History, s.Logs, enough),
	}
}

func TestPorcupineAgreesThatCorrectHistoriesAreCorrect(t *testing.T) {
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 3))
		for how, err := range opinions(historytest.Correct(random, small)) {
			if err != nil {
				t.Errorf("seed %d, %s: %v", seed, how, err)
			}
		}
	}
}

func TestPorcupineAgreesInWindows(t *testing.T) {
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 4))
		s := historytest.Correct(random, 3000)
		for _, window := range []int{50, 1000} {
			if err := linear.Check(s.History, s.Logs, window, enough); err != nil {
				t.Errorf("seed %d, windows of %d: %v", seed, window, err)
			}
		}
	}
}

func TestPorcupineFindsWhatNoOrderExplains(t *testing.T) {
	for _, mutation := range historytest.Mutations() {
		if !mutation.Linear {
			continue
		}
		t.Run(mutation.Name, func(t *testing.T) {
			found := 0
			for seed := range uint64(seeds / 6) {
				random := rand.New(rand.NewPCG(seed, 5))
				s := historytest.Correct(random, small)
				if !mutation.Apply(random, s) {
					continue
				}
				for how, err := range opinions(s) {
					if !errors.Is(err, linear.ErrIllegal) {
						t.Errorf("seed %d, %s: %v", seed, how, err)
					}
				}
				found++
			}
			if found == 0 {
				t.Error("no history could be spoiled like that")
			}
		})
	}
}

func TestBothCheckersAgree(t *testing.T) {
	verdicts := map[bool]int{} // of correct histories, and of broken ones
	for seed := range uint64(5 * seeds) {
		random := rand.New(rand.NewPCG(seed, 6))
		s := historytest.Correct(random, small)
		s.Plain()
		for range 1 + random.IntN(3) {
			historytest.Wobble(random, s)
		}
		broken := s.Check()
		verdicts[len(broken) == 0]++
		for how, err := range opinions(s) {
			if errors.Is(err, linear.ErrUndecided) || (err == nil) != (len(broken) == 0) {
				t.Errorf("seed %d, %s: %v; and the rules find: %v", seed, how, err, history.Join(broken))
			}
		}
	}
	if few := seeds / 2; verdicts[true] < few || verdicts[false] < few {
		t.Errorf("correct and broken histories: %v, want %d of each", verdicts, few)
	}
}
