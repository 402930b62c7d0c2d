package simulation

import (
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	seedFlag  = flag.Uint64("seed", 1, "the seed of TestSeed")
	stepsFlag = flag.Bool("steps", false, "TestSeed shows every step")
	storyFlag = flag.String("story", "", "what every run is about, for example turns; empty for what the seed chooses")
	seedsFlag = flag.Uint64("seeds", 150, "how many seeds TestSeeds runs")
	fromFlag  = flag.Uint64("from", 1, "the first seed of TestSeeds")
	timeFlag  = flag.Duration("during", 0, "run TestSeeds for so long, however many seeds there are")
)

// TestSeed tells the whole story of one run.
func TestSeed(t *testing.T) {
	o := Options{Seed: *seedFlag, Story: *storyFlag}
	if *stepsFlag {
		o.Trace = func(line string) { t.Log(line) }
	}
	s := run(t, o)
	t.Logf("%+v", s.profile)
	if o.Trace == nil {
		t.Logf("%s", strings.Join(s.tale, "\n"))
	}
	t.Logf("%+v", s.report())
	if !s.ok() {
		t.Errorf("seed %d: %s", o.Seed, s.violation())
	}
}

// TestSeeds runs many seeds. From a thousand on, every kind of fault must have struck.
func TestSeeds(t *testing.T) {
	const many, pause = 1000, 20 * time.Second
	var sum Summary
	began, told := time.Now(), time.Now()
	seeds := Seeds{From: *fromFlag, Count: *seedsFlag, During: *timeFlag, Workers: runtime.GOMAXPROCS(0)}
	Fleet(t, seeds, func(seed uint64) Options { return Options{Seed: seed, Story: *storyFlag} }, func(r Result) bool {
		sum.Add(r.Report)
		if r.Violation != "" {
			t.Run(fmt.Sprintf("seed=%d", r.Seed), func(t *testing.T) {
				t.Errorf("%s\n%s\nagain: make sim SEED=%d", r.Violation, r.Story, r.Seed)
			})
		}
		if now := time.Now(); now.Sub(told) > pause {
			told = now
			t.Logf("%d runs in %v, %d broken", sum.Runs, now.Sub(began).Round(time.Second), sum.Broken)
		}
		return sum.Broken == 0 || !stopsAtFirst()
	})
	t.Logf("in %v: %s", time.Since(began).Round(time.Millisecond), &sum)
	if missing := sum.Missing(); len(missing) > 0 && sum.Runs >= many {
		t.Errorf("in %d runs there was no %s", sum.Runs, strings.Join(missing, ", no "))
	}
}

// stopsAtFirst says whether the tests were started with -failfast.
func stopsAtFirst() bool {
	f := flag.Lookup("test.failfast")
	stop, err := strconv.ParseBool(f.Value.String())
	return err == nil && stop
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
