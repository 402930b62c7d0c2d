package logtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// Simulate is Start for programs that are no tests, such as an Example: it makes a cluster of n members that vote, has use work with
// it, and closes its world. What would end a test ends use. It returns what that test would have printed, and nil where it would not
// have failed.
func Simulate(seed uint64, n int, use func(*Cluster)) error {
	p := &program{}
	p.run(func() { use(Start(p, seed, n)) })
	for len(p.cleanups) > 0 {
		last := len(p.cleanups) - 1
		f := p.cleanups[last]
		p.cleanups = p.cleanups[:last]
		p.run(f)
	}
	if p.failed {
		return errors.New(strings.Join(p.said, "\n"))
	}
	return nil
}

// program stands for the testing.T of a program that is no test.
type program struct {
	testing.TB // nil: a cluster and its world call nothing but what is here
	said       []string
	failed     bool
	cleanups   []func()
}

// halt is the panic with which a program leaves what would end a test.
type halt struct{}

// run is one part of what would be a test.
func (p *program) run(part func()) {
	defer func() {
		if reason := recover(); reason != nil && reason != (halt{}) {
			panic(reason)
		}
	}()
	part()
}

// Helper implements testing.TB.
func (p *program) Helper() {}

// Failed implements testing.TB.
func (p *program) Failed() bool { return p.failed }

// Cleanup implements testing.TB.
func (p *program) Cleanup(f func()) { p.cleanups = append(p.cleanups, f) }

// Log implements testing.TB.
func (p *program) Log(args ...any) { p.said = append(p.said, fmt.Sprint(args...)) }

// Logf implements testing.TB.
func (p *program) Logf(format string, args ...any) { p.Log(fmt.Sprintf(format, args...)) }

// Errorf implements testing.TB.
func (p *program) Errorf(format string, args ...any) {
	p.failed = true
	p.Logf(format, args...)
}

// Fatal implements testing.TB.
func (p *program) Fatal(args ...any) { p.Fatalf("%s", fmt.Sprint(args...)) }

// Fatalf implements testing.TB.
func (p *program) Fatalf(format string, args ...any) {
	p.Errorf(format, args...)
	panic(halt{})
}
