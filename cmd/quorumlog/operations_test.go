package main

import (
	"os"
	"strings"
	"testing"
)

func TestTheRunbookHasARowForEveryCommandAndExitCode(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	root := newRootCommand(&program{console: newShell("", nil).console})
	root.InitDefaultCompletionCmd("completion")
	for _, command := range root.Commands() {
		if !command.Hidden && !strings.Contains(string(text), "\n| `"+command.Name()+"` | ") {
			t.Errorf("docs/operations.md has no row for %s: say when it is run, and what it costs", command.Name())
		}
	}
	for _, code := range []string{"0", "1", "2", "3", "4"} {
		if !strings.Contains(string(text), "\n| "+code+" | ") {
			t.Errorf("docs/operations.md has no row for exit code %s", code)
		}
	}
}
