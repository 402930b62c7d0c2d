package simulation

import (
	"flag"
	"fmt"
	"testing"
	"time"
)

var (
	seedFlag  = flag.Uint64("seed", 1, "the seed of TestSeed")
	seedsFlag = flag.Uint64("seeds", 150, "how many seeds TestSeeds runs")
	fromFlag  = flag.Uint64("from", 1, "the first seed of TestSeeds")
	timeFlag  = flag.Duration("during", 0, "run TestSeeds for so long, however many seeds there are")
)

func TestSeed(t *testing.T) {
	r := Run(t, Options{Seed: *seedFlag})
	t.Logf("%+v", r)
}

func TestSeeds(t *testing.T) {
	began := time.Now()
	var sum summary
	for seed := *fromFlag; seed < *fromFlag+*seedsFlag || *timeFlag > 0; seed++ {
		if *timeFlag > 0 && time.Since(began) > *timeFlag {
			break
		}
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			sum.add(seed, Run(t, Options{Seed: seed}))
		})
	}
	t.Log(sum.String())
}

func TestOneSeedIsOneRun(t *testing.T) {
	for seed := range uint64(5) {
		var reports [2]string
		for i := range reports {
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { reports[i] = fmt.Sprintf("%+v", Run(t, Options{Seed: seed})) })
		}
		if reports[0] != reports[1] {
			t.Errorf("seed %d:\n%s\nand then\n%s", seed, reports[0], reports[1])
		}
	}
}

// summary is what many runs were.
type summary struct {
	runs, chosen, lives  int
	late, lost, stranded int
	idle                 []uint64 // seeds that chose next to nothing
	virtual              time.Duration
	faults               [faults]int
	outcomes             [indeterminate + 1]int
	slowest              [4]time.Duration
}

func (s *summary) add(seed uint64, r Report) {
	s.runs++
	s.chosen += r.Chosen
	s.late += r.Late
	s.lost += r.Lost
	s.stranded += r.Stranded
	s.lives += r.Lives
	s.virtual += r.Virtual
	for f, n := range r.Faults {
		s.faults[f] += n
	}
	for o, n := range r.Outcomes {
		s.outcomes[o] += n
	}
	for i, d := range r.Slowest {
		s.slowest[i] = max(s.slowest[i], d)
	}
	if r.Chosen < few {
		s.idle = append(s.idle, seed)
	}
}

func (s *summary) String() string {
	text := fmt.Sprintf("%d runs, %.1f h of virtual time, %d positions chosen, %d starts of processes, %d messages late, %d of one kind "+
		"lost, %d writes stranded\n", s.runs, s.virtual.Hours(), s.chosen, s.lives, s.late, s.lost, s.stranded)
	for f, n := range s.faults {
		text += fmt.Sprintf("%v: %d, ", fault(f), n)
	}
	return text + fmt.Sprintf("\ncalls: %d never answered, %d succeeded, %d failed, %d indeterminate\n"+
		"slowest recovery: voting %v, append %v, answers %v, equal %v\n%d runs chose fewer than %d positions: %v",
		s.outcomes[pending], s.outcomes[succeeded], s.outcomes[failed], s.outcomes[indeterminate],
		s.slowest[0], s.slowest[1], s.slowest[2], s.slowest[3], len(s.idle), few, s.idle)
}
