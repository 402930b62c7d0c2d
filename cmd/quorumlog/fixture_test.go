package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// shell is a console that a test looks at.
type shell struct {
	console
	out, err bytes.Buffer
}

func newShell(stdin string, environment map[string]string) *shell {
	s := &shell{}
	s.console = console{
		in: strings.NewReader(stdin), out: &s.out, err: &s.err,
		environment: func(name string) (string, bool) {
			value, found := environment[name]
			return value, found
		},
	}
	return s
}

// run runs a command line, for five seconds at most, and returns its exit code.
func (s *shell) run(args string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return run(ctx, strings.Fields(args), s.console)
}

// settled returns what a command line settles, without doing it.
func (s *shell) settled(t *testing.T, args string) (settings, error) {
	t.Helper()
	p := &program{console: s.console}
	root := newRootCommand(p)
	for _, command := range root.Commands() {
		command.RunE = func(*cobra.Command, []string) error { return nil }
	}
	root.SetArgs(strings.Fields(args))
	err := root.ExecuteContext(context.Background())
	return p.settings, err
}

func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
