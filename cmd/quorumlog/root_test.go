package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
)

func TestEveryCommandExplainsItself(t *testing.T) {
	root := newRootCommand(&program{console: newShell("", nil).console})
	for _, command := range append([]*cobra.Command{root}, root.Commands()...) {
		if command.Short == "" || len(command.Long) <= len(command.Short) || command.Example == "" {
			t.Errorf("%s: short %q, long %q, example %q", command.Name(), command.Short, command.Long, command.Example)
		}
	}
}

func TestHelpIsFine(t *testing.T) {
	for _, args := range []string{"", "--help", "help serve", "serve --help", "status -h", "completion bash", "version", "version -o json", "--version"} {
		s := newShell("", nil)
		if code := s.run(args); code != exitFine || s.out.Len() == 0 || s.err.Len() != 0 {
			t.Errorf("%q: exit code %d\n%s%s", args, code, &s.out, &s.err)
		}
	}
}

func TestMistakesOfUsageEndWith2AndAHint(t *testing.T) {
	for _, r := range []struct{ args, hint string }{
		{"stauts", "Did you mean this?\n\tstatus"},
		{"stauts", "Run 'quorumlog --help'"},
		{"--verbose", "Run 'quorumlog --help'"},
		{"status --verbose", "Run 'quorumlog status --help'"},
		{"status", "say --members"},
		{"status everything", "Run 'quorumlog status --help'"},
		{"version -o yaml", "it is one of table, json, ndjson"},
		{"truncate --to -1", "positions are whole numbers"},
		{"serve --id abc", "an id is a number from 1 to 65535"},
		{"serve --id 0", "an id is a number from 1 to 65535"},
		{"serve --id 65536", "an id is a number from 1 to 65535"},
		{"status --timeout 5", "write 5s"},
		{"status --timeout 0", "a timeout is longer than 0"},
		{"status --timeout 0s", "longer than 0"},
		{"status --timeout -1s", "longer than 0"},
		{"status --timeout -5", "longer than 0"},
		{"status --timeout soon", "such as 30s"},
		{"serve --id 1 --data x --members 1=localhost:1 --http host:99999", "--http host:99999: write HOST:PORT"},
		{"serve --id 1 --data x --members 1=localhost:1 --http 9101", "--http 9101: write HOST:PORT"},
		{"serve --id 1 --data x --members 1=localhost:1 --insecure --listen :99999", "--listen :99999: write HOST:PORT"},
		{"serve extra", "serve takes no arguments"},
		{"demo extra", "demo takes no arguments"},
	} {
		s := newShell("", nil)
		if code := s.run(r.args); code != exitUsage || !strings.Contains(s.err.String(), r.hint) || s.out.Len() != 0 {
			t.Errorf("%q: exit code %d, expected %q:\n%s%s", r.args, code, r.hint, &s.err, &s.out)
		}
	}
}

func TestShellsCompleteWhatIsEnumerated(t *testing.T) {
	for _, r := range []struct{ args, want string }{
		{"status -o", "table json ndjson"},
		{"demo --output", "text ndjson"},
		{"serve --log-format", "auto console json"},
		{"serve --log-level", "trace debug info warn error"},
	} {
		s := newShell("", nil)
		code := run(t.Context(), append(append([]string{"__complete"}, strings.Fields(r.args)...), ""), s.console)
		if got := strings.Join(strings.Fields(s.out.String()), " "); code != exitFine || got != r.want+" :4" {
			t.Errorf("%s: exit code %d, %q, expected %q", r.args, code, got, r.want)
		}
	}
}

func TestExitCodesTellWhatToDo(t *testing.T) {
	for _, r := range []struct {
		err  error
		want int
	}{
		{nil, exitFine},
		{errors.New("any"), exitFailed},
		{cluster.ErrFenced, exitFailed},
		{cluster.ErrTooLarge, exitFailed},
		{cluster.ErrBusy, exitFailed},
		{cluster.ErrForeign, exitFailed},
		{cluster.ErrInUse, exitFailed},
		{cluster.ErrNewerFormat, exitFailed},
		{cluster.ErrConfiguration, exitFailed},
		{cluster.ErrAddress, exitFailed},
		{&cluster.TruncatedError{}, exitFailed},
		{cluster.ErrIndeterminate, exitFailed},
		{fmt.Errorf("%w: %w", cluster.ErrIndeterminate, context.DeadlineExceeded), exitFailed},
		{usagef("any"), exitUsage},
		{cluster.ErrNoQuorum, exitNotReady},
		{cluster.ErrNotVoting, exitNotReady},
		{cluster.ErrNotElected, exitNotReady},
		{context.DeadlineExceeded, exitNotReady},
		{notReadyf("any"), exitNotReady},
		{cluster.ErrCorrupt, exitDataFault},
		{cluster.ErrDiskFailed, exitDataFault},
		{cluster.ErrReplaced, exitDataFault},
		{dataFaultf("any"), exitDataFault},
	} {
		wrapped := r.err
		if wrapped != nil {
			wrapped = fmt.Errorf("verb: %w", wrapped)
		}
		if got := exitCode(wrapped); got != r.want {
			t.Errorf("%v: %d, expected %d", r.err, got, r.want)
		}
	}
}

func TestColourIsForTerminalsWithoutNoColour(t *testing.T) {
	for _, r := range []struct {
		terminal bool
		noColor  string
		want     bool
	}{
		{false, "", false},
		{true, "", true},
		{true, "1", false},
		{false, "1", false},
	} {
		s := newShell("", map[string]string{"NO_COLOR": r.noColor})
		s.errTerminal = r.terminal
		if got := s.colour(); got != r.want {
			t.Errorf("terminal %v, NO_COLOR=%q: %v", r.terminal, r.noColor, got)
		}
	}
}
