package logtest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
)

// standin stands for the *testing.T of a test: in an Example, which has none, and for a test that is to fail.
type standin struct {
	testing.TB
	said     []string
	failed   bool
	cleanups []func()
}

func (s *standin) Helper() {}

func (s *standin) Failed() bool { return s.failed }

func (s *standin) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *standin) Log(args ...any) { s.said = append(s.said, fmt.Sprint(args...)) }

func (s *standin) Logf(format string, args ...any) { s.Log(fmt.Sprintf(format, args...)) }

func (s *standin) Errorf(format string, args ...any) {
	s.failed = true
	s.Logf(format, args...)
}

func (s *standin) Fatal(args ...any) { s.Fatalf("%s", fmt.Sprint(args...)) }

func (s *standin) Fatalf(format string, args ...any) {
	s.Errorf(format, args...)
	if s.TB == nil {
		panic(s.said[len(s.said)-1])
	}
	runtime.Goexit()
}

// end is the end of the test.
func (s *standin) end() {
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
}

// failing runs a test with a cluster of three that is to fail, and returns what it said.
func failing(t *testing.T, test func(c *logtest.Cluster)) string {
	t.Helper()
	s, done := &standin{TB: t}, make(chan struct{})
	go func() { // Fatalf ends its goroutine
		defer close(done)
		defer s.end()
		test(logtest.Start(s, 7, 3))
	}()
	<-done
	if !s.failed {
		t.Error("the test does not fail")
	}
	return strings.Join(s.said, "\n")
}
