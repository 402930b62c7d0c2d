package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/quorumlog/quorumlog/tests/process"
)

// The limits start this program again, in another role: here that is the test's own.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-follower") || slices.Contains(os.Args, "-sink") {
		if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if err := process.RemoveBuilt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func TestWorkloadsAreChosenByTheBeginningsOfTheirNames(t *testing.T) {
	all := workloads(options{}.scale())
	for only, want := range map[string]string{
		"W5":            "W5",
		"W1, W5":        "W1 W1-embedded W5",
		"W2-64x":        "W2-64x128 W2-64x128-embedded",
		"W2-64x,W2-64x": "W2-64x128 W2-64x128-embedded",
		"W9":            "",
		"":              names(all),
	} {
		if got := names(choose(all, only)); got != want {
			t.Errorf("%q: %s, expected %s", only, got, want)
		}
	}
}

func TestNoTwoWorkloadsHaveOneName(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range workloads(options{}.scale()) {
		if seen[w.name] {
			t.Errorf("%s is there twice", w.name)
		}
		seen[w.name] = true
	}
}
