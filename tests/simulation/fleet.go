package simulation

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Seeds says which seeds a fleet runs: from From on, until there were so many, or the time is over.
type Seeds struct {
	From    uint64
	Count   uint64        // 0 for any
	During  time.Duration // 0 for any
	Workers int
}

// more says whether one more is to be run, after so many and so long.
func (s Seeds) more(ran uint64, took time.Duration) bool {
	return (s.Count == 0 || ran < s.Count) && (s.During == 0 || took < s.During)
}

// Result is what became of one seed.
type Result struct {
	Report
	Seed      uint64
	Violation string // with the name of what was violated; empty if all is well
	Story     string
}

// Fleet runs many seeds, each in a world of its own, on several cores, and hands their results over in the order of the
// seeds. It ends early once done says false. What it hands over does not depend on the number of workers.
func Fleet(t testing.TB, s Seeds, options func(seed uint64) Options, done func(Result) bool) {
	t.Helper()
	workers := max(1, s.Workers)
	f := fleet{turns: make(chan chan Result, 2*workers), jobs: make(chan func()), stop: make(chan struct{})}
	for range workers {
		f.busy.Go(func() {
			for job := range f.jobs {
				job()
			}
		})
	}
	f.busy.Go(func() {
		f.plan(s, func(seed uint64) Result { return alone(t, options(seed)) })
	})
	for result := range f.turns {
		if !done(<-result) {
			break
		}
	}
	close(f.stop)
	f.busy.Wait()
}

type fleet struct {
	turns chan chan Result // in the order of the seeds
	jobs  chan func()
	stop  chan struct{}
	busy  sync.WaitGroup
}

// plan hands out the seeds, one after the other.
func (f *fleet) plan(s Seeds, run func(seed uint64) Result) {
	defer close(f.jobs)
	defer close(f.turns)
	began := time.Now()
	for i := uint64(0); s.more(i, time.Since(began)); i++ {
		result := make(chan Result, 1)
		select {
		case <-f.stop:
			return
		case f.turns <- result:
			f.jobs <- func() { result <- run(s.From + i) }
		}
	}
}

// alone runs one seed on a goroutine of its own: a test that is over ends its goroutine.
func alone(t testing.TB, o Options) Result {
	r := &recorder{TB: t}
	result := Result{Seed: o.Seed}
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer r.clean()
		s := run(r, o)
		result.Report, result.Violation, result.Story = s.report(), s.violation(), s.retell()
	}()
	<-over
	if result.Violation == "" && r.failed {
		result.Violation, result.Broken = "the test kit: "+strings.Join(r.lines, "\n"), true
	}
	return result
}

// recorder is the test of one seed: what it says is kept until the turn of the seed comes.
type recorder struct {
	testing.TB
	failed   bool
	lines    []string
	cleanups []func()
}

func (r *recorder) Helper()             {}
func (r *recorder) Failed() bool        { return r.failed }
func (r *recorder) Fail()               { r.failed = true }
func (r *recorder) Cleanup(f func())    { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Logf(string, ...any) {}
func (r *recorder) Log(...any)          {}

func (r *recorder) FailNow() {
	r.failed = true
	runtime.Goexit()
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failed = true
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprintln(args...)) }

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprintln(args...)) }

func (r *recorder) clean() {
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
}
