package logtest_test

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
)

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s := &standin{TB: b}
		logtest.Start(s, 7, 3)
		s.end()
	}
}

func BenchmarkTenSecondsOfVirtualTime(b *testing.B) {
	s := &standin{TB: b}
	defer s.end()
	c := logtest.Start(s, 7, 3)
	for b.Loop() {
		c.Pass(10 * time.Second)
	}
}
